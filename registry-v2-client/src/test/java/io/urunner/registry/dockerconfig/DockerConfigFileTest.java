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
import java.util.stream.Collectors;
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
                    registry.hub.docker.com         | nginx                       | yes
                    docker.io                       | registry-1.docker.io/nginx  | yes
                    DOCKER.IO                       | registry.hub.docker.com/a/b | yes
                    # a URL with any path is a key for its host
                    https://reg.example/artifactory/api/docker/repo | reg.example/app     | yes
                    https://reg.example/artifactory/api/docker/repo | reg.example/a/b/c   | yes
                    http://reg.example/team         | reg.example/other/app       | yes
                    https://reg.example:5000/a/b/v2/ | reg.example:5000/app       | yes
                    https://reg.example/a           | other.example/app           | no
                    https://reg.example/a           | reg.example:5000/app        | no
                    https://reg.example:5000/a      | reg.example/app             | no
                    https://reg.example?x=y/z       | reg.example/app             | yes
                    https://reg.example#x           | reg.example/app             | yes
                    https://me@reg.example/a        | reg.example/app             | yes
                    ftp://reg.example               | reg.example/app             | yes
                    https://[::1]:5000/v2/          | [::1]:5000/app              | yes
                    # a path without a scheme names a part of the registry
                    reg.example/v2/                 | reg.example/app             | yes
                    reg.example/artifactory         | reg.example/app             | no
                    reg.example/team/               | reg.example/team/app        | yes
                    reg.example/team/app            | reg.example/team            | no
                    reg.example/Team                | reg.example/team/app        | no
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

    /** Keys, an image, and the key that counts, in whichever order they are written. */
    @ParameterizedTest(name = "{0} for {1}")
    @CsvSource(delimiter = '|', textBlock = """
                    https://reg.example/v1/ reg.example                            | reg.example/app      | reg.example
                    https://reg.example reg.example                                | reg.example/app      | reg.example
                    http://reg.example https://reg.example                         | reg.example/app      | https://reg.example
                    http://reg.example/v2/ https://reg.example/v1/                 | reg.example/app      | https://reg.example/v1/
                    https://reg.example/a https://reg.example/v1/                  | reg.example/app      | https://reg.example/v1/
                    https://reg.example/a http://reg.example                       | reg.example/app      | http://reg.example
                    https://reg.example/a https://reg.example/a/b                  | reg.example/app      | https://reg.example/a/b
                    https://reg.example/a https://reg.example/b                    | reg.example/app      | https://reg.example/a
                    https://reg.example/long/path https://reg.example/app          | reg.example/app      | https://reg.example/app
                    https://reg.example/team reg.example                           | reg.example/team/app | reg.example
                    reg.example/team reg.example                                   | reg.example/team/app | reg.example/team
                    reg.example/team https://reg.example/team/app                  | reg.example/team/app | reg.example/team
                    REG.example reg.example                                        | reg.example/app      | reg.example
                    REG.example https://reg.example                                | reg.example/app      | REG.example
                    docker.io https://index.docker.io/v1/                          | nginx                | https://index.docker.io/v1/
                    docker.io/library https://index.docker.io/v1/                  | nginx                | docker.io/library
                    https://registry-1.docker.io docker.io                         | nginx                | docker.io
                    https://registry.hub.docker.com/v1/ https://index.docker.io/v1/ | nginx               | https://index.docker.io/v1/
                    """)
    void theBestKeyCountsAndNotTheFirst(String keys, String image, String best) throws Exception {
        List<String> written = List.of(keys.split(" "));
        for (List<String> order : List.of(written, List.of(written.get(1), written.get(0)))) {
            Files.writeString(
                    file,
                    order.stream()
                            .map(key -> "\"" + key + "\":{\"username\":\"u\",\"password\":\"" + key + "\"}")
                            .collect(Collectors.joining(",", "{\"auths\":{", "}}")));
            assertThat(read(config(), image)).containsExactly("u:" + best);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    {"reg.example":"one"}                                        | yes
                    {"https://reg.example":"one"}                                | yes
                    {"https://reg.example/v2/":"one"}                            | yes
                    {"https://reg.example/any/path":"one"}                       | yes
                    {"reg.example/app":"one"}                                    | yes
                    {"https://reg.example":"missing","reg.example":"one"}        | yes
                    {"reg.example":"one","https://reg.example/v1/":"missing"}    | yes
                    {"reg.example/other":"missing"}                              | no
                    {"evilreg.example":"missing"}                                | no
                    {"reg.example":""}                                           | no
                    {"reg.example":null}                                         | no
                    """)
    void theHelperWithTheBestKeyIsAsked(String helpers, String asked) throws Exception {
        helper("one", "read server; printf '{\"Username\":\"helper\",\"Secret\":\"%s\"}' $server");
        Files.writeString(file, "{\"credHelpers\":" + helpers + ",\"auths\":{\"reg.example\":{\"auth\":\"dTpw\"}}}");
        assertThat(read(config(), "reg.example/app"))
                .containsExactly(asked.equals("yes") ? "helper:reg.example" : "u:p");
    }

    @Test
    void theNamesOfFieldsCountInAnyCaseAndTwoObjectsAreMerged() throws Exception {
        helper("one", "read server; printf '{\"USERNAME\":\"helper\",\"secret\":\"%s\"}' $server");
        Files.writeString(file, """
                {"Auths": {"a.example": {"Username": "a", "PASSWORD": "p"}}, "other": {"auths": 7},
                 "auths": {"b.example": {"auth": "dTpw"}},
                 "CREDHELPERS": {"c.example": "one"}, "credsstore": null}""");
        assertThat(read(config(), "a.example/app")).containsExactly("a:p");
        assertThat(read(config(), "b.example/app")).containsExactly("u:p");
        assertThat(read(config(), "c.example/app")).containsExactly("helper:c.example");
        assertThat(read(config(), "d.example/app")).isEmpty();
    }

    @Test
    void aWrongEntryIsAnErrorForItsOwnRegistryOnly() throws Exception {
        Files.writeString(file, """
                {"auths": {"bad.example": {"auth": "?"}, "worse.example": 7, "null.example": null,
                           "reg.example": {"auth": "dTpw"}},
                 "credHelpers": {"odd.example": 7}}""");
        assertThat(read(config(), "reg.example/app")).containsExactly("u:p");
        assertThat(read(config(), "null.example/app")).isEmpty();
        for (String registry : List.of("bad.example", "worse.example", "odd.example")) {
            assertThatExceptionOfType(CredentialException.class)
                    .isThrownBy(() -> read(config(), registry + "/app"))
                    .withMessageContainingAll(registry, file.toString());
        }
    }

    @Test
    void anEmptyFileAndTheNullDeviceHaveNoEntries() throws Exception {
        Files.writeString(file, "");
        assertThat(read(config(), "reg.example/app")).isEmpty();
        file = Path.of("/dev/null");
        assertThat(read(config(), "reg.example/app")).isEmpty();
    }

    @Test
    void theOldFileContainsOnlyTheEntries() throws Exception {
        file = directory.resolve(".dockercfg");
        Files.writeString(file, "{\"https://index.docker.io/v1/\":{\"auth\":\"dTpw\",\"email\":\"e\"}}");
        assertThat(read(config(), "nginx")).containsExactly("u:p");
        Files.writeString(file, "{\"auths\":{\"reg.example\":{\"auth\":\"dTpw\"}}}  ");
        assertThat(read(config(), "reg.example/app")).isEmpty();
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
                    {"credsStore":{"a":"hunter2"}} | its credsStore is not a string
                    {"auths":{}}{"a":"hunter2"} | not JSON at line 1
                    \ufeff{"auths":{}}         | byte order mark
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
    void theFirstColonEndsTheUserThatAHelperNames() throws Exception {
        helper("one", "echo '{\"Username\":\"a:b\",\"Secret\":\"p\"}'");
        Files.writeString(file, "{\"credsStore\":\"one\"}");
        assertThat(config().credentials("reg.example", "app"))
                .containsExactly(new Credential.Basic("a", Secret.of("b:p")));
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
                    echo '{"Username":7,"Secret":"hunter2"}'                    | does not follow its protocol
                    echo '{"Username":"u","Secret":"hunter2"} x'                | does not follow its protocol
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
