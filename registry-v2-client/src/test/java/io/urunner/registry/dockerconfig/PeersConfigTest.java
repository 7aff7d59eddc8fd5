package io.urunner.registry.dockerconfig;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Inputs and expected results that other projects publish in their tests. Where we decide otherwise, a line says so and
 * why.
 */
class PeersConfigTest {
    @TempDir
    Path directory;

    /** kubernetes, pkg/credentialprovider/keyring_test.go: the match of a key with an image. */
    @ParameterizedTest(name = "{0} for {1}: {2}")
    @CsvSource(delimiter = '|', textBlock = """
                    # TestURLsMatch
                    *.kubernetes.io                  | prefix.kubernetes.io              | yes
                    prefix.*.io                      | prefix.kubernetes.io              | yes
                    prefix.kubernetes.*              | prefix.kubernetes.io              | yes
                    *-good.kubernetes.io             | prefix-good.kubernetes.io         | yes
                    *.kubernetes.io/blah             | prefix.kubernetes.io/blah         | yes
                    prefix.*.io/foo                  | prefix.kubernetes.io/foo/bar      | yes
                    *.kubernetes.io:1111/blah        | prefix.kubernetes.io:1111/blah    | yes
                    prefix.*.io:1111/foo             | prefix.kubernetes.io:1111/foo/bar | yes
                    *.kubernetes.io                  | kubernetes.io                     | no
                    *.*.kubernetes.io                | prefix.kubernetes.io              | no
                    *.*.kubernetes.io                | kubernetes.io                     | no
                    kubernetes.io                    | kubernetes.com                    | no
                    k*.io                            | quay.io                           | no
                    *.kubernetes.io:1234/blah        | prefix.kubernetes.io:1111/blah    | no
                    prefix.*.io/foo                  | prefix.kubernetes.io:1111/foo/bar | no
                    # TestDockerKeyringForGlob
                    https://hello.kubernetes.io      | hello.kubernetes.io               | yes
                    https://*.docker.io              | prefix.docker.io                  | yes
                    https://prefix.*.io              | prefix.docker.io                  | yes
                    https://prefix.docker.*          | prefix.docker.io                  | yes
                    https://*.docker.io/path         | prefix.docker.io/path             | yes
                    https://prefix.*.io/path         | prefix.docker.io/path/subpath     | yes
                    https://prefix.docker.*/path     | prefix.docker.io/path             | yes
                    https://*.docker.io:8888         | prefix.docker.io:8888             | yes
                    https://prefix.*.io:8888         | prefix.docker.io:8888             | yes
                    https://prefix.docker.*:8888     | prefix.docker.io:8888             | yes
                    https://*.docker.io/path:1111    | prefix.docker.io/path:1111        | yes
                    https://*.docker.io/v1/          | prefix.docker.io/path:1111        | yes
                    https://*.docker.io/v2/          | prefix.docker.io/path:1111        | yes
                    https://prefix.docker.*/path:1111 | prefix.docker.io/path:1111       | yes
                    prefix.docker.io:1111            | prefix.docker.io:1111/path        | yes
                    *.docker.io:1111                 | prefix.docker.io:1111/path        | yes
                    # TestKeyringMiss
                    https://hello.kubernetes.io      | world.mesos.org/foo/bar           | no
                    https://*.docker.com             | prefix.docker.io                  | no
                    https://suffix.*.io              | prefix.docker.io                  | no
                    https://prefix.docker.c*         | prefix.docker.io                  | no
                    https://prefix.*.io/path:1111    | prefix.docker.io/path/subpath:1111 | no
                    suffix.*.io                      | prefix.docker.io                  | no
                    # TestKeyringMissWithDockerHubCredentials, TestKeyringHitWith…, TestIsDefaultRegistryMatch
                    https://index.docker.io          | world.mesos.org/foo/bar           | no
                    https://index.docker.io          | docker.io/google/docker-registry  | yes
                    https://index.docker.io          | docker.io/library/jenkins         | yes
                    https://index.docker.io          | index.docker.io/google/registry   | yes
                    https://index.docker.io          | registry.tld/foo/bar              | no
                    https://index.docker.io          | registry:5000/foo/bar             | no
                    https://index.docker.io          | myhostdocker.io/foo/bar           | no
                    """)
    void kubelet(String key, String image, String matches) {
        String full = image + "/foo/bar";
        int slash = full.indexOf('/');
        List<Credential> found = pullSecret("{\"" + key + "\":{\"auth\":\"Zm9vOmJhcg==\"}}")
                .credentials(full.substring(0, slash), full.substring(slash + 1));
        assertThat(found)
                .isEqualTo(matches.equals("yes") ? List.of(new Credential.Basic("foo", Secret.of("bar"))) : List.of());
    }

