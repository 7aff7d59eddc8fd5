package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegistryPrefixTest {
    @ParameterizedTest(name = "{0} and {1}: {2}")
    @CsvSource(delimiter = '|', textBlock = """
            # hosts are compared whole
            reg.example                  | reg.example/app                  | yes
            reg.example                  | reg.example/a/b/c:v1             | yes
            reg.example                  | evilreg.example/app              | no
            reg.example                  | reg.example.evil.org/app         | no
            reg.example                  | sub.reg.example/app              | no
            sub.reg.example              | reg.example/app                  | no
            reg.example                  | other.example/reg.example/app    | no
            reg.io                       | evilreg.io/x                     | no
            Reg.Example                  | reg.example/app                  | yes
            reg.example                  | REG.EXAMPLE/app                  | yes
            localhost                    | localhost/app                    | yes
            localhost                    | localhost:5000/app               | no
            # ports
            reg.example:5000             | reg.example:5000/app             | yes
            reg.example:5000             | reg.example/app                  | no
            reg.example                  | reg.example:5000/app             | no
            reg.example:443              | reg.example/app                  | no
            reg.example:50               | reg.example:5000/app             | no
            harbor:8080                  | harbor:8080/p/app                | yes
            [::1]:5000                   | [::1]:5000/app                   | yes
            [::1]:5000                   | [::1]/app                        | no
            # paths are compared at segment boundaries
            reg.example/team             | reg.example/team/app             | yes
            reg.example/team             | reg.example/team                 | yes
            reg.example/team             | reg.example/teams/app            | no
            reg.example/team             | reg.example/team-a/app           | no
            reg.example/team             | reg.example/other/team/app       | no
            reg.example/team             | reg.example/app                  | no
            reg.example/team/app         | reg.example/team/app:v1          | yes
            reg.example/team/app         | reg.example/team/app/part        | yes
            reg.example/team/app         | reg.example/team/apple           | no
            reg.example/team/app         | reg.example/team                 | no
            # Docker Hub by any of its names
            docker.io                    | nginx                            | yes
            docker.io                    | team/app                         | yes
            docker.io                    | docker.io/team/app               | yes
            docker.io                    | reg.example/app                  | no
            index.docker.io              | nginx                            | yes
            registry-1.docker.io         | nginx                            | yes
            registry.hub.docker.com      | nginx                            | yes
            hub.docker.com               | nginx                            | yes
            DOCKER.IO                    | nginx                            | yes
            docker.io                    | registry-1.docker.io/team/app    | yes
            docker.io                    | registry.hub.docker.com/team/app | yes
            docker.io                    | DOCKER.IO/nginx                  | yes
            registry-1.docker.io         | registry-1.docker.io/team/app    | yes
            registry.hub.docker.com/team | index.docker.io/team/app         | yes
            registry.hub.docker.com/team | registry-1.docker.io/other/app   | no
            docker.io                    | docker.io:443/team/app           | no
            docker.io                    | registry-2.docker.io/team/app    | no
            https://index.docker.io/v1/  | nginx                            | yes
            index.docker.io/v1/          | nginx                            | yes
            docker.io/library            | nginx                            | yes
            docker.io/team               | team/app                         | yes
            docker.io/team               | nginx                            | no
            docker.io/nginx              | nginx                            | no
            # what people copy from a browser
            https://reg.example          | reg.example/app                  | yes
            HTTPS://reg.example/         | reg.example/app                  | yes
            https://reg.example/v2/      | reg.example/app                  | yes
            https://reg.example/team/    | reg.example/team/app             | yes
            https://reg.example/team/    | reg.example/other/app            | no
            reg.example/                 | reg.example/app                  | yes
            reg.example/team///          | reg.example/team/app             | yes
            reg.example/v2               | reg.example/app                  | no
            reg.example/v2               | reg.example/v2/app               | yes
            """)
    void aPrefixMatchesAnImage(String prefix, String image, String matches) {
        assertThat(RegistryPrefix.parse(prefix).matches(ImageReference.parse(image)))
                .isEqualTo(matches.equals("yes"));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            ^^                        | host is empty
            ^  ^                      | host is empty
            https://                  | host is empty
            /                         | host is empty
            http://reg.example        | without http://
            HTTP://reg.example:5000   | without http://
            ftp://reg.example         | a port must be a number
            reg                       | docker.io/reg
            harbor/team               | not a host but a name on Docker Hub
            reg.example:              | a port
            reg.example:99999         | a port
            reg_a.example             | host name may contain
            *.example                 | host name may contain
            me:secret@reg.example     | a port
            reg.example/Team          | lower case
            reg.example//team         | empty segment
            reg.example/team/*        | lower-case letters
            reg.example/app:v1        | lower-case letters
            reg.example?x=y           | host name may contain
            reg.example,other.example | host name may contain
            """)
    void anInvalidPrefixIsRejectedWithACorrection(String text, String reason) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegistryPrefix.parse(text))
                .withMessageStartingWith("not a registry: ")
                .withMessageContaining(reason);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "me:s3cret@reg.example",
                "s3cret@reg.example/team",
                "https://me:s3cret@reg.example",
                "http://me:s3cret@reg.example",
                "me:s3c@s3cret@reg.example/x",
                "me:s3cret/s3cret@reg.example",
                "s3cret@shadow.example",
                "s3cret@localhost:5000",
                "s3cret:x-oauth-basic@reg.example",
            })
    void textBeforeAnAtSignIsNotRepeated(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegistryPrefix.parse(text))
                .withMessageNotContaining("s3c")
                .withMessageContaining("[secret]@");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImageReference.parse(text + "/app@sha256:" + "a".repeat(64)))
                .withMessageNotContaining("s3c");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImageReference.parse(text + "/app:v1"))
                .withMessageNotContaining("s3c");
    }

    @ParameterizedTest
    @CsvSource({
        "https://reg.example:5000/team/, reg.example:5000/team",
        "https://index.docker.io/v1/, docker.io",
        "reg.example, reg.example",
        "REG.Example:5000/team, reg.example:5000/team",
        "INDEX.Docker.io, docker.io",
        "FOO/team, FOO/team",
    })
    void theTextIsCanonicalAndReadsBack(String text, String canonical) {
        RegistryPrefix prefix = RegistryPrefix.parse(text);
        assertThat(prefix).hasToString(canonical);
        assertThat(RegistryPrefix.parse(canonical)).isEqualTo(prefix);
    }
}
