package io.urunner.registry.dockerconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.ImageReference;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DockerConfigFileTest {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    @AutoClose("shutdownNow")
    private final ExecutorService readers = Executors.newCachedThreadPool();

    private Instant now = Instant.parse("2030-01-01T00:00:00Z");
    private Path file;
    private Path programs;

    @BeforeEach
    void prepare() throws IOException {
        file = directory.resolve("config.json");
        programs = Files.createDirectory(directory.resolve("bin"));
    }

    private DockerConfigFile config() {
        return config(DEADLINE);
    }

    private DockerConfigFile config(Duration deadline) {
        return new DockerConfigFile(file, new CredentialHelpers(List.of(programs), deadline, readers), () -> now);
    }

    /** A key of {@code auths}, an image, and whether the entry is used for it. */
    @ParameterizedTest(name = "{0} for {1}: {2}")
    @CsvSource(delimiter = '|', textBlock = """
                    reg.example                     | reg.example/app             | yes
                    reg.example                     | reg.example/team/app        | yes
                    reg.example                     | REG.Example/app             | yes
                    https://REG.example/v2/         | reg.example/app             | yes
                    Reg.Example:5000/team           | reg.EXAMPLE:5000/team/app   | yes
                    https://Index.Docker.IO/v1/     | nginx                       | yes
                    reg.example                     | reg.example:5000/app        | no
                    reg.example:5000                | reg.example:5000/app        | yes
                    reg.example:5000                | reg.example/app             | no
                    reg.example                     | evilreg.example/app         | no
                    https://reg.example             | reg.example/app             | yes
                    http://reg.example              | reg.example/app             | yes
                    https://reg.example/            | reg.example/app             | yes
                    https://reg.example/v1/         | reg.example/app             | yes
                    https://reg.example/v2/         | reg.example/app             | yes
                    https://reg.example/v2          | reg.example/app             | yes
                    reg.example/team                | reg.example/team/app        | yes
                    reg.example/team                | reg.example/team            | yes
                    reg.example/team                | reg.example/teams/app       | no
                    reg.example/team                | reg.example/app             | no
                    reg.example/team/app            | reg.example/team/app        | yes
                    *.example                       | reg.example/app             | no
                    localhost:5000                  | localhost:5000/app          | yes
                    https://index.docker.io/v1/     | nginx                       | yes
                    https://index.docker.io/v1/     | team/app                    | yes
                    index.docker.io                 | nginx                       | yes
                    docker.io                       | nginx                       | yes
                    https://registry-1.docker.io    | nginx                       | yes
                    docker.io/team                  | team/app                    | yes
                    docker.io/team                  | nginx                       | no
                    docker.io/library               | nginx                       | yes
                    https://index.docker.io/v1/     | reg.example/nginx           | no
                    """)
    void aKeyIsUsedForAnImage(String key, String image, String used) throws Exception {
        Files.writeString(file, "{\"auths\":{\"" + key + "\":{\"auth\":\"dTpw\"}}}");
        assertThat(read(config(), image)).isEqualTo(used.equals("yes") ? List.of("u:p") : List.of());
    }

    @ParameterizedTest(name = "{0} is {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
                    {"auth":"`u:p`"}                                | u:p
                    {"auth":"~user:pass~"}                          | user:pass
                    {"username":"u","password":"p"}                 | u:p
                    {"username":"x","password":"y","auth":"`u:p`"}  | u:p
                    {"auth":"`u:`","identitytoken":"t"}             | identity t
                    {"identitytoken":"t","auth":"`u:p`"}            | identity t
                    {"registrytoken":"t"}                           | registry t
                    {"identitytoken":"","auth":"`u:p`"}             | u:p
                    {}                                              | none
                    {"email":"e"}                                   | none
                    {"auth":"`u`"}                                  | error
                    {"auth":"?"}                                    | error
                    {"auth":{}}                                     | error
                    []                                              | error
                    """)
    void anEntryIsReadAsDockerReadsIt(String entry, String expected) throws Exception {
        Files.writeString(file, "{\"auths\":{\"reg.example\":" + PullSecretsTest.encode(entry) + "}}");
        if (expected.equals("error")) {
            assertThatExceptionOfType(CredentialException.class)
                    .isThrownBy(() -> read(config(), "reg.example/app"))
                    .withMessageContainingAll("reg.example", file.toString())
                    .matches(e -> !e.isTransient());
        } else {
            assertThat(read(config(), "reg.example/app"))
                    .isEqualTo(expected.equals("none") ? List.of() : List.of(expected));
        }
    }

    @Test
    void theLongestKeyCountsRegardlessOfItsPosition() throws Exception {
        Files.writeString(file, """
                {"auths": {"reg.example": {"username": "all", "password": "p"},
                           "reg.example/team/app": {"username": "app", "password": "p"},
                           "reg.example/team": {"username": "team", "password": "p"}}}""");
        assertThat(read(config(), "reg.example/team/app/part")).containsExactly("app:p");
        assertThat(read(config(), "reg.example/team/other")).containsExactly("team:p");
        assertThat(read(config(), "reg.example/other")).containsExactly("all:p");
    }

    @Test
    void theNameThatDockerWritesForDockerHubCounts() throws Exception {
        Files.writeString(file, """
                {"auths": {"docker.io": {"username": "a", "password": "p"},
                           "https://index.docker.io/v1/": {"username": "b", "password": "p"},
                           "index.docker.io": {"username": "c", "password": "p"}}}""");
        assertThat(read(config(), "nginx")).containsExactly("b:p");
    }

    @Test
    void aMissingFileCountsAsEmptyAndIsReadWhenItAppears() throws Exception {
        DockerConfigFile config = config();
        assertThat(read(config, "reg.example/app")).isEmpty();
        Files.writeString(file, "{\"auths\":{\"reg.example\":{\"username\":\"u\",\"password\":\"p\"}}}");
        assertThat(read(config, "reg.example/app")).containsExactly("u:p");
        Files.delete(file);
        assertThat(read(config, "reg.example/app")).isEmpty();
    }

    @Test
    void aChangedFileIsReadAgain() throws Exception {
        Files.writeString(file, "{\"auths\":{\"reg.example\":{\"username\":\"u\",\"password\":\"old\"}}}");
        DockerConfigFile config = config();
        assertThat(read(config, "reg.example/app")).containsExactly("u:old");
        Path next = directory.resolve("next.json");
        Files.writeString(next, "{\"auths\":{\"reg.example\":{\"username\":\"u\",\"password\":\"new\"}}}");
        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(read(config, "reg.example/app")).containsExactly("u:new");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
                    {"auths": hunter2}          | not JSON at line 1
                    hunter2                     | not JSON at line 1
                    {"auths":{}} hunter2        | not JSON at line 1
                    ["hunter2"]                 | not a JSON object
                    {"auths":"hunter2"}         | its auths is not a JSON object
                    {"credHelpers":["hunter2"]} | its credHelpers is not a JSON object
                    """)
    void anUnreadableFileIsAnErrorWithThePlaceButNotTheContent(String content, String reason) throws Exception {
        Files.writeString(file, content);
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() -> read(config(), "reg.example/app"))
                .withMessageContainingAll(file.toString(), reason)
                .matches(e -> !e.getMessage().contains("hunter2"))
                .matches(e -> e.getCause() == null);
    }

    @ParameterizedTest(name = "DOCKER_CONFIG {0}: {1}")
    @CsvSource(delimiter = '|', nullValues = "-", quoteCharacter = '^', textBlock = """
                    -          | /home/u/.docker/config.json
                    ^^         | /home/u/.docker/config.json
                    /etc/creds | /etc/creds/config.json
                    """)
    void theFileIsWhereDockerKeepsIt(String variable, String expected) {
        Map<String, String> environment = variable == null ? Map.of() : Map.of("DOCKER_CONFIG", variable);
        assertThat(DockerConfigFile.locate(environment, Path.of("/home/u"))).isEqualTo(Path.of(expected));
    }

    @Test
    void theHelperOfARegistryIsAskedForIt() throws Exception {
        helper(
                "one",
                "read server; printf '{\"ServerURL\":\"%s\",\"Username\":\"u-%s\",\"Secret\":\"p\"}' $server $server");
        Files.writeString(file, "{\"credHelpers\":{\"reg.example\":\"one\"},\"credsStore\":\"missing\"}");
        assertThat(read(config(), "reg.example/app")).containsExactly("u-reg.example:p");
    }

    @Test
    void theCommonStoreIsAskedForDockerHubByDockersName() throws Exception {
        helper("store", "read server; printf '{\"Username\":\"u\",\"Secret\":\"%s\"}' $server");
        Files.writeString(file, "{\"credsStore\":\"store\",\"auths\":{\"https://index.docker.io/v1/\":{}}}");
        assertThat(read(config(), "nginx")).containsExactly("u:https://index.docker.io/v1/");
    }

    @Test
    void aTokenFromAHelperIsAnIdentityToken() throws Exception {
        helper("one", "echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'");
        Files.writeString(file, "{\"credsStore\":\"one\"}");
        assertThat(read(config(), "reg.example/app")).containsExactly("identity refresh");
    }

    @Test
    void theFileCountsIfTheHelperHasNothing() throws Exception {
        helper("one", "echo 'credentials not found in native keychain'; exit 1");
        Files.writeString(file, "{\"credsStore\":\"one\",\"auths\":{\"reg.example\":{\"auth\":\"dTpw\"}}}");
        assertThat(read(config(), "reg.example/app")).containsExactly("u:p");
        assertThat(read(config(), "other.example/app")).isEmpty();
    }

    @Test
    void anEmptyHelperTurnsTheCommonStoreOffForARegistry() throws Exception {
        Files.writeString(
                file,
                "{\"credsStore\":\"missing\",\"credHelpers\":{\"reg.example\":\"\"},\"auths\":{\"reg.example\":{\"auth\":\"dTpw\"}}}");
        assertThat(read(config(), "reg.example/app")).containsExactly("u:p");
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
                    echo hunter2 >&2; echo hunter2; exit 3                      | exit status 3
                    echo hunter2                                                | does not follow its protocol
                    echo '["hunter2"]'                                          | does not follow its protocol
                    true                                                        | does not follow its protocol
                    echo '{"Username":"hunter2:x","Secret":"y"}'                | does not follow its protocol
                    i=0; while [ $i -lt 2000 ]; do echo 'hunter2 and forty more characters to fill the pipe'; i=$((i+1)); done | more than 65536 bytes
                    exec sleep 600                                              | did not answer
                    sleep 600 & echo hunter2; wait                              | did not answer
                    """)
    void aHelperThatFailsIsAnErrorWithoutWhatItPrinted(String script, String reason) throws Exception {
        helper("bad", script);
        Files.writeString(file, "{\"credsStore\":\"bad\"}");
        Duration deadline = reason.startsWith("did") ? Duration.ofMillis(300) : DEADLINE;
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() -> read(config(deadline), "reg.example/app"))
                .withMessageContainingAll("docker-credential-bad", "reg.example", reason)
                .matches(e -> !e.getMessage().contains("hunter2"));
    }

    @ParameterizedTest
    @CsvSource({"absent,not in the search path", "../evil,letters", "a b,letters"})
    void aHelperThatCannotExistIsAnErrorThatNeedsAPerson(String name, String reason) throws Exception {
        Files.writeString(file, "{\"credsStore\":\"" + name + "\"}");
        assertThatExceptionOfType(CredentialException.class)
                .isThrownBy(() -> read(config(), "reg.example/app"))
                .withMessageContaining(reason)
                .matches(e -> !e.isTransient());
    }

    @Test
    void aHelperIsAskedAgainAfterSomeMinutesOrWhenItsAnswerWasRefused() throws Exception {
        Path count = directory.resolve("count");
        helper(
                "one",
                "echo x >> " + count + "; n=$(wc -l < " + count
                        + "); echo '{\"Username\":\"u\",\"Secret\":\"p'$n'\"}'");
        Files.writeString(file, "{\"credsStore\":\"one\"}");
        DockerConfigFile config = config();
        assertThat(read(config, "reg.example/app")).containsExactly("u:p1");
        assertThat(read(config, "reg.example/other")).containsExactly("u:p1");
        now = now.plusSeconds(299);
        assertThat(read(config, "reg.example/app")).containsExactly("u:p1");
        now = now.plusSeconds(1);
        assertThat(read(config, "reg.example/app")).containsExactly("u:p2");
        config.refused("reg.example", new Credential.Basic("u", Secret.of("p1")));
        assertThat(read(config, "reg.example/app")).containsExactly("u:p2");
        config.refused("reg.example", new Credential.Basic("u", Secret.of("p2")));
        assertThat(read(config, "reg.example/app")).containsExactly("u:p3");
    }

    @Test
    void aSearchPathHasOnlyAbsoluteDirectories() {
        assertThat(CredentialHelpers.searchPath("/usr/bin::bin:/opt/bin"))
                .containsExactly(Path.of("/usr/bin"), Path.of("/opt/bin"));
        assertThat(CredentialHelpers.searchPath("")).isEmpty();
    }

    @Test
    void itSaysWhichFileItReads() {
        assertThat(config().describe("reg.example", "app")).isEqualTo("Docker configuration " + file);
    }

    private static List<String> read(DockerConfigFile config, String image) throws CredentialException {
        ImageReference reference = ImageReference.parse(image);
        return config.credentials(reference.registry(), reference.repository()).stream()
                .map(PullSecretsTest::text)
                .toList();
    }

    private void helper(String name, String script) throws IOException {
        Path program = programs.resolve("docker-credential-" + name);
        Files.writeString(program, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    }
}