    /** kubernetes, pkg/credentialprovider/config_test.go: the fields of an entry. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
                    # TestDockerConfigEntryJSONDecode
                    {"username": "foo", "password": "bar", "email": "foo@example.com"}                         | foo:bar
                    {"auth": "Zm9vOmJhcg==", "email": "foo@example.com"}                                       | foo:bar
                    {"username": "foo", "password": "bar", "auth": "cGluZzpwb25n", "email": "foo@example.com"} | ping:pong
                    {"auth": "pants", "email": "foo@example.com"}                                              | fails
                    # There it fails; the e-mail address is of no use to anybody, so its type is not, either.
                    {"email": false}                                                                           | anonymous
                    # TestDecodeDockerConfigFieldAuth
                    {"auth": "Zm9vOmJhcg"}                                                                     | foo:bar
                    {"auth": "Zm9vOm\\nJhcg==\\n"}                                                             | foo:bar
                    {"auth": "cGFudHM="}                                                                       | fails
                    {"auth": "Zm9vOmJhcg== "}                                                                  | fails
                    # TestReadDockerConfigFile: the password ends with a line break
                    {"auth": "Zm9vOmJhcgo="}                                                                   | ^foo:bar\n^
                    """)
    void kubeletsFields(String entry, String expected) {
        PullSecrets secrets = pullSecret("{\"reg.example\":" + entry + "}");
        assertThat(secrets.credentials("reg.example", "app").stream()
                        .map(PullSecretsTest::text)
                        .toList())
                .isEqualTo(expected.equals("fails") ? List.of() : List.of(expected));
        assertThat(secrets.problems()).hasSize(expected.equals("fails") ? 1 : 0);
    }

    /** docker/cli, cli/config/credentials/file_store_test.go, TestConvertToHostname: a key, and the host that it is for. */
    @ParameterizedTest(name = "{0} is {1}")
    @CsvSource({
        "127.0.0.1, 127.0.0.1",
        "[::1], [::1]",
        "example.com, example.com",
        "http://example.com, example.com",
        "https://example.com, example.com",
        "https://example.com/, example.com",
        "https://example.com/v2/, example.com",
        "ftp://example.com, example.com",
        "127.0.0.1:6556, 127.0.0.1:6556",
        "[::1]:6556, [::1]:6556",
        "example.com:6555, example.com:6555",
        "https://127.0.0.1:6555/v2/, 127.0.0.1:6555",
        "https://[::1]:6555/v2/, [::1]:6555",
        "http://example.com:6555, example.com:6555",
        "https://example.com:6555, example.com:6555",
        "https://example.com:6555/v2/, example.com:6555",
        // Not: ::1, ::1:6556 and https://::1:6555/v2/. No reference can name an IPv6 address without brackets.
    })
    void docker(String key, String host) throws Exception {
        assertThat(read("{\"auths\":{\"" + key + "\":{\"auth\":\"dTpw\"}}}", host, "app"))
                .containsExactly("u:p");
        assertThat(read("{\"auths\":{\"" + key + "\":{\"auth\":\"dTpw\"}}}", "other." + host, "app"))
                .isEmpty();
    }

    /**
     * GoogleContainerTools/jib, DockerConfigTest: exact names before URLs, and these before URLs with a path. The names
     * there have no dot, which no reference can name.
     */
    @ParameterizedTest(name = "{0} for {1}")
    @CsvSource(delimiter = '|', textBlock = """
                    my.registry https://my.registry https://my.registry/any      | my.registry   | my.registry
                    https://cool.registry https://cool.registry/any              | cool.registry | https://cool.registry
                    https://dull.registry/any                                    | dull.registry | https://dull.registry/any
                    example.com                                                  | example       | -
                    # There it matches; here a path without a scheme names a part of the registry, as for Podman.
                    awesome.registry/any                                         | awesome.registry | -
                    """)
    void jib(String keys, String registry, String best) throws Exception {
        assertThat(read(entries(keys.split(" ")), registry, "app"))
                .isEqualTo(best.equals("-") ? List.of() : List.of("u:" + best));
    }

