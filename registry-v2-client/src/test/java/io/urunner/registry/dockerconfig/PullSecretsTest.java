package io.urunner.registry.dockerconfig;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.ImageReference;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PullSecretsTest {
    private static final String CONFIG = "kubernetes.io/dockerconfigjson";
    private static final String LEGACY = "kubernetes.io/dockercfg";

    /** A key, an image, and whether the kubelet tries the key's credential for it. */
    @ParameterizedTest(name = "{0} for {1}: {2}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    # whole hosts
                    reg.example                       | reg.example/app                    | yes
                    reg.example                       | reg.example/a/b/c/app              | yes
                    reg.example                       | reg.example/app:v1                 | yes
                    reg.example                       | other.example/app                  | no
                    reg.example                       | evilreg.example/app                | no
                    reg.example                       | reg.example.evil.org/app           | no
                    reg.example                       | sub.reg.example/app                | no
                    sub.reg.example                   | reg.example/app                    | no
                    localhost                         | localhost/app                      | yes
                    10.0.0.1                          | 10.0.0.1/app                       | yes
                    10.0.0.1                          | 10.0.0.2/app                       | no
                    REG.example                       | reg.example/app                    | no
                    # scheme
                    https://reg.example               | reg.example/app                    | yes
                    http://reg.example                | reg.example/app                    | yes
                    https://reg.example/              | reg.example/app                    | yes
                    ftp://reg.example                 | reg.example/app                    | no
                    HTTPS://reg.example               | reg.example/app                    | no
                    # a first segment v1 or v2 with a slash behind it is the root of the API
                    https://reg.example/v1/           | reg.example/app                    | yes
                    https://reg.example/v2/           | reg.example/app                    | yes
                    reg.example/v1/                   | reg.example/app                    | yes
                    reg.example/v2/team               | reg.example/team/app               | yes
                    reg.example/v2/team               | reg.example/other/app              | no
                    reg.example/v1                    | reg.example/app                    | no
                    reg.example/v1                    | reg.example/v1/app                 | yes
                    reg.example/v2                    | reg.example/v2app                  | yes
                    reg.example/v3/                   | reg.example/app                    | no
                    reg.example/v1/v2/                | reg.example/v2/app                 | yes
                    reg.example/v1/v2/                | reg.example/app                    | no
                    # ports
                    reg.example:5000                  | reg.example:5000/app               | yes
                    reg.example:5000                  | reg.example/app                    | no
                    reg.example                       | reg.example:5000/app               | no
                    reg.example:5000                  | reg.example:5001/app               | no
                    reg.example:443                   | reg.example/app                    | no
                    https://reg.example:443           | reg.example/app                    | no
                    reg.example:                      | reg.example/app                    | yes
                    localhost:5000                    | localhost:5000/app                 | yes
                    https://reg.example:5000/v2/      | reg.example:5000/app               | yes
                    reg.example:5000/team             | reg.example:5000/team/app          | yes
                    reg.example:5*                    | reg.example:5000/app               | no
                    reg.example:abc                   | reg.example/app                    | no
                    [::1]:5000                        | [::1]:5000/app                     | yes
                    [::1]:5000                        | [::2]:5000/app                     | no
                    [::1]                             | [::1]/app                          | no
                    # the path is a plain prefix, without a boundary
                    reg.example/team                  | reg.example/team/app               | yes
                    reg.example/team                  | reg.example/team                   | yes
                    reg.example/team                  | reg.example/teams/app              | yes
                    reg.example/team                  | reg.example/teamwork               | yes
                    reg.example/team/                 | reg.example/team/app               | yes
                    reg.example/team/                 | reg.example/teams/app              | no
                    reg.example/team/                 | reg.example/team                   | no
                    reg.example/team                  | reg.example/other/team/app         | no
                    reg.example/team                  | reg.example/tea                    | no
                    reg.example/team/app              | reg.example/team/app               | yes
                    reg.example/team/app              | reg.example/team/apple             | yes
                    reg.example/team/app              | reg.example/team/ap                | no
                    reg.example/Team                  | reg.example/team/app               | no
                    reg.example/team?x=y              | reg.example/team/app               | yes
                    reg.example/team#part             | reg.example/team/app               | yes
                    # globs are for labels of the host, one by one
                    *.azurecr.io                      | x.azurecr.io/app                   | yes
                    *.azurecr.io                      | a.b.azurecr.io/app                 | no
                    *.azurecr.io                      | azurecr.io/app                     | no
                    *.*.azurecr.io                    | a.b.azurecr.io/app                 | yes
                    *.*                               | reg.example/app                    | yes
                    *                                 | reg.example/app                    | no
                    *                                 | localhost/app                      | yes
                    *.example:5000                    | reg.example:5000/app               | yes
                    *.example                         | reg.example:5000/app               | no
                    *.example/team                    | reg.example/team/app               | yes
                    *.example/team                    | reg.example/other/app              | no
                    https://*.example/v1/             | reg.example/app                    | yes
                    reg.*                             | reg.example/app                    | yes
                    reg.*                             | reg.eu.example/app                 | no
                    reg*.example                      | reg.example/app                    | yes
                    reg*.example                      | reg-eu.example/app                 | yes
                    reg*.example                      | areg.example/app                   | no
                    r*g.example                       | reg.example/app                    | yes
                    r*g.example                       | rg.example/app                     | yes
                    r*g.example                       | rag-bag.example/app                | yes
                    r*g.example                       | rega.example/app                   | no
                    *reg*.example                     | my-reg-1.example/app               | yes
                    reg[12].example:5000              | reg1.example:5000/app              | no
                    reg[12].example                   | reg1.example/app                   | yes
                    reg[12].example                   | reg2.example/app                   | yes
                    reg[12].example                   | reg3.example/app                   | no
                    reg[0-9].example                  | reg7.example/app                   | yes
                    reg[0-9].example                  | regx.example/app                   | no
                    reg[0-9]*.example                 | reg7x.example/app                  | yes
                    reg[.example                      | reg.example/app                    | no
                    reg[a-].example                   | rega.example/app                   | no
                    *.dkr.ecr.*.amazonaws.com         | 1.dkr.ecr.eu-west-1.amazonaws.com/a | yes
                    *.dkr.ecr.*.amazonaws.com         | 1.dkr.ecr.eu-west-1.amazonaws.com.cn/a | no
                    reg.example/*                     | reg.example/team/app               | no
                    # Docker Hub
                    https://index.docker.io/v1/       | nginx                              | yes
                    https://index.docker.io/v1/       | docker.io/library/nginx            | yes
                    https://index.docker.io/v1/       | index.docker.io/library/nginx      | yes
                    https://index.docker.io/v1/       | team/app                           | yes
                    https://index.docker.io/v1/       | reg.example/app                    | no
                    https://index.docker.io/v1/       | localhost/app                      | no
                    https://index.docker.io/v2/       | nginx                              | yes
                    index.docker.io                   | nginx                              | yes
                    index.docker.io/v1/               | nginx                              | yes
                    index.docker.io/v1                | nginx                              | no
                    index.docker.io/team              | team/app                           | no
                    docker.io                         | nginx                              | yes
                    https://docker.io                 | team/app                           | yes
                    docker.io/team                    | team/app                           | yes
                    docker.io/team                    | other/app                          | no
                    docker.io/library                 | nginx                              | yes
                    docker.io/nginx                   | nginx                              | no
                    # its other names, which the kubelet does not know
                    registry-1.docker.io              | nginx                              | yes
                    registry-1.docker.io              | registry-1.docker.io/library/nginx | yes
                    https://registry-1.docker.io/v2/  | team/app                           | yes
                    registry-1.docker.io/team         | team/app                           | yes
                    registry-1.docker.io/team         | other/app                          | no
                    registry-1.docker.io:443          | nginx                              | no
                    registry.hub.docker.com           | registry.hub.docker.com/team/app   | yes
                    registry.hub.docker.com           | nginx                              | yes
                    DOCKER.IO                         | DOCKER.IO/team/app                 | yes
                    index.docker.io                   | registry-1.docker.io/team/app      | yes
                    docker.io                         | registry.hub.docker.com/team/app   | yes
                    registry-1.docker.io              | reg.example/app                    | no
                    registry-2.docker.io              | nginx                              | no
                    *.docker.io                       | nginx                              | no
                    *.io                              | nginx                              | yes
                    # query and fragment end before the host is looked at
                    reg.example?x=/team               | reg.example/app                    | yes
                    reg.example#/team                 | reg.example/app                    | yes
                    reg.example?                      | reg.example/app                    | yes
                    reg.example#                      | reg.example/app                    | yes
                    reg.example?x:y                   | reg.example/app                    | yes
                    reg.example?me@evil.example       | reg.example/app                    | yes
                    reg.example#me@evil.example       | reg.example/app                    | yes
                    reg.example?x#y?z                 | reg.example/app                    | yes
                    reg?.example                      | reg1.example/app                   | no
                    reg?.example:5000/team            | reg1.example:5000/team/app         | no
                    reg.example/v1/?x                 | reg.example/app                    | yes
                    # a fragment must be well-formed, a query need not be
                    reg.example#%zz                   | reg.example/app                    | no
                    reg.example?%zz                   | reg.example/app                    | yes
                    # escapes in the path
                    reg.example/%74eam                | reg.example/team/app               | yes
                    reg.example/te%61m/app            | reg.example/team/app               | yes
                    reg.example/team%2Fapp            | reg.example/team/app               | yes
                    reg.example/team%2fother          | reg.example/team/app               | no
                    reg.example%2Fteam                | reg.example/team/app               | no
                    reg.example/%76%31/team           | reg.example/team/app               | yes
                    reg.example/%2574eam              | reg.example/team/app               | yes
                    reg.example/team%3Fx              | reg.example/team/app               | yes
                    reg.example/team%23x              | reg.example/team/app               | yes
                    reg.example/team%20               | reg.example/team/app               | no
                    reg.example/team%                 | reg.example/team/app               | no
                    reg.example/team%2                | reg.example/team/app               | no
                    reg.example/te%zzm                | reg.example/team/app               | no
                    reg.example/team%25               | reg.example/team/app               | no
                    # escapes in the host
                    %72eg.example                     | reg.example/app                    | no
                    reg.example%3A5000                | reg.example:5000/app               | no
                    reg.example:%35000                | reg.example:5000/app               | no
                    *%C3%A9*.example                  | reg.example/app                    | no
                    # what cannot be a URL is ignored, user and password in a key do not count
                    reg example                       | reg.example/app                    | no
                    reg.example\\                     | reg.example/app                    | no
                    [reg.example                      | reg.example/app                    | no
                    [a-z].example                     | a.example/app                      | no
                    me:secret@reg.example             | reg.example/app                    | yes
                    https://me@reg.example/v1/        | reg.example/app                    | yes
                    a@b@reg.example                   | reg.example/app                    | yes
                    me%3Ax@reg.example                | reg.example/app                    | yes
                    me%zz@reg.example                 | reg.example/app                    | no
                    m e@reg.example                   | reg.example/app                    | no
                    [me]@reg.example                  | reg.example/app                    | no
                    # more than one colon, or brackets that are not around the whole host
                    reg.example:5000:5000             | reg.example:5000/app               | no
                    [::1]5000                         | [::1]:5000/app                     | no
                    [::1]:5x                          | [::1]:5000/app                     | no
                    [fe80::1%25en0]:5000              | [fe80::1]:5000/app                 | no
                    https:///app                      | reg.example/app                    | no
                    """)
    void aKeyMatchesAnImageAsForTheKubelet(String key, String image, String matches) {
        PullSecrets secrets = PullSecrets.of(List.of(config("s", entry(key, "u"))));
        assertThat(users(secrets, image)).isEqualTo(matches.equals("yes") ? List.of("u") : List.of());
    }

    /** Keys of one secret and the order in which they are tried for an image. */
    @ParameterizedTest(name = "{0} for {1}: {2}")
    @CsvSource(delimiter = '|', textBlock = """
                    reg.example reg.example/team                        | reg.example/team/app  | reg.example/team reg.example
                    reg.example/team reg.example                        | reg.example/team/app  | reg.example/team reg.example
                    *.example reg.example reg.example/team              | reg.example/team/app  | reg.example/team reg.example *.example
                    reg.example/team reg.example/team/app               | reg.example/team/app  | reg.example/team/app reg.example/team
                    *.example *.example/team                            | reg.example/team/app  | *.example/team *.example
                    r*.example reg.example                              | reg.example/app       | reg.example r*.example
                    reg.example other.example                           | reg.example/app       | reg.example
                    https://index.docker.io/v1/ docker.io               | nginx                 | docker.io
                    https://index.docker.io/v1/ docker.io/library       | nginx                 | docker.io/library
                    https://index.docker.io/v1/ docker.io/team          | nginx                 | https://index.docker.io/v1/
                    registry-1.docker.io https://index.docker.io/v1/    | nginx                 | https://index.docker.io/v1/
                    registry-1.docker.io docker.io                      | team/app              | docker.io
                    registry-1.docker.io registry.hub.docker.com        | nginx                 | registry.hub.docker.com registry-1.docker.io
                    registry-1.docker.io registry-1.docker.io/team      | team/app              | registry-1.docker.io/team registry-1.docker.io
                    docker.io/team docker.io                            | team/app              | docker.io/team docker.io
                    """)
    void keysAreTriedInReverseAlphabeticalOrder(String keys, String image, String order) {
        String entries = String.join(
                ",",
                Arrays.stream(keys.split(" "))
                        .map(key -> entry(key, key.replace(":", "")))
                        .toList());
        PullSecrets secrets = PullSecrets.of(List.of(config("s", entries)));
        assertThat(users(secrets, image))
                .containsExactly(Arrays.stream(order.split(" "))
                        .map(key -> key.replace(":", ""))
                        .toArray(String[]::new));
    }

    @Test
    void secretsWithTheSameKeyAreAllTriedInOrder() {
        PullSecrets secrets = PullSecrets.of(List.of(
                config("one", entry("reg.example", "first")),
                config("two", entry("https://reg.example/v1/", "second") + "," + entry("reg.example/team", "third"))));
        assertThat(users(secrets, "reg.example/team/app")).containsExactly("third", "first", "second");
    }

    @Test
    void aCredentialInSeveralSecretsIsTriedOnce() {
        PullSecrets secrets = PullSecrets.of(
                List.of(config("one", entry("reg.example", "u")), config("two", entry("*.example", "u"))));
        assertThat(users(secrets, "reg.example/app")).containsExactly("u");
    }

    @Test
    void theLegacyTypeContainsOnlyTheInnerMap() {
        byte[] content = ("{" + entry("reg.example", "u") + "}").getBytes(StandardCharsets.UTF_8);
        PullSecrets secrets = PullSecrets.of(List.of(PullSecret.parse("s", LEGACY, Map.of(".dockercfg", content))));
        assertThat(users(secrets, "reg.example/app")).containsExactly("u");
        assertThat(secrets.problems()).isEmpty();
    }

    /** The entry's JSON, with {@code `…`} for the base64 of a text and {@code ~…~} for it without padding. */
    @ParameterizedTest(name = "{0} is {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
                    {"username":"u","password":"p"}                                  | u:p
                    {"username":"u","password":"p","email":"e"}                      | u:p
                    {"auth":"`u:p`"}                                                 | u:p
                    {"auth":"~u:p~"}                                                 | u:p
                    {"auth":"`user:pass`"}                                           | user:pass
                    {"auth":"~user:pass~"}                                           | user:pass
                    {"auth":"`u:p:q`"}                                               | u:p:q
                    {"auth":"`:p`"}                                                  | :p
                    {"auth":"`robot$proj+ci:s`"}                                     | robot$proj+ci:s
                    {"username":"x","password":"y","auth":"`u:p`"}                   | u:p
                    {"username":"u","password":"p","auth":""}                        | u:p
                    {"username":"u","password":"p","auth":null}                      | u:p
                    {"username":"u","password":"p","identitytoken":"t"}              | u:p
                    {"identitytoken":"t"}                                            | anonymous
                    {"registrytoken":"t"}                                            | anonymous
                    {}                                                               | anonymous
                    {"username":"u"}                                                 | anonymous
                    {"password":"p"}                                                 | :p
                    {"auth":"`u`"}                                                   | problem
                    {"auth":"!!!"}                                                   | problem
                    {"auth":"`u:p` x"}                                               | problem
                    {"auth":7}                                                       | problem
                    {"username":["u"],"password":"p"}                                | problem
                    "text"                                                           | problem
                    [{"auth":"`u:p`"}]                                               | problem
                    {"auth":"`u:p`=="}                                               | problem
                    {"auth":"`u:p` "}                                                | problem
                    # on the wire the first colon ends the user
                    {"username":"a:b","password":"p"}                                | a:b:p
                    {"username":":","password":"p"}                                  | ::p
                    {"auth":"`a:b:p`"}                                               | a:b:p
                    # names in any case; the later of two counts, and null changes nothing
                    {"Username":"u","PASSWORD":"p"}                                  | u:p
                    {"AUTH":"`u:p`"}                                                 | u:p
                    {"u\u017fername":"u","pa\u017f\u017fword":"p"}                   | u:p
                    {"username":"x","password":"p","username":"u"}                   | u:p
                    {"username":"x","password":"p","USERNAME":"u"}                   | u:p
                    {"username":"u","password":"p","password":null}                  | u:p
                    {"auth":"`x:y`","auth":"`u:p`"}                                  | u:p
                    {"auth":"`u:p`","auth":null}                                     | u:p
                    {"auth":"`x:y`","auth":"","username":"u","password":"p"}         | u:p
                    {"user name":"u","pass_word":"p"}                                | anonymous
                    {"auth":null,"username":null,"password":null}                    | anonymous
                    null                                                             | anonymous
                    # what the kubelet does not know may be anything
                    {"auth":"`u:p`","identitytoken":7,"email":[],"x":{"auth":1}}     | u:p
                    # line breaks in base64, spaces around the JSON
                    {"auth":"dT\\r\\npw"}                                          | u:p
                    """)
    void anEntryIsReadAsTheKubeletReadsIt(String entry, String expected) {
        PullSecrets secrets = PullSecrets.of(List.of(config("s", "\"reg.example\":" + encode(entry))));
        List<String> found = secrets.credentials("reg.example", "app").stream()
                .map(PullSecretsTest::text)
                .toList();
        if (expected.equals("problem")) {
            assertThat(found).isEmpty();
            assertThat(secrets.problems()).singleElement().asString().contains("pull secret s", "reg.example");
        } else {
            assertThat(found).containsExactly(expected);
            assertThat(secrets.problems()).isEmpty();
        }
    }

    /** The content of a whole secret, and the users that it gives for {@code reg.example/app}. */
    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', nullValues = "-", textBlock = """
                    {"AUTHS":{"reg.example":{"username":"u","password":"p"}}}                                     | u
                    {"auth\u017f":{"reg.example":{"username":"u","password":"p"}}}                               | u
                    {"auths":{"reg.example":{"username":"u","password":"p"}},"auths":{}}                          | u
                    {"auths":{},"auths":{"reg.example":{"username":"u","password":"p"}}}                          | u
                    {"auths":{"x":{}},"Auths":{"reg.example":{"username":"u","password":"p"}}}                    | u
                    {"auths":{"reg.example":{"username":"x","password":"p"}},"auths":{"reg.example":{"username":"u","password":"p"}}} | u
                    {"auths":{"reg.example":{"username":"x","password":"p"},"reg.example":{"username":"u","password":"p"}}} | u
                    {"auths":{"reg.example":{"username":"u","password":"p"}},"auths":null}                        | -
                    {"auths":null}                                                                                | -
                    null                                                                                          | -
                    {"auths":{"REG.example":{"username":"u","password":"p"}}}                                     | -
                    {"other":{"reg.example":{"username":"u","password":"p"}}}                                     | -
                    {"auths":{"reg.example":{"username":"u","password":"p"}},"credHelpers":[]}                    | u
                    {"credsStore":{"x":[1]},"auths":{"reg.example":{"username":"u","password":"p"}}}              | u
                    {"auths":{"reg.example":{"username":"u","password":"p"}},"credsStore":true}                   | u
                    {"other":{"auths":{"reg.example":{"username":"u","password":"p"}}},"auths":{}}                | -
                    """)
    void aSecretIsReadAsGoReadsJson(String content, String user) {
        PullSecrets secrets = PullSecrets.of(List.of(
                PullSecret.parse("s", CONFIG, Map.of(".dockerconfigjson", content.getBytes(StandardCharsets.UTF_8)))));
        assertThat(users(secrets, "reg.example/app")).isEqualTo(user == null ? List.of() : List.of(user));
        assertThat(secrets.problems()).isEmpty();
    }

    /** The second of two entries with one key replaces the first as a whole. */
    @Test
    void fieldsOfTwoEntriesWithOneKeyAreNotMixed() {
        PullSecrets secrets = PullSecrets.of(
                List.of(config("s", "\"reg.example\":{\"username\":\"u\"},\"reg.example\":{\"password\":\"p\"}")));
        assertThat(secrets.credentials("reg.example", "app")).containsExactly(new Credential.Basic("", Secret.of("p")));
    }

    @Test
    void aWrongEntryIsReportedAndTheOthersAreUsed() {
        PullSecrets secrets = PullSecrets.of(List.of(config(
                "s",
                "\"me:hunter2@bad.example\\u202e\":{\"auth\":\"hunter2!\"},\"one.example\":7,"
                        + entry("reg.example", "u") + ",\"two.example\":{\"password\":{\"a\":[1]}}")));
        assertThat(users(secrets, "reg.example/app")).containsExactly("u");
        assertThat(secrets.credentials("bad.example", "app")).isEmpty();
        assertThat(secrets.problems())
                .containsExactly(
                        "the pull secret s cannot be read for bad.example?: its auth is not base64",
                        "the pull secret s cannot be read for one.example: it is not a JSON object",
                        "the pull secret s cannot be read for two.example: its password is not a string");
    }

    @Test
    void ofVeryManyWrongEntriesTheFirstOnesAreReported() {
        String wrong =
                IntStream.range(0, 500).mapToObj(i -> "\"r" + i + "\":7,").collect(Collectors.joining());
        PullSecrets secrets = PullSecrets.of(List.of(config("s", wrong + entry("reg.example", "u"))));
        assertThat(users(secrets, "reg.example/app")).containsExactly("u");
        assertThat(secrets.problems()).hasSize(10);
    }

    @ParameterizedTest(name = "type {0}, key {1}, content {2}")
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
                    Opaque                         | .dockerconfigjson | {"auths":{"reg.example":{"auth":"dTpw"}}} | not a pull secret
                    kubernetes.io/dockercfg        | .dockerconfigjson | {"auths":{"reg.example":{"auth":"dTpw"}}} | has no .dockercfg
                    kubernetes.io/dockerconfigjson | .dockercfg        | {"reg.example":{"auth":"dTpw"}}           | has no .dockerconfigjson
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | ^^                                        | has no .dockerconfigjson
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | {"auths":                                 | not JSON at line 1
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | [1]                                       | not a JSON object
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | {"auths":[]}                              | its auths is not a JSON object
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | {"auths":{}} hunter2                      | not JSON at line 1
                    kubernetes.io/dockercfg        | .dockercfg        | hunter2                                   | not JSON at line 1
                    kubernetes.io/dockercfg        | .dockercfg        | {} {}                                     | not JSON at line 1, column 4
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | {"auths":{"x":{"auth":hunter2}}}          | not JSON at line 1
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | {"auths":{"x":{},}}                       | not JSON at line 1
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | {'auths':{}}                              | not JSON at line 1
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | {"auths":{}} // hunter2                   | not JSON at line 1
                    kubernetes.io/dockerconfigjson | .dockerconfigjson | \ufeff{"auths":{}}                        | byte order mark
                    kubernetes.io/dockercfg        | .dockercfg        | \ufeff{}                                  | byte order mark
                    """)
    void anUnreadableSecretIsAProblemButNotAnError(String type, String key, String content, String problem) {
        PullSecret broken = PullSecret.parse("broken", type, Map.of(key, content.getBytes(StandardCharsets.UTF_8)));
        PullSecrets secrets = PullSecrets.of(List.of(broken, config("good", entry("reg.example", "u"))));
        assertThat(users(secrets, "reg.example/app")).containsExactly("u");
        assertThat(secrets.problems())
                .singleElement()
                .asString()
                .contains("broken", problem)
                .doesNotContain("hunter2");
    }

    /** What a tenant may put into a megabyte. */
    static List<Arguments> tooLarge() {
        return List.of(
                Arguments.of("{}", "Token count", "\"x\":[" + "{},".repeat(300_000) + "{}]"),
                Arguments.of("numbers", "Token count", "\"x\":[" + "1,".repeat(450_000) + "1]"),
                Arguments.of(
                        "names",
                        "Token count",
                        IntStream.range(0, 60_000)
                                .mapToObj(i -> "\"hunter2-" + Integer.toString(i, 36) + "\":1")
                                .collect(Collectors.joining(","))),
                Arguments.of("depth", "nesting depth", "\"x\":" + "[".repeat(500_000)),
                Arguments.of("a name", "Name length", "\"" + "hunter2".repeat(140_000) + "\":1"),
                Arguments.of("a text", "String value length", "\"x\":\"" + "hunter2".repeat(140_000) + "\""),
                Arguments.of("a number", "Number value length", "\"x\":" + "7".repeat(100_000)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("tooLarge")
    void aSecretThatIsTooLargeIsAProblemThatSaysWhy(String what, String said, String content) {
        for (String type : List.of(CONFIG, LEGACY)) {
            String json = type.equals(CONFIG) ? "{\"auths\":{" + content + "}}" : "{" + content + "}";
            PullSecret large = PullSecret.parse(
                    "large",
                    type,
                    Map.of(
                            type.equals(CONFIG) ? ".dockerconfigjson" : ".dockercfg",
                            json.getBytes(StandardCharsets.UTF_8)));
            PullSecrets secrets = PullSecrets.of(List.of(large, config("good", entry("reg.example", "u"))));
            assertThat(users(secrets, "reg.example/app")).containsExactly("u");
            assertThat(secrets.problems())
                    .singleElement()
                    .asString()
                    .startsWith("the pull secret large cannot be read: too large: ")
                    .contains(said, "exceeds the maximum allowed")
                    .doesNotContain("hunter2", "777", "StreamReadConstraints")
                    .hasSizeLessThan(200);
        }
    }

    /** Go reads UTF-8 only. */
    @Test
    void aSecretInUtf16IsNotJson() {
        byte[] content = "{\"auths\":{\"reg.example\":{\"username\":\"u\",\"password\":\"p\"}}}"
                .getBytes(StandardCharsets.UTF_16LE);
        PullSecret secret = PullSecret.parse("s", CONFIG, Map.of(".dockerconfigjson", content));
        assertThat(secret.problems()).singleElement().asString().contains("not JSON");
    }

    @Test
    void aSecretWithThousandsOfHostsOrAVeryLongTokenIsRead() {
        String hosts = IntStream.range(0, 5_000)
                .mapToObj(i -> "\"r" + i + ".example/team\":{\"username\":\"u" + i
                        + "\",\"password\":\"p\",\"email\":\"e@x.example\",\"auth\":\"" + "dTpw" + "\"}")
                .collect(Collectors.joining(","));
        PullSecrets many = PullSecrets.of(List.of(config("many", hosts)));
        assertThat(many.problems()).isEmpty();
        assertThat(users(many, "r4999.example/team/app")).containsExactly("u");

        String token = "t".repeat(128 * 1024);
        String auth = Base64.getEncoder().encodeToString(("u:" + token).getBytes(StandardCharsets.UTF_8));
        PullSecrets heavy = PullSecrets.of(List.of(config("long", "\"reg.example\":{\"auth\":\"" + auth + "\"}")));
        assertThat(heavy.problems()).isEmpty();
        assertThat(heavy.credentials("reg.example", "app"))
                .containsExactly(new Credential.Basic("u", Secret.of(token)));
    }

    @Test
    void aLongOrDeepEntryDoesNotMakeTheOthersUnreadable() {
        PullSecrets secrets = PullSecrets.of(List.of(config(
                "odd",
                "\"" + "k".repeat(10_000) + "\":{\"auth\":\"" + "A".repeat(300_000) + "\"},\"deep.example\":"
                        + "[".repeat(200) + "]".repeat(200) + ",\"reg.example\":{\"auth\":\"dTpw\"}")));
        assertThat(users(secrets, "reg.example/app")).containsExactly("u");
    }

    @Test
    void aSecretWithoutAuthsIsEmptyWithoutAProblem() {
        PullSecrets secrets = PullSecrets.of(List.of(
                PullSecret.parse("s", CONFIG, Map.of(".dockerconfigjson", "{}".getBytes(StandardCharsets.UTF_8)))));
        assertThat(secrets.credentials("reg.example", "app")).isEmpty();
        assertThat(secrets.problems()).isEmpty();
    }

    @Test
    void aKeyThatIsNotARegistryIsReportedWithoutTheTextBeforeTheAtSign() {
        PullSecrets secrets = PullSecrets.of(List.of(config("s", entry("me:hunter2@reg example", "u"))));
        assertThat(secrets.problems())
                .singleElement()
                .asString()
                .contains("reg example")
                .doesNotContain("hunter2");
    }

    @Test
    void nothingPrintsASecret() {
        PullSecret secret = config("s", "\"reg.example\":{\"username\":\"u\",\"password\":\"hunter2\"}");
        PullSecrets secrets = PullSecrets.of(List.of(secret));
        assertThat(List.of(
                        secret.toString(),
                        secrets.toString(),
                        secrets.describe("reg.example", "app"),
                        secrets.credentials("reg.example", "app").toString()))
                .noneMatch(text -> text.contains("hunter2"))
                .contains("pull secret s", "pull secrets s");
    }

    @Test
    void aLongGlobAgainstALongLabelFinishesQuickly() {
        String key = "a*".repeat(490) + "b.example";
        PullSecrets secrets = PullSecrets.of(List.of(config("s", entry(key, "u"))));
        assertThat(secrets.credentials("a".repeat(5000) + ".example", "app")).isEmpty();
    }

    private static PullSecret config(String name, String entries) {
        String content = "{\"auths\":{" + entries + "}}";
        return PullSecret.parse(name, CONFIG, Map.of(".dockerconfigjson", content.getBytes(StandardCharsets.UTF_8)));
    }

    private static String entry(String key, String user) {
        return "\"" + key.replace("\\", "\\\\") + "\":{\"username\":\"" + user + "\",\"password\":\"p\"}";
    }

    private static List<String> users(PullSecrets secrets, String image) {
        ImageReference reference = ImageReference.parse(image);
        var users = new ArrayList<String>();
        for (Credential credential : secrets.credentials(reference.registry(), reference.repository())) {
            assertThat(credential).isInstanceOf(Credential.Basic.class);
            users.add(((Credential.Basic) credential).user());
        }
        return users;
    }

    static String text(Credential credential) {
        if (credential instanceof Credential.Basic basic) {
            return basic.user() + ":" + basic.password().reveal();
        }
        if (credential instanceof Credential.IdentityToken token) {
            return "identity " + reveal(token.refreshToken());
        }
        if (credential instanceof Credential.RegistryToken token) {
            return "registry " + reveal(token.token());
        }
        return "anonymous";
    }

    private static String reveal(Secret secret) {
        return secret.reveal();
    }

    static String encode(String json) {
        StringBuilder encoded = new StringBuilder();
        String[] parts = json.split("`", -1);
        for (int i = 0; i < parts.length; i++) {
            encoded.append(
                    i % 2 == 0
                            ? parts[i]
                            : Base64.getEncoder().encodeToString(parts[i].getBytes(StandardCharsets.UTF_8)));
        }
        parts = encoded.toString().split("~", -1);
        encoded.setLength(0);
        for (int i = 0; i < parts.length; i++) {
            encoded.append(
                    i % 2 == 0
                            ? parts[i]
                            : Base64.getEncoder()
                                    .withoutPadding()
                                    .encodeToString(parts[i].getBytes(StandardCharsets.UTF_8)));
        }
        return encoded.toString();
    }
}
