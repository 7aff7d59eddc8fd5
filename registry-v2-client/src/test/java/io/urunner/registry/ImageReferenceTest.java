package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageReferenceTest {
    private static final String HEX = "0123456789abcdef".repeat(4);
    private static final Digest DIGEST = Digest.parse("sha256:" + HEX);
    private static final Pattern REPEAT = Pattern.compile("\\{(.+?)\\*(\\d+)}");

    /** {@code @D} stands for a SHA-256 digest, {@code @E} for a SHA-512 digest, <code>{ab*3}</code> for ababab. */
    @ParameterizedTest(name = "{0} is {1} / {2} : {3} @ {4}")
    @CsvSource(delimiter = '|', nullValues = "-", quoteCharacter = '^', textBlock = """
            # official images of Docker Hub
            nginx                                 | docker.io              | library/nginx          | latest     | -
            nginx:1.25                            | docker.io              | library/nginx          | 1.25       | -
            nginx:latest                          | docker.io              | library/nginx          | latest     | -
            nginx@D                               | docker.io              | library/nginx          | -          | D
            nginx:1.25@D                          | docker.io              | library/nginx          | 1.25       | D
            nginx@E                               | docker.io              | library/nginx          | -          | E
            nginx:1@E                             | docker.io              | library/nginx          | 1          | E
            library/nginx                         | docker.io              | library/nginx          | latest     | -
            docker.io/nginx                       | docker.io              | library/nginx          | latest     | -
            docker.io/nginx:1                     | docker.io              | library/nginx          | 1          | -
            docker.io/nginx@D                     | docker.io              | library/nginx          | -          | D
            docker.io/library/nginx               | docker.io              | library/nginx          | latest     | -
            index.docker.io/nginx                 | docker.io              | library/nginx          | latest     | -
            index.docker.io/library/nginx:1       | docker.io              | library/nginx          | 1          | -
            index.docker.io/team/app              | docker.io              | team/app               | latest     | -
            localhost                             | docker.io              | library/localhost      | latest     | -
            localhost:5000                        | docker.io              | library/localhost      | 5000       | -
            redis:5000                            | docker.io              | library/redis          | 5000       | -
            a                                     | docker.io              | library/a              | latest     | -
            1                                     | docker.io              | library/1              | latest     | -
            # repositories of people on Docker Hub
            team/app                              | docker.io              | team/app               | latest     | -
            team/app:v1                           | docker.io              | team/app               | v1         | -
            team/app@D                            | docker.io              | team/app               | -          | D
            a/b/c/d                               | docker.io              | a/b/c/d                | latest     | -
            docker.io/a/b/c                       | docker.io              | a/b/c                  | latest     | -
            harbor/app                            | docker.io              | harbor/app             | latest     | -
            # Docker Hub by its other names
            registry-1.docker.io/team/app         | docker.io              | team/app               | latest     | -
            registry-1.docker.io/nginx            | docker.io              | library/nginx          | latest     | -
            registry.hub.docker.com/library/nginx | docker.io              | library/nginx          | latest     | -
            registry.hub.docker.com/team/app:v1   | docker.io              | team/app               | v1         | -
            hub.docker.com/team/app@D             | docker.io              | team/app               | -          | D
            DOCKER.IO/nginx                       | docker.io              | library/nginx          | latest     | -
            Index.Docker.io/nginx                 | docker.io              | library/nginx          | latest     | -
            REGISTRY-1.DOCKER.IO/team/app         | docker.io              | team/app               | latest     | -
            docker.io:443/team/app                | docker.io:443          | team/app               | latest     | -
            registry-2.docker.io/team/app         | registry-2.docker.io   | team/app               | latest     | -
            evil-docker.io/nginx                  | evil-docker.io         | nginx                  | latest     | -
            docker.io.evil.example/nginx          | docker.io.evil.example | nginx                  | latest     | -
            # a first segment is a host with a dot, a port, an upper-case letter, or if it is localhost
            reg.example/app                       | reg.example            | app                    | latest     | -
            reg.example/app:v1                    | reg.example            | app                    | v1         | -
            reg.example/app@D                     | reg.example            | app                    | -          | D
            reg.example/app:v1@D                  | reg.example            | app                    | v1         | D
            reg.example/a/b/c                     | reg.example            | a/b/c                  | latest     | -
            reg.example/library/nginx             | reg.example            | library/nginx          | latest     | -
            reg.example:5000/app                  | reg.example:5000       | app                    | latest     | -
            reg.example:5000/app:5000             | reg.example:5000       | app                    | 5000       | -
            reg.example:5000/a/b:v1@D             | reg.example:5000       | a/b                    | v1         | D
            reg:5000/app                          | reg:5000               | app                    | latest     | -
            reg:1/app                             | reg:1                  | app                    | latest     | -
            reg:65535/app                         | reg:65535              | app                    | latest     | -
            reg:080/app                           | reg:080                | app                    | latest     | -
            localhost/app                         | localhost              | app                    | latest     | -
            localhost/a/b                         | localhost              | a/b                    | latest     | -
            localhost:5000/app                    | localhost:5000         | app                    | latest     | -
            localhost:5000/app:v1@D               | localhost:5000         | app                    | v1         | D
            Reg/app                               | Reg                    | app                    | latest     | -
            REG/app                               | REG                    | app                    | latest     | -
            myReg/a/b:v1                          | myReg                  | a/b                    | v1         | -
            LOCALHOST/app                         | LOCALHOST              | app                    | latest     | -
            Reg.Example/app                       | Reg.Example            | app                    | latest     | -
            a.b/c                                 | a.b                    | c                      | latest     | -
            a-b.c-d.example/x                     | a-b.c-d.example        | x                      | latest     | -
            a--b.example/x                        | a--b.example           | x                      | latest     | -
            xn--7o8h.example/x                    | xn--7o8h.example       | x                      | latest     | -
            1.2.3.4/app                           | 1.2.3.4                | app                    | latest     | -
            1.2.3.4:5000/app:v1                   | 1.2.3.4:5000           | app                    | v1         | -
            1.2/app                               | 1.2                    | app                    | latest     | -
            harbor.default.svc.cluster.local:8080/p/a | harbor.default.svc.cluster.local:8080 | p/a | latest     | -
            123456789012.dkr.ecr.eu-west-1.amazonaws.com/a/b:x | 123456789012.dkr.ecr.eu-west-1.amazonaws.com | a/b | x | -
            registry.gitlab.com/g/s/p/i:main-1a2b3c | registry.gitlab.com  | g/s/p/i                | main-1a2b3c | -
            # IPv6
            [::1]/app                             | [::1]                  | app                    | latest     | -
            [::1]:5000/app                        | [::1]:5000             | app                    | latest     | -
            [2001:db8::1]/a/b:v1                  | [2001:db8::1]          | a/b                    | v1         | -
            [2001:db8::1]:5000/a/b@D              | [2001:db8::1]:5000     | a/b                    | -          | D
            [2001:DB8:0:0:0:0:0:1]:443/app        | [2001:DB8:0:0:0:0:0:1]:443 | app                | latest     | -
            [fe80::]/app                          | [fe80::]               | app                    | latest     | -
            # the repository's characters
            reg.example/a.b                       | reg.example            | a.b                    | latest     | -
            reg.example/a_b                       | reg.example            | a_b                    | latest     | -
            reg.example/a__b                      | reg.example            | a__b                   | latest     | -
            reg.example/a-b                       | reg.example            | a-b                    | latest     | -
            reg.example/a---b                     | reg.example            | a---b                  | latest     | -
            reg.example/a.b_c__d-e--f             | reg.example            | a.b_c__d-e--f          | latest     | -
            reg.example/0/1/2                     | reg.example            | 0/1/2                  | latest     | -
            reg.example/a.b/c.d                   | reg.example            | a.b/c.d                | latest     | -
            team/app.name                         | docker.io              | team/app.name          | latest     | -
            # the tag's characters
            reg.example/app:1                     | reg.example            | app                    | 1          | -
            reg.example/app:V1.0-rc_1             | reg.example            | app                    | V1.0-rc_1  | -
            reg.example/app:_                     | reg.example            | app                    | _          | -
            reg.example/app:_x                    | reg.example            | app                    | _x         | -
            reg.example/app:a.                    | reg.example            | app                    | a.         | -
            reg.example/app:a-                    | reg.example            | app                    | a-         | -
            reg.example/app:a..b                  | reg.example            | app                    | a..b       | -
            reg.example/app:sha256-{0*64}         | reg.example            | app                    | sha256-{0*64} | -
            # lengths
            reg.example/app:{t*128}               | reg.example            | app                    | {t*128}    | -
            reg.example/{a*255}                   | reg.example            | {a*255}                | latest     | -
            reg.example/{a/*127}a                 | reg.example            | {a/*127}a              | latest     | -
            {a*247}                               | docker.io              | library/{a*247}        | latest     | -
            {a.*100}a/app                         | {a.*100}a              | app                    | latest     | -
            {a*63}.{b*63}/app                     | {a*63}.{b*63}          | app                    | latest     | -
            {a.*126}a/app                         | {a.*126}a              | app                    | latest     | -
            {a.*126}a:65535/app                   | {a.*126}a:65535        | app                    | latest     | -
            reg:00080/app                         | reg:00080              | app                    | latest     | -
            # ids are not names, but what is nearly one is
            {a*63}                                | docker.io              | library/{a*63}         | latest     | -
            {a*65}                                | docker.io              | library/{a*65}         | latest     | -
            {g*64}                                | docker.io              | library/{g*64}         | latest     | -
            reg.example/{a*64}                    | reg.example            | {a*64}                 | latest     | -
            {a*64}:v1                             | docker.io              | library/{a*64}         | v1         | -
            """)
    void aReferenceHasTheseParts(String text, String registry, String repository, String tag, String digest) {
        ImageReference reference = ImageReference.parse(expand(text));
        assertThat(reference.registry()).isEqualTo(expand(registry));
        assertThat(reference.repository()).isEqualTo(expand(repository));
        assertThat(reference.tag()).isEqualTo(Optional.ofNullable(tag).map(ImageReferenceTest::expand));
        assertThat(reference.digest())
                .isEqualTo(Optional.ofNullable(digest)
                        .map(d -> Digest.parse(expand("@" + d).substring(1))));
        assertThat(ImageReference.parse(reference.toString()))
                .isEqualTo(reference)
                .hasToString(reference.toString());
        assertThat(reference.toRepository()).isEqualTo(new Repository(reference.registry(), reference.repository()));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            ^^                                    | empty
            ^ ^                                   | lower-case letters
            ^ nginx^                              | lower-case letters
            ^nginx ^                              | lower-case letters
            ^ng inx^                              | lower-case letters
            # scheme
            https://reg.example/app               | no scheme
            http://reg.example/app                | no scheme
            docker://nginx                        | no scheme
            docker-pullable://reg.example/app@D   | no scheme
            oci://reg.example/app                 | no scheme
            # ids
            {a*64}                                | image ID
            0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef | image ID
            # upper case
            Nginx                                 | lower case
            NGINX:1                               | lower case
            team/App                              | lower case
            team/APP:v1                           | lower case
            reg.example/App                       | lower case
            reg.example/a/B/c                     | lower case
            Reg/App                               | lower case
            # hosts
            /nginx                                | host is empty
            /                                     | host is empty
            //nginx                               | host is empty
            .example/app                          | label
            reg..example/app                      | label
            reg.example./app                      | label
            -reg.example/app                      | label
            reg-.example/app                      | label
            reg.-example/app                      | label
            reg.example-/app                      | label
            ./app                                 | label
            ../app                                | label
            reg_1.example/app                     | host name may contain
            reg!.example/app                      | host name may contain
            *.example/app                         | host name may contain
            me@reg.example/app                    | host name may contain
            bücher.example/app                    | host name may contain
            {a.*126}ab/app                        | at most 253
            {a.*500000}a:5000/app                 | at most 253
            {a*64}.example/app                    | labels at most 63
            reg.{a*64}:5000/app                   | labels at most 63
            {A*64}/app                            | labels at most 63
            xn--0.example:5000/app                | Punycode
            xn--0.example/app                     | Punycode
            a.XN--99999999999:5000/app            | Punycode
            # ports
            reg:/app                              | a port
            reg.example:/app                      | a port
            reg.example:abc/app                   | a port
            reg.example:5000x/app                 | a port
            reg.example:-1/app                    | a port
            reg.example:0/app                     | a port
            reg.example:65536/app                 | a port
            reg.example:99999999999/app           | a port
            reg.example:{0*500000}80/app          | a port
            reg.example:000080/app                | a port
            reg.example:00000/app                 | a port
            reg.example:5000:5000/app             | a port
            :5000/app                             | host is empty
            nginx:1.25/app                        | a port
            # IPv6
            [::1/app                              | closing bracket
            ::1/app                               | host is empty
            [::1]x/app                            | only a port
            [::1]:/app                            | a port
            [::1]:x/app                           | a port
            [::g]/app                             | hexadecimal
            [fe80::1%eth0]/app                    | hexadecimal
            [::ffff:1.2.3.4]/app                  | hexadecimal
            [:::]/app                             | not an IPv6 address
            [1]:5000/app                          | not an IPv6 address
            []:5000/app                           | not an IPv6 address
            [00001::]:5000/app                    | not an IPv6 address
            [{0*500000}1::]/app                   | not an IPv6 address
            [{1:*500000}]/app                     | not an IPv6 address
            [1:2:3:4:5:6:7:8:9]/app               | not an IPv6 address
            [::1]                                 | lower-case letters
            # repositories
            reg.example/                          | repository is empty
            reg.example:5000/                     | repository is empty
            reg.example/:v1                       | repository is empty
            reg.example/@D                        | repository is empty
            reg.example//app                      | empty segment
            reg.example/a//b                      | empty segment
            reg.example/app/                      | must end with
            nginx/                                | must end with
            team/app/                             | must end with
            reg.example/.app                      | must start and end
            reg.example/_app                      | must start and end
            reg.example/-app                      | must start and end
            reg.example/app.                      | must end with
            reg.example/app_                      | must end with
            reg.example/app-                      | must end with
            reg.example/a..b                      | must start and end
            reg.example/a___b                     | must start and end
            reg.example/a.-b                      | must start and end
            reg.example/a-_b                      | must start and end
            reg.example/a-/b                      | empty segment
            reg.example/../etc/passwd             | must start and end
            reg.example/a/../b                    | must start and end
            reg.example/a/./b                     | must start and end
            reg.example/a%2fb                     | lower-case letters
            reg.example/a+b                       | lower-case letters
            reg.example/a?b                       | lower-case letters
            reg.example/a\\b                      | lower-case letters
            reg.example/bücher                    | lower-case letters
            reg.example/{a*256}                   | longer than 255
            reg.example/{a/*128}a                 | longer than 255
            {a*248}                               | longer than 255
            -nginx                                | must start and end
            _nginx                                | must start and end
            .nginx                                | must start and end
            # tags
            nginx:                                | tag is empty
            reg.example/app:                      | tag is empty
            reg.example/app:@D                    | tag is empty
            nginx:.x                              | a tag must start
            nginx:-x                              | a tag must start
            nginx:a b                             | a tag may contain
            nginx:a+b                             | a tag may contain
            nginx:a:b                             | a tag may contain
            nginx:täg                             | a tag may contain
            reg.example/app:v1/x                  | a tag may contain
            reg.example/app:{t*129}               | longer than 128
            # digests
            nginx@                                | no colon
            nginx@sha256                          | no colon
            nginx@sha256:                         | 64 lower-case
            nginx@sha256:abc                      | 64 lower-case
            nginx@sha256:{a*63}                   | 64 lower-case
            nginx@sha256:{a*65}                   | 64 lower-case
            nginx@sha256:{A*64}                   | 64 lower-case
            nginx@sha256:{g*64}                   | 64 lower-case
            nginx@sha512:{a*64}                   | 128 lower-case
            nginx@sha256:{a*128}                  | 64 lower-case
            nginx@SHA256:{a*64}                   | sha256 or sha512
            nginx@md5:{a*32}                      | sha256 or sha512
            nginx@:{a*64}                         | sha256 or sha512
            nginx@D@D                             | 64 lower-case
            nginx@D:v1                            | 64 lower-case
            nginx@v1                              | no colon
            @D                                    | repository is empty
            """)
    void anInvalidReferenceIsRejectedWithAReason(String text, String reason) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImageReference.parse(expand(text)))
                .withMessageStartingWith("not an image reference: \"")
                .withMessageContaining(reason);
    }

    @Test
    void aReasonRepeatsTheTextWithoutLineBreaksAndShortened() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImageReference.parse("evil\nline\u001b[0m" + "x".repeat(10_000)))
                .matches(e -> e.getMessage().length() < 500)
                .matches(e -> e.getMessage().chars().noneMatch(c -> c < ' '))
                .withMessageContaining("evil?line?[0m");
    }

    @ParameterizedTest
    @CsvSource({
        "nginx, docker.io/library/nginx:latest",
        "nginx@D, docker.io/library/nginx@D",
        "index.docker.io/team/app:v1, docker.io/team/app:v1",
        "reg.example:5000/a/b:t@D, reg.example:5000/a/b:t@D",
        "[::1]:5000/a, [::1]:5000/a:latest"
    })
    void theTextIsCanonical(String text, String canonical) {
        assertThat(ImageReference.parse(expand(text))).hasToString(expand(canonical));
    }

    @Test
    void aDigestOverridesTheTagWhenContentIsRequested() {
        assertThat(ImageReference.parse("nginx").tagOrDigest()).isEqualTo("latest");
        assertThat(ImageReference.parse("nginx:1@" + DIGEST).tagOrDigest()).isEqualTo(DIGEST.toString());
    }

    @Test
    void aReferenceIsPinnedAndUnpinned() {
        ImageReference tagged = ImageReference.parse("reg.example/app:v1");
        ImageReference pinned = tagged.withDigest(DIGEST);
        assertThat(pinned).hasToString("reg.example/app:v1@" + DIGEST);
        assertThat(pinned.withoutDigest()).contains(tagged);
        assertThat(pinned.withTag("v2")).hasToString("reg.example/app:v2");
        assertThat(ImageReference.parse("nginx@" + DIGEST).withoutDigest()).isEmpty();
    }

    @Test
    void aReferenceFromPartsIsNormalisedAndValidated() {
        assertThat(new ImageReference("index.docker.io", "nginx", Optional.of("1"), Optional.empty()))
                .isEqualTo(ImageReference.parse("nginx:1"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageReference("reg.example", "app", Optional.empty(), Optional.empty()))
                .withMessageContaining("neither a tag nor a digest");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageReference("reg", "app", Optional.of("x"), Optional.empty()))
                .withMessageContaining("a registry's host contains a dot");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageReference("reg.example", "app", Optional.of("x/y"), Optional.empty()))
                .withMessageContaining("reg.example/app")
                .withMessageContaining("a tag may contain");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "docker.io",
                "index.docker.io",
                "registry-1.docker.io",
                "registry.hub.docker.com",
                "hub.docker.com",
                "DOCKER.IO",
                "Registry-1.Docker.IO"
            })
    void dockerHubHasOneCanonicalNameAndOneHost(String name) {
        assertThat(Repository.canonicalRegistry(name)).isEqualTo("docker.io");
        assertThat(Repository.apiHost(name)).isEqualTo("registry-1.docker.io");
        assertThat(new Repository(name, "nginx")).isEqualTo(Repository.parse("nginx"));
    }

    @Test
    void theApiOfDockerHubIsOnAnotherHost() {
        assertThat(Repository.parse("nginx").apiHost()).isEqualTo("registry-1.docker.io");
        assertThat(Repository.canonicalRegistry("REG.example:5000")).isEqualTo("REG.example:5000");
        assertThat(Repository.parse("reg.example:5000/app").apiHost()).isEqualTo("reg.example:5000");
    }

    @Test
    void aRepositoryIsReadWithoutTagAndDigest() {
        assertThat(Repository.parse("nginx")).hasToString("docker.io/library/nginx");
        assertThat(Repository.parse("reg.example:5000/a/b")).isEqualTo(new Repository("reg.example:5000", "a/b"));
        assertThat(Repository.parse("nginx").tag("1")).isEqualTo(ImageReference.parse("nginx:1"));
        assertThat(Repository.parse("nginx").digest(DIGEST)).isEqualTo(ImageReference.parse("nginx@" + DIGEST));
        for (String text : new String[] {"nginx:1", "nginx:latest", "nginx@" + DIGEST, "reg:5000/a:b", "", "A"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> Repository.parse(text));
        }
    }

    static String expand(String text) {
        String expanded = text.replace("@D", "@" + DIGEST).replace("@E", "@sha512:" + HEX + HEX);
        return REPEAT.matcher(expanded)
                .replaceAll(match -> Matcher.quoteReplacement(match.group(1).repeat(Integer.parseInt(match.group(2)))));
    }
}