    /** The same, for helpers. */
    @ParameterizedTest
    @CsvSource({
        "just.registry.in.helpers, just.registry.in.helpers, yes",
        "https://with.protocol.in.helpers, with.protocol.in.helpers, yes",
        "with.suffix.in.helpers/v2/, with.suffix.in.helpers, yes",
        "https://with.protocol.and.suffix.in.helpers/suffix, with.protocol.and.suffix.in.helpers, yes",
        "another.example.com.in.helpers, another.example, no",
    })
    void jibsHelpers(String key, String registry, String matches) {
        assertThat(DockerConfigKey.best(Map.of(key, "helper"), registry, "app").isPresent())
                .isEqualTo(matches.equals("yes"));
    }

    /**
     * containers/image, pkg/docker/config/config_test.go, TestGetAuth: which key counts. The keys are those of its files
     * {@code refpath.json}, {@code full.json} and {@code abnormal.json}, as far as the cases need them.
     */
    @ParameterizedTest(name = "{1} of {0}")
    @CsvSource(delimiter = '|', textBlock = """
                    example.org localhost                                             | registry.example.org app     | -
                    example.org/repo example.org                                      | example.org repo/image       | example.org/repo
                    example.org/repo example.org                                      | example.org repo             | example.org/repo
                    example.org/repo example.org                                      | example.org image            | example.org
                    docker.io docker.io/library docker.io/library/busybox docker.io/vendor | docker.io library/busybox    | docker.io/library/busybox
                    docker.io docker.io/library docker.io/library/busybox docker.io/vendor | docker.io library/notbusybox | docker.io/library
                    docker.io docker.io/library docker.io/library/busybox docker.io/vendor | docker.io vendor/product     | docker.io/vendor
                    docker.io docker.io/library docker.io/library/busybox docker.io/vendor | docker.io vendor             | docker.io/vendor
                    docker.io docker.io/library docker.io/library/busybox docker.io/vendor | docker.io other-vendor/other | docker.io
                    https://index.docker.io/v1 localhost                              | docker.io library/app        | https://index.docker.io/v1
                    https://normalize.example.org/v1 example.org                      | normalize.example.org app    | https://normalize.example.org/v1
                    http://localhost:5000/v1 localhost                                | localhost:5000 app           | http://localhost:5000/v1
                    10.10.30.45:5000 localhost                                        | 10.10.30.45:5000 app         | 10.10.30.45:5000
                    """)
    void containersImage(String keys, String repository, String best) throws Exception {
        String[] parts = repository.split(" ");
        assertThat(read(entries(keys.split(" ")), parts[0], parts[1]))
                .isEqualTo(best.equals("-") ? List.of() : List.of("u:" + best));
    }

    /** google/go-containerregistry, pkg/authn/keychain_test.go, TestVariousPaths. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
                    test.io                                    | test.io my-repo       | test.io
                    https://index.docker.io/v1/                | docker.io library/app | https://index.docker.io/v1/
                    http://test.io/v1/                         | test.io my-repo       | http://test.io/v1/
                    http://test.io/v2/                         | test.io my-repo       | http://test.io/v2/
                    test.io/my-repo test.io/another-repo test.io | test.io my-repo     | test.io/my-repo
                    test.io/another-repo                       | test.io my-repo       | -
                    """)
    void goContainerregistry(String keys, String repository, String best) throws Exception {
        containersImage(keys, repository, best);
    }

    /** The same, TestConfigFileIsADir: an optional Secret of Kubernetes that does not exist is mounted as a folder. */
    @Test
    void goContainerregistryIgnoresAFolder() throws Exception {
        Files.createDirectory(directory.resolve("config.json"));
        assertThat(config().credentials("test.io", "my-repo")).isEmpty();
    }

    private static String entries(String... keys) {
        return Stream.of(keys)
                .map(key -> "\"" + key + "\":{\"username\":\"u\",\"password\":\"" + key + "\"}")
                .collect(Collectors.joining(",", "{\"auths\":{", "}}"));
    }

    private List<String> read(String json, String registry, String repository) throws Exception {
        Files.writeString(directory.resolve("config.json"), json);
        List<String> texts = new ArrayList<>();
        for (Credential credential : config().credentials(registry, repository)) {
            texts.add(PullSecretsTest.text(credential));
        }
        return texts;
    }

    private DockerConfigFile config() {
        var helpers = new CredentialHelpers(List.of(), Duration.ofSeconds(1), Runnable::run);
        return new DockerConfigFile(directory.resolve("config.json"), helpers, InstantSource.system());
    }

    private static PullSecrets pullSecret(String auths) {
        return PullSecrets.of(List.of(PullSecret.parse(
                "s", "kubernetes.io/dockercfg", Map.of(".dockercfg", auths.getBytes(StandardCharsets.UTF_8)))));
    }
}
