package io.urunner.registry.dockerconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.testing.FakeDockerHub;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.TestNetwork;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeychainTest {
    @TempDir
    Path directory;

    private final Map<String, String> environment = new HashMap<>();

    private Keychain docker() {
        environment.putIfAbsent("XDG_RUNTIME_DIR", directory.resolve("run").toString());
        return Keychain.docker(environment, InstantSource.system(), task -> {
            throw new AssertionError("no helper is asked");
        });
    }

    private static String config(String user) {
        return "{\"auths\":{\"reg.example\":{\"username\":\"" + user + "\",\"password\":\"p\"},\"" + user
                + ".example\":{\"username\":\"" + user + "\",\"password\":\"own\"}}}";
    }

    private void write(String file, String content) throws IOException {
        Path path = directory.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, content);
    }

    private static List<String> users(CredentialProvider keychain, String registry) throws CredentialException {
        return keychain.credentials(registry, "app").stream()
                .map(PullSecretsTest::text)
                .toList();
    }

    @Test
    void theFilesOfPodmanAndDockerAreSearchedInOrder() throws Exception {
        environment.put("HOME", directory.resolve("home").toString());
        environment.put("XDG_RUNTIME_DIR", directory.resolve("run").toString());
        Keychain keychain = docker();
        assertThat(users(keychain, "reg.example")).isEmpty();

        write("home/.dockercfg", "{\"reg.example\":{\"username\":\"old\",\"password\":\"p\"}}");
        assertThat(users(keychain, "reg.example")).containsExactly("old:p");
        write("home/.docker/config.json", config("docker"));
        assertThat(users(keychain, "reg.example")).containsExactly("docker:p");
        write("home/.config/containers/auth.json", config("podman"));
        assertThat(users(keychain, "reg.example")).containsExactly("podman:p");
        write("run/containers/auth.json", config("run"));
        assertThat(users(keychain, "reg.example")).containsExactly("run:p");

        assertThat(users(keychain, "docker.example")).containsExactly("docker:own");
        assertThat(users(keychain, "podman.example")).containsExactly("podman:own");
        assertThat(keychain.describe("docker.example", "app"))
                .isEqualTo("Docker configuration " + directory.resolve("home/.docker/config.json"));
    }

    @Test
    void theVariableWithJsonComesFirstAndOtherRegistriesAreLookedForInTheFiles() throws Exception {
        environment.put("HOME", directory.resolve("home").toString());
        environment.put("DOCKER_AUTH_CONFIG", config("variable"));
        write("home/.docker/config.json", config("docker"));
        Keychain keychain = docker();
        assertThat(users(keychain, "reg.example")).containsExactly("variable:p");
        assertThat(users(keychain, "docker.example")).containsExactly("docker:own");
        assertThat(keychain.describe("reg.example", "app")).isEqualTo("Docker configuration in DOCKER_AUTH_CONFIG");
        assertThat(keychain.toString()).doesNotContain("variable:", "own");
    }

    @Test
    void aVariableThatIsNotJsonIsAnErrorThatNamesItButNotItsContent() {
        environment.put("DOCKER_AUTH_CONFIG", "{\"auths\": hunter2}");
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() -> users(docker(), "reg.example"))
                .withMessageContaining("DOCKER_AUTH_CONFIG cannot be read: not JSON at line 1")
                .matches(e -> !e.getMessage().contains("hunter2"));
    }

    /** Variables, and the files that are searched; HOME is /h. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
                    HOME=/h                                   | /h/.config/containers/auth.json /h/.docker/config.json /h/.dockercfg
                    HOME=/h DOCKER_CONFIG=/d                  | /h/.config/containers/auth.json /d/config.json /h/.dockercfg
                    HOME=/h XDG_CONFIG_HOME=/x                | /x/containers/auth.json /h/.docker/config.json /h/.dockercfg
                    HOME=/h XDG_RUNTIME_DIR=/r                | /r/containers/auth.json /h/.config/containers/auth.json /h/.docker/config.json /h/.dockercfg
                    HOME=/h REGISTRY_AUTH_FILE=/a DOCKER_CONFIG=/d | /a
                    HOME=/h REGISTRY_AUTH_FILE= DOCKER_CONFIG= | /h/.config/containers/auth.json /h/.docker/config.json /h/.dockercfg
                    USERPROFILE=/u                            | /u/.config/containers/auth.json /u/.docker/config.json /u/.dockercfg
                    DOCKER_CONFIG=/d                          | /d/config.json
                    OTHER=/o                                  | ^^
                    """)
    void theEnvironmentSaysWhichFilesThereAre(String variables, String files) {
        for (String variable : variables.split(" ")) {
            environment.put(variable.split("=", 2)[0], variable.split("=", 2)[1]);
        }
        Path none = directory.resolve("none");
        assertThat(Keychain.files(environment, none, none).stream()
                        .map(Path::toString)
                        .toList())
                .isEqualTo(files.isEmpty() ? List.of() : List.of(files.split(" ")));
    }

    @Test
    void withoutAVariableTheFolderOfTheUserIsSearchedFirst() throws Exception {
        Assumptions.assumeTrue(
                directory.getFileSystem().supportedFileAttributeViews().contains("unix"), "no numbers");
        Path own = directory.resolve("users/" + Files.getAttribute(directory, "unix:uid") + "/auth.json");
        environment.put("HOME", "/h");
        Path users = directory.resolve("users");
        assertThat(Keychain.files(environment, directory, users)).hasSize(4).startsWith(own);

        environment.put("XDG_RUNTIME_DIR", "/r");
        assertThat(Keychain.files(environment, directory, users))
                .hasSize(4)
                .startsWith(Path.of("/r/containers/auth.json"));
        environment.put("REGISTRY_AUTH_FILE", "/a");
        assertThat(Keychain.files(environment, directory, users)).containsExactly(Path.of("/a"));
    }

    @Test
    void theUserIsNotLookedForUntilACredentialIs() throws Exception {
        Assumptions.assumeTrue(
                directory.getFileSystem().supportedFileAttributeViews().contains("unix"), "no numbers");
        Path process = directory.resolve("process");
        CredentialHelpers helpers = new CredentialHelpers(List.of(), Duration.ofSeconds(1), task -> {
            throw new AssertionError("no helper is asked");
        });
        Keychain keychain =
                Keychain.docker(environment, InstantSource.system(), helpers, process, directory.resolve("users"));

        Files.createFile(process);
        write("users/" + Files.getAttribute(process, "unix:uid") + "/auth.json", config("own"));

        assertThat(users(keychain, "reg.example")).containsExactly("own:p");
    }

    /** As the kernel says it, where there is one that does. */
    @Test
    void theUserIsThatOfTheProcess() throws Exception {
        Path status = Path.of("/proc/self/status");
        Assumptions.assumeTrue(Files.exists(status), "this is not Linux");
        String user = Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("Uid:"))
                .findFirst()
                .orElseThrow()
                .split("\\s+")[2];
        assertThat(Keychain.files(Map.of(), Keychain.PROCESS, Keychain.USERS))
                .containsExactly(Path.of("/run/containers", user, "auth.json"));
    }

    @Test
    void pullSecretsAreAKeychain() throws Exception {
        PullSecret secret = PullSecret.parse(
                "regcred",
                "kubernetes.io/dockerconfigjson",
                Map.of(".dockerconfigjson", config("pod").getBytes(StandardCharsets.UTF_8)));
        assertThat(users(Keychain.kubernetes(List.of(secret)), "reg.example")).containsExactly("pod:p");
        assertThat(Keychain.kubernetes(List.of(secret)).describe("reg.example", "app"))
                .isEqualTo("pull secrets regcred");
    }

    @Test
    void theFirstProviderWithACredentialCounts() throws Exception {
        Fixed none = new Fixed("none", List.of());
        Fixed anonymous = new Fixed("anonymous", List.of(new Credential.Anonymous()));
        Fixed one = new Fixed("one", List.of(new Credential.Basic("one", Secret.of("p"))));
        Fixed two = new Fixed("two", List.of(new Credential.Basic("two", Secret.of("p"))));
        Keychain keychain = Keychain.chain(none, anonymous, one, two);
        assertThat(users(keychain, "reg.example")).containsExactly("one:p");
        assertThat(keychain.describe("reg.example", "app")).isEqualTo("one");
        assertThat(users(Keychain.chain(none, anonymous), "reg.example")).isEmpty();
        assertThat(Keychain.chain(none, anonymous).describe("reg.example", "app"))
                .isEqualTo("no credentials (none, anonymous)");
        assertThat(Keychain.chain().describe("reg.example", "app")).isEqualTo("no credentials");
    }

    @Test
    void aProviderThatFailsEndsTheSearch() {
        Fixed one = new Fixed("one", List.of(new Credential.Basic("one", Secret.of("p"))));
        Fixed failing = new Fixed("failing", List.of()) {
            @Override
            public List<Credential> credentials(String registry, String repository) throws CredentialException {
                throw new CredentialException("the issuer is down", true);
            }
        };
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() -> users(Keychain.chain(failing, one), "reg.example"))
                .withMessage("the issuer is down");
        assertThat(Keychain.chain(failing, one).describe("reg.example", "app")).isEqualTo("failing");
    }

    @Test
    void refusalsReachAllProvidersHintsComeFromTheFirstAndAllAreClosed() {
        List<String> calls = new ArrayList<>();
        Fixed one = new Fixed("one", List.of()) {
            @Override
            public void refused(String registry, Credential refused) {
                calls.add("refused one");
            }

            @Override
            public void close() {
                calls.add("close one");
                throw new IllegalStateException("one");
            }
        };
        Fixed two = new Fixed("two", List.of()) {
            @Override
            public AuthHints hints(String registry) {
                return AuthHints.sendBasicDirectly();
            }

            @Override
            public void refused(String registry, Credential refused) {
                calls.add("refused two");
            }

            @Override
            public void close() {
                calls.add("close two");
            }
        };
        Keychain keychain = Keychain.chain(one, two);
        assertThat(keychain.hints("reg.example")).isEqualTo(AuthHints.sendBasicDirectly());
        keychain.refused("reg.example", new Credential.Anonymous());
        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(keychain::close);
        assertThat(calls).containsExactly("refused one", "refused two", "close one", "close two");
    }

    @Test
    void aClientShowsWhatIsInTheEnvironment() throws Exception {
        environment.put(
                "DOCKER_AUTH_CONFIG",
                "{\"auths\":{\"https://index.docker.io/v1/\":{\"username\":\"me\",\"password\":\"secret\"}}}");
        try (TestNetwork network = new TestNetwork()) {
            FakeDockerHub hub = new FakeDockerHub(network);
            hub.account("me", "secret", "team/app");
            String digest = hub.push("team/app", "latest", TestImage.image("one"));
            try (RegistryClient client = RegistryClient.builder()
                    .credentials(docker())
                    .httpClient(network.client())
                    .clock(network.clock())
                    .build()) {
                assertThat(client.resolve(ImageReference.parse("registry.hub.docker.com/team/app"))
                                .digest())
                        .hasToString(digest);
            }
        }
    }

    private static class Fixed implements CredentialProvider {
        private final String name;
        private final List<Credential> credentials;

        Fixed(String name, List<Credential> credentials) {
            this.name = name;
            this.credentials = credentials;
        }

        @Override
        public List<Credential> credentials(String registry, String repository) throws CredentialException {
            return credentials;
        }

        @Override
        public String describe(String registry, String repository) {
            return name;
        }
    }
}
