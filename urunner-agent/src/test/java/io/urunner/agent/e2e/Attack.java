package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.urunner.agent.chart.Chart;
import io.urunner.agent.text.NastyStrings;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Attacks of a tenant B on an agent and the registry that B shares with A. B's namespace is the parameter {@code b}.
 */
enum Attack {
    REFUSED_REFERENCES {
        @Override
        void begin(AttackScene scene, String b) {
            scene.registry().answer(b + "/refused", exchange -> exchange.send(400, "{\"errors\":[]}"));
            scene.containers(b, "refused", 300, b + "/refused");
        }
    },

    REFERENCES_THAT_FAIL_THE_REGISTRY {
        @Override
        void begin(AttackScene scene, String b) {
            scene.registry().answer(b + "/failing", exchange -> exchange.send(503, ""));
            scene.containers(b, "failing", 60, b + "/failing");
        }
    },

    REFERENCES_THAT_HANG {
        @Override
        void begin(AttackScene scene, String b) {
            scene.registry().answer(b + "/hanging", HostileRegistry.Exchange::hang);
            scene.containers(b, "hanging", 60, b + "/hanging");
        }
    },

    MANY_REFERENCES_AND_A_BUDGET {
        @Override
        void prepare(AttackScene scene, String b, Map<String, String> settings) {
            scene.registryOptions(", budget: 60");
        }

        @Override
        void begin(AttackScene scene, String b) {
            TestImage image = TestImage.image("one of many");
            scene.registry().answer(b + "/many", exchange -> exchange.send(image));
            scene.containers(b, "many", 300, b + "/many");
        }
    },

    A_LIMITED_ACCOUNT {
        @Override
        void begin(AttackScene scene, String b) {
            scene.registry()
                    .answer(
                            b + "/limited",
                            exchange -> exchange.send(
                                    exchange.user().isEmpty() ? 401 : 429,
                                    "",
                                    "WWW-Authenticate: Basic realm=\"registry\"",
                                    "Retry-After: 86400",
                                    "RateLimit-Limit: 100",
                                    "RateLimit-Remaining: 0",
                                    "RateLimit-Reset: 86400"));
            withAccount(scene, b, "limited", 5);
        }
    },

    A_REJECTED_ACCOUNT {
        @Override
        void begin(AttackScene scene, String b) {
            scene.registry()
                    .answer(
                            b + "/rejected",
                            exchange -> exchange.send(401, "", "WWW-Authenticate: Basic realm=\"registry\""));
            withAccount(scene, b, "rejected", 20);
        }
    },

    MANY_WRONG_PASSWORDS {
        /**
         * As GitLab bans an address: for this many wrong passwords in three minutes, which is longer than this test
         * takes.
         */
        private static final int BANNED_FROM = 30;

        @Override
        void begin(AttackScene scene, String b) {
            scene.registry()
                    .answer(
                            exchange -> exchange.isBelow(scene.a() + "/private") && wrong(scene) > BANNED_FROM,
                            exchange -> exchange.send(403, ""));
            Map<String, String> guesses = new LinkedHashMap<>();
            globs(scene).limit(2400).forEach(key -> guesses.put(key, "guess-" + guesses.size() + ":guessed-by-b"));
            assertThat(guesses).hasSize(2400);
            scene.secret(b, "guesses", guesses);
            scene.deployment(b, "guesser", scene.privateImage(), 0, pod -> AttackScene.pullSecrets(pod, "guesses"));
        }

        @Override
        void proof(AttackScene scene, String b, long mark) {
            assertThat(wrong(scene)).as("wrong passwords that the registry saw").isLessThan(BANNED_FROM);
        }

        private static long wrong(AttackScene scene) {
            return scene.registry()
                    .asked()
                    .filter(asked -> asked.user().startsWith("guess-"))
                    .count();
        }

        /** Keys that all match A's repository. */
        private static Stream<String> globs(AttackScene scene) {
            String host = scene.registry().host();
            String port = host.substring(host.indexOf(':'));
            List<String> first = List.of(
                    "127", "*", "1*", "12*", "127*", "*7", "*27", "*127", "1*7", "12?", "1?7", "?27", "???", "1??",
                    "??7", "?2?", "*2*", "**", "1**", "?*", "*?", "1*?", "?*7", "[1]27", "1[2]7", "12[7]");
            List<String> other = List.of("*", "?", "?*", "*?", "**");
            List<String> paths = List.of("", "/" + scene.a(), "/" + scene.a() + "/private");
            return first.stream()
                    .flatMap(one -> Stream.concat(other.stream(), Stream.of("0"))
                            .flatMap(two -> Stream.concat(other.stream(), Stream.of("0"))
                                    .flatMap(three -> Stream.concat(other.stream(), Stream.of("1"))
                                            .map(four -> one + "." + two + "." + three + "." + four))))
                    .flatMap(name -> paths.stream().map(path -> name + port + path))
                    .filter(key -> !key.startsWith("127.0.0.1"));
        }
    },

    READING_PRIVATE_IMAGES_OF_OTHERS {
        @Override
        void begin(AttackScene scene, String b) {
            scene.deployment(b, "curious", scene.privateImage(), 0, pod -> {});
            scene.deployment(b, "waiting", scene.privateImage(), 1, Attack::isNeverScheduled);
        }

        @Override
        void proof(AttackScene scene, String b, long mark) {
            scene.privateDigests()
                    .forEach(digest -> assertThat(scene.told(b))
                            .as("texts that B can read")
                            .doesNotContain(digest.substring(7, 19)));
            assertThat(scene.told(b))
                    .as("texts that B can read")
                    .doesNotContain(scene.a() + ";", "namespace " + scene.a());
        }
    },

    A_FORGED_STATE {
        @Override
        void begin(AttackScene scene, String b) {
            scene.deployment(b, "forger", scene.publicImage(), 0, pod -> {});
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            String state = "{\"containers\":{\"app\":{\"reference\":\"" + scene.publicImage() + "\",\"failed\":\""
                    + digest + "\",\"failure\":\"words of b\"}}}";
            annotate(scene, b, "forger", "urunner.io/state", state);
        }

        @Override
        void proof(AttackScene scene, String b, long mark) {
            assertThat(scene.told(scene.a())).doesNotContain("words of b");
        }
    },

    A_CANARY_THAT_IS_NEVER_READY {
        @Override
        void prepare(AttackScene scene, String b, Map<String, String> settings) {
            settings.put("URUNNER_CONF_CANARY", "true");
        }

        @Override
        void begin(AttackScene scene, String b) {
            WorkloadId canary = deployment(b, "canary");
            scene.cluster()
                    .workload(
                            canary,
                            scene.publicImage(),
                            1,
                            workload -> workload.withObject("/spec")
                                    .put("minReadySeconds", 86400)
                                    .put("progressDeadlineSeconds", 86401));
            scene.deployment(b, "waiting", scene.publicImage(), 1, Attack::isNeverScheduled);
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            scene.cluster()
                    .edit(
                            deployment(b, "waiting"),
                            "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"urunner.io/digests\":"
                                    + json("{\"app\":\"" + scene.publicImage() + "@" + digest + "\"}") + "}}}}}");
        }
    },

    NASTY_TEXT {
        /** An annotation may have 256 kB, and JSON escapes some characters with six bytes. */
        private static final int LONGEST = 40_000;

        private final List<String> texts = NastyStrings.all().stream()
                .map(text -> text.substring(0, Math.min(text.length(), LONGEST)))
                .toList();

        @Override
        void begin(AttackScene scene, String b) {
            for (int i = 0; i < texts.size(); i++) {
                String text = texts.get(i);
                String message = json(text);
                scene.registry()
                        .answer(
                                b + "/error" + i,
                                exchange -> exchange.send(
                                        403, "{\"errors\":[{\"code\":\"DENIED\",\"message\":" + message + "}]}"));
                asked(scene, b, "error" + i);
                annotate(scene, b, "error" + i, "urunner.io/window", text);
                scene.deployment(b, "state" + i, scene.publicImage(), 0, pod -> {});
                annotate(
                        scene,
                        b,
                        "state" + i,
                        "urunner.io/state",
                        "{\"containers\":{},\"hold\":{\"since\":\"2026-01-01T00:00:00Z\",\"by\":" + message + "}}");
            }
            scene.registry()
                    .answer(
                            b + "/status",
                            exchange -> exchange.write("HTTP/1.1 418 \u001b[2J\u009b31m" + "y".repeat(50_000)
                                    + "\r\nContent-Length: 0\r\n\r\n"));
            asked(scene, b, "status");
            scene.registry()
                    .answer(
                            b + "/realm",
                            exchange -> exchange.send(
                                    401, "", "WWW-Authenticate: Bearer realm=\"http://u:hunter2@\u001b[2J\u009b/\""));
            asked(scene, b, "realm");
            scene.real().push(b + "/labels", "latest", "without labels");
            scene.deployment(b, "labels", scene.image(b + "/labels"), 1, pod -> {});
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            Map<String, String> labels = labels(texts.get(push % texts.size()));
            scene.real().push(b + "/labels", "latest", TestImage.labelled("labels" + push, labels));
        }

        @Override
        void proof(AttackScene scene, String b, long mark) throws Exception {
            scene.events(b).forEach(NastyStrings::assertHarmless);
            for (String command : List.of("explain", "doctor")) {
                String said = scene.agent().command(command);
                said.lines().forEach(NastyStrings::assertHarmless);
                assertThat(said).doesNotContain("x".repeat(2000));
            }
            assertThat(scene.agent().log()).contains(b + "/error0");
        }
    },

    NAMES_OF_SECRETS {
        private static final List<String> NAMES = List.of(
                "a b", "", "../../%s/secrets/taken", "x?watch=true", "..", "%%2e%%2e", "x/y", "\u202e", "A", "x#y");

        @Override
        void begin(AttackScene scene, String b) {
            for (int i = 0; i < NAMES.size(); i++) {
                String name = String.format(NAMES.get(i), scene.a());
                scene.deployment(
                        b, "named" + i, scene.image(b + "/named" + i), 0, pod -> AttackScene.pullSecrets(pod, name));
            }
        }

        @Override
        void proof(AttackScene scene, String b, long mark) {
            assertThat(scene.cluster().auditLog().orElseThrow().since(mark, "urunner").stream()
                            .filter(entry -> entry.resource().equals("secrets")
                                    && Set.of(scene.a(), b).contains(entry.namespace()))
                            .map(entry -> entry.verb() + " " + entry.namespace() + "/" + entry.name()))
                    .as("secrets requested from the API server")
                    .isSubsetOf("get " + scene.a() + "/registry");
        }
    },

    A_MANIFEST_OF_OBJECTS {
        @Override
        void begin(AttackScene scene, String b) {
            moving(scene, b, "objects", 1);
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            TestImage image = TestImage.image(b + push);
            String manifest = new String(image.manifest(), StandardCharsets.UTF_8);
            String objects = manifest.substring(0, manifest.length() - 1) + ",\"x\":[{}"
                    + ",{}".repeat((4_000_000 - manifest.length()) / 3) + "]}";
            TestImage large =
                    new TestImage(image.mediaType(), objects.getBytes(StandardCharsets.UTF_8), image.blobs(), Map.of());
            scene.registry().serve(b + "/objects0", large);
        }
    },

    MUCH_ENVIRONMENT {
        @Override
        void prepare(AttackScene scene, String b, Map<String, String> settings) {
            scene.deployment(b, "large", scene.image(b + "/large"), 60, pod -> {
                isNeverScheduled(pod);
                IntStream.range(0, 12)
                        .forEach(i -> ((ObjectNode) pod.withArray("containers").get(0))
                                .withArray("env")
                                .addObject()
                                .put("name", "N" + i)
                                .put("value", "v".repeat(100_000)));
            });
            // Existing ones arrive in one list.
            Await.until(
                    "there are many pods",
                    Seen.within(AttackScene.SOON),
                    () -> scene.cluster().pods(b).size() == 60);
        }

        @Override
        void begin(AttackScene scene, String b) {}
    },

    LONG_ANNOTATIONS {
        @Override
        void begin(AttackScene scene, String b) {
            for (int i = 0; i < 20; i++) {
                scene.deployment(b, "window" + i, scene.image(b + "/last"), 0, pod -> {});
                annotate(scene, b, "window" + i, "urunner.io/window", "00:00-24:00;".repeat(255_000 / 12));
            }
        }
    },

    AN_ENDLESS_CHUNK_HEADER {
        @Override
        void begin(AttackScene scene, String b) {
            moving(scene, b, "chunk", 3);
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            for (int i = 0; i < 3; i++) {
                TestImage image = TestImage.image(b + i + "-" + push);
                scene.registry().answer(b + "/chunk" + i, exchange -> {
                    if (exchange.isHead()) {
                        exchange.send(image);
                    } else {
                        exchange.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
                        exchange.repeat("x", 200_000_000L);
                    }
                });
            }
        }
    },

    A_CHAIN_OF_INDEXES {
        @Override
        void begin(AttackScene scene, String b) {
            moving(scene, b, "chain", 1);
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            Map<String, TestImage> all = new LinkedHashMap<>();
            TestImage next = TestImage.image(b + push);
            for (int i = 0; i < 2200; i++) {
                all.put(next.digest(), next);
                next = index(List.of(next));
            }
            scene.registry().serve(b + "/chain0", new TestImage(next.mediaType(), next.manifest(), Map.of(), all));
        }

        @Override
        void proof(AttackScene scene, String b, long mark) {
            // One push each.
            assertThat(scene.registry()
                            .asked()
                            .filter(asked -> asked.path().startsWith("/v2/" + b + "/chain0/manifests/sha256:")))
                    .as("requested indexes of a chain")
                    .hasSizeLessThan(5 * 10);
        }
    },

    A_WIDE_INDEX {
        private static final int CHILDREN = 28_000;

        @Override
        void begin(AttackScene scene, String b) {
            moving(scene, b, "wide", 1);
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            if (push == 0) {
                List<TestImage> children = IntStream.range(0, CHILDREN)
                        .mapToObj(i -> new TestImage(
                                TestImage.OCI_MANIFEST,
                                ("{\"schemaVersion\":2,\"x\":" + i + "}").getBytes(StandardCharsets.UTF_8),
                                Map.of(),
                                Map.of()))
                        .toList();
                scene.registry().serve(b + "/wide0", index(children));
            }
        }

        @Override
        void proof(AttackScene scene, String b, long mark) {
            assertThat(scene.registry()
                            .asked()
                            .filter(asked -> asked.path().startsWith("/v2/" + b + "/wide0/manifests/sha256:")))
                    .as("requested children of a wide index")
                    .hasSizeLessThan(250);
        }
    },

    A_LIMIT_THAT_RESETS_IN_THE_YEAR_33658 {
        @Override
        void begin(AttackScene scene, String b) {
            TestImage image = TestImage.image("limited");
            scene.registry().answer(b + "/far", exchange -> {
                if (exchange.user().isEmpty()) {
                    exchange.send(401, "", "WWW-Authenticate: Basic realm=\"registry\"");
                } else {
                    exchange.send(
                            image,
                            "RateLimit-Limit: 100",
                            "RateLimit-Remaining: 50",
                            "RateLimit-Reset: 999999999999999");
                }
            });
            withAccount(scene, b, "far", 3);
        }
    },

    A_PLUGIN_THAT_LACKS_A_LIBRARY {
        @Override
        void prepare(AttackScene scene, String b, Map<String, String> settings) throws IOException {
            Path jars = Files.createDirectories(scene.folder().resolve("plugins"));
            settings.put("URUNNER_CONF_PLUGIN_DIR", jars.toString());
            for (String type : BrokenPlugin.all(jars)) {
                HostileRegistry own = scene.with(new HostileRegistry(scene.real()));
                scene.registry(own.host(), "type: " + type);
                scene.deployment(b, type.replace('_', '-'), own.host() + "/" + b + "/app:latest", 0, pod -> {});
            }
        }

        @Override
        void begin(AttackScene scene, String b) {}

        @Override
        void proof(AttackScene scene, String b, long mark) throws Exception {
            assertThat(scene.agent().log()).contains("NoClassDefFoundError", "lacks_a_library.jar");
            assertThat(scene.agent().command("explain")).contains(b + "/Deployment/lacks-a-library");
        }
    },

    BODIES_THAT_TRICKLE {
        @Override
        void begin(AttackScene scene, String b) {
            moving(scene, b, "trickle", 12);
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            for (int i = 0; i < 12; i++) {
                TestImage image = TestImage.image(b + i + "-" + push);
                String repository = b + "/trickle" + i;
                String which = i % 2 == 0 ? "/manifests/sha256:" : "/blobs/sha256:";
                scene.registry().serve(repository, image);
                scene.registry()
                        .answer(
                                exchange -> exchange.isBelow(repository)
                                        && exchange.path().contains(which),
                                exchange -> {
                                    exchange.write("HTTP/1.1 200 OK\r\nContent-Type: " + image.mediaType()
                                            + "\r\nContent-Length: 4000000\r\n\r\n");
                                    exchange.trickle("{ ");
                                });
            }
        }
    },

    A_LONG_MEDIA_TYPE {
        @Override
        void begin(AttackScene scene, String b) {
            scene.containers(b, "typed", 10, b + "/typed");
            scene.registry().answer(b + "/typed", exchange -> {
                TestImage image = TestImage.image(exchange.path() + System.nanoTime());
                exchange.send(
                        200,
                        image.manifest(),
                        "Content-Type: application/" + "x".repeat(200_000),
                        "Docker-Content-Digest: " + image.digest());
            });
        }

        @Override
        void proof(AttackScene scene, String b, long mark) throws IOException {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(scene.folder(), "db*")) {
                long size = 0;
                for (Path file : files) {
                    size += Files.size(file);
                    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                            .as("mode of %s", file)
                            .isEqualTo("rw-------");
                }
                // SQLite's write-ahead log alone has up to 4 MB.
                assertThat(size).as("size of the history").isLessThan(6_000_000);
            }
        }
    },

    STRANGERS_AT_THE_PORT {
        private static final int CONNECTIONS = 24;
        private static final List<String> MALFORMED = List.of(
                "GET mailto:x HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /\u0000 HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
                "POST /hooks/generic HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                "POST /hooks/generic HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                "POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
                "POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
                "NONSENSE\r\n\r\n",
                "GET /livez HTTP/9.9\r\nHost: x\r\n\r\n");

        @Override
        void begin(AttackScene scene, String b) throws IOException {
            for (int i = 0; i < CONNECTIONS; i++) {
                Socket socket = scene.with(stranger(scene));
                Thread sender = new Thread(() -> pipeline(socket), "stranger");
                sender.setDaemon(true);
                sender.start();
                // One sends nothing, one never ends its request, one announces a body and sends none.
                scene.with(stranger(scene));
                send(scene.with(stranger(scene)), "GET /metrics HTTP/1.1\r\nX: ");
                send(
                        scene.with(stranger(scene)),
                        "POST /hooks/generic HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n{");
            }
        }

        @Override
        void proof(AttackScene scene, String b, long mark) throws IOException {
            for (String request : MALFORMED) {
                try (Socket socket = stranger(scene)) {
                    socket.setSoTimeout(10_000);
                    send(socket, request);
                    String answer = new String(socket.getInputStream().readNBytes(12), StandardCharsets.ISO_8859_1);
                    assertThat(answer).as(request).startsWith("HTTP/1.").matches("HTTP/1.. [45]..|");
                } catch (SocketException e) {
                    // It was closed, which is fine for a stranger, too.
                }
            }
        }

        private static void pipeline(Socket socket) {
            try {
                while (true) {
                    send(socket, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100));
                }
            } catch (IOException e) {
                // The server closed it.
            }
        }

        private static void send(Socket socket, String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        /** From another address than the probes, which come from the kubelet. */
        private static Socket stranger(AttackScene scene) throws IOException {
            return new Socket(
                    InetAddress.getLoopbackAddress(), scene.agent().port(), InetAddress.getByName("127.0.0.2"), 0);
        }
    },

    MISLEADING_TOKEN_SERVERS {
        @Override
        void begin(AttackScene scene, String b) {
            String own = "http://" + scene.registry().host();
            List<String> realms = List.of(
                    "file:///etc/passwd",
                    "http://127.0.0.1:1/token",
                    "http://[::ffff:127.0.0.1]:1/token",
                    "http://2130706433:1/token",
                    "http://nowhere.invalid/token",
                    "",
                    "not a url",
                    own + "/token/" + "x".repeat(60_000),
                    own + "/hang",
                    own + "/endless",
                    own + "/empty",
                    own + "/v2/" + b + "/realm0/manifests/latest");
            for (int i = 0; i < realms.size(); i++) {
                String challenge = "WWW-Authenticate: Bearer realm=\"" + realms.get(i) + "\",service=\"x\"";
                scene.registry().answer(b + "/realm" + i, exchange -> exchange.send(401, "", challenge));
                asked(scene, b, "realm" + i);
            }
            scene.registry().answer(exchange -> exchange.path().startsWith("/hang"), HostileRegistry.Exchange::hang);
            scene.registry().answer(exchange -> exchange.path().startsWith("/endless"), exchange -> {
                exchange.write("HTTP/1.1 200 OK\r\n\r\n{\"token\":\"");
                exchange.repeat("x", 200_000_000L);
            });
            scene.registry()
                    .answer(exchange -> exchange.path().startsWith("/empty"), exchange -> exchange.send(200, ""));
        }
    },

    NAMES_OF_PRIVATE_ADDRESSES {
        /** Addresses of this machine and its network; the registry's own host is 127.0.0.1. */
        private static final List<String> HOSTS = List.of(
                "127.0.0.2",
                "127.2",
                "2130706434",
                "0x7f000002",
                "0177.0.0.2",
                "[::1]",
                "[::ffff:127.0.0.2]",
                "localhost",
                "169.254.169.254",
                "[fd00:ec2::254]",
                "loopback.example",
                "trap.example",
                "metadata.example",
                "nat64.example",
                "6to4.example",
                "both.example",
                "moving.example");

        private static final String NAMES = """
                127.0.0.1 localhost loopback.example
                127.0.0.2 trap.example both.example
                203.0.113.1 both.example
                169.254.169.254 metadata.example
                64:ff9b::7f00:2 nat64.example
                2002:7f00:2::1 6to4.example
                """;

        /** The address to which a name is changed while the agent runs, from none. */
        private static final List<String> MOVES =
                List.of("10.0.0.1", "127.0.0.2", "::ffff:127.0.0.2", "fd00::1", "127.0.0.2");

        @Override
        void prepare(AttackScene scene, String b, Map<String, String> settings) throws IOException {
            settings.put(
                    "JAVA_TOOL_OPTIONS",
                    "-Djdk.net.hosts.file=" + Files.writeString(names(scene), NAMES)
                            + " -Dsun.net.inetaddr.ttl=0 -Dsun.net.inetaddr.negative.ttl=0");
        }

        @Override
        void begin(AttackScene scene, String b) throws IOException {
            for (String host : HOSTS) {
                String url = "https://" + host + ":" + scene.elsewhere(this).port() + "/";
                String folder = b + "/elsewhere/h" + HOSTS.indexOf(host);
                leads(scene.registry(), folder + "/realm", folder + "/redirect", url);
            }
            withAccount(
                    scene,
                    b,
                    "elsewhere",
                    IntStream.range(0, HOSTS.size())
                            .boxed()
                            .flatMap(i -> Stream.of("h" + i + "/realm", "h" + i + "/redirect"))
                            .toList());
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) throws IOException {
            Files.writeString(names(scene), NAMES + MOVES.get(push) + " moving.example\n");
        }

        @Override
        void proof(AttackScene scene, String b, long mark) throws Exception {
            scene.awaitIfAlone(
                    "of each it is said that it is private",
                    () -> refused(scene, b).count() == 2L * HOSTS.size());
            assertThat(scene.elsewhere(this).connections())
                    .as("connections to private addresses")
                    .isZero();
        }

        private static Stream<String> refused(AttackScene scene, String b) {
            return scene.agent()
                    .log()
                    .lines()
                    .filter(line -> line.contains(" image ") && line.contains("it is a private address"))
                    .flatMap(line -> Stream.of(line.split("[ :]")).filter(word -> word.contains(b + "/elsewhere/")))
                    .distinct();
        }

        private static Path names(AttackScene scene) {
            return scene.folder().resolve("hosts");
        }
    },

    UNVERIFIED_CERTIFICATES {
        private static final String PASSWORD = "the-password-of-the-operator";

        @Override
        void prepare(AttackScene scene, String b, Map<String, String> settings) throws IOException {
            HostileRegistry own = scene.with(new HostileRegistry(scene.real()));
            own.speakTls("nobody.example");
            own.restrict(b + "/own", "operator", PASSWORD);
            UsedSecrets.add(PASSWORD);
            scene.registry(
                    own.host(),
                    "type: generic, credentials: {user: operator, pass: {file: '"
                            + Files.writeString(scene.folder().resolve("password"), PASSWORD)
                            + "'}}, tls: {verify: false}, trustedHosts: ['127.0.0.2']");
            scene.real().push(b + "/own", "latest", "before");
            scene.deployment(b, "own", own.host() + "/" + b + "/own:latest", 1, pod -> {});
            // Another port of the same host, and a host that the operator trusts it to refer to.
            HostileRegistry elsewhere = scene.elsewhere(this);
            elsewhere.speakTls("127.0.0.1", "127.0.0.2");
            for (String host : List.of("127.0.0.1", "127.0.0.2")) {
                String url = "https://" + host + ":" + elsewhere.port() + "/";
                String name = host.replace('.', '-');
                leads(own, b + "/realm/" + name, b + "/redirect/" + name, url);
                for (String way : List.of("realm", "redirect")) {
                    String image = own.host() + "/" + b + "/" + way + "/" + name + ":latest";
                    scene.deployment(b, way + "-" + name, image, 0, pod -> {});
                }
            }
        }

        @Override
        void begin(AttackScene scene, String b) {}

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            if (push == 0) {
                scene.cluster().awaitRollout(own(b), Seen.within(AttackScene.SOON));
                scene.real().push(b + "/own", "latest", "after");
            }
        }

        @Override
        void proof(AttackScene scene, String b, long mark) throws Exception {
            scene.agent()
                    .await(
                            "the host whose certificate need not be checked is followed",
                            Seen.within(AttackScene.SOON),
                            () -> Seen.actedOn(
                                    scene.cluster(),
                                    own(b),
                                    TestImage.image("after").digest()));
            HostileRegistry elsewhere = scene.elsewhere(this);
            assertThat(elsewhere.connections()).as("connections to other hosts").isPositive();
            assertThat(elsewhere.asked()).as("requests sent to them").isEmpty();
        }

        private static WorkloadId own(String b) {
            return deployment(b, "own");
        }
    },

    SECRETS_IN_MESSAGES {
        private static final String SECRET = "5ecret-of-b";
        private static final String IN_BASE64 = HostileRegistry.base64("bot:" + SECRET);

        /** In the forms in which others quote secrets: in a URL, a parameter, a member or a header. */
        private static final List<String> TEXTS = Stream.concat(
                        Stream.of(
                                "see https://bot:" + SECRET + "@git.example/x",
                                "see //" + SECRET + "@git.example/x",
                                "https://bot:5/#" + SECRET + "@git.example",
                                "bot:" + SECRET + "@git.example is no host",
                                "password=a;" + SECRET,
                                "jdbc:postgresql://db/x?user=u&sslpassword=a b " + SECRET,
                                "{\"password\": \"a b " + SECRET + "\"}",
                                "https://git.example/x?private_token=" + SECRET,
                                "X-Amz-Signature=" + SECRET,
                                "Authorization: Basic " + IN_BASE64,
                                "Authorization: Bearer " + SECRET + "-".repeat(10),
                                "eyJhbGciOiJub25lIn0." + IN_BASE64 + "." + SECRET),
                        // Without the characters that end a secret.
                        IntStream.of(256, 300, 1000, 1024)
                                .mapToObj(cut ->
                                        "x ".repeat(cut / 2 - 15) + "bot:" + SECRET + "-".repeat(90) + "@git.example"))
                .toList();

        /** Pull secrets that cannot be read, the last two not even as JSON. */
        private static final List<String> PULL_SECRETS = List.of(
                "{\"auths\":{\"%s\":{\"auth\":\"" + SECRET + "\"}}}",
                "{\"auths\":{\"%s\":{\"auth\":\"NWVjcmV0LW9mLWI=\"}}}",
                "{\"auths\":{\"%s\":{\"password\":[\"" + SECRET + "\"]}}}",
                "{\"auths\":{\"bot:" + SECRET + "@%s\":{\"auth\":5}}}",
                "{\"auths\":{\"https://bot:" + SECRET + "@%s/?password=" + SECRET + "\":{\"auth\":\"" + SECRET
                        + "\"}}}",
                "{\"auths\":{\"%s\":{\"password\":\"" + SECRET,
                SECRET);

        /** A token server's answers. */
        private static final List<String> TOKENS = List.of(
                "{\"token\":" + SECRET + "}",
                "{\"token\":\"" + SECRET,
                "{\"token\":\"" + SECRET + "\\u0000\"}",
                "{\"token\":[\"" + SECRET + "\"]}",
                SECRET);

        @Override
        void begin(AttackScene scene, String b) {
            UsedSecrets.add(SECRET);
            for (int i = 0; i < TEXTS.size(); i++) {
                String text = TEXTS.get(i);
                says(
                        scene,
                        b,
                        "error" + i,
                        1,
                        403,
                        "{\"errors\":[{\"code\":\"DENIED\",\"message\":" + json(text) + "}]}");
                says(scene, b, "page" + i, 0, 403, text);
                says(scene, b, "realm" + i, 0, 401, "", "WWW-Authenticate: Bearer realm=" + json(text));
                says(scene, b, "redirect" + i, 0, 307, "", "Location: " + text);
                says(scene, b, "warning" + i, 0, 404, "", "Warning: 299 - " + json(text));
                annotate(scene, b, "page" + i, "urunner.io/window", text);
            }
            for (int i = 0; i < TOKENS.size(); i++) {
                String realm = "/token-of-b/" + i;
                String token = TOKENS.get(i);
                says(scene, b, "token" + i, 1, 401, "", "WWW-Authenticate: Bearer realm=\"" + realm + "\"");
                scene.registry()
                        .answer(exchange -> exchange.path().startsWith(realm), exchange -> exchange.send(200, token));
            }
            scene.registry()
                    .answer(
                            b + "/odd",
                            exchange -> exchange.send(401, "", "WWW-Authenticate: Basic realm=\"registry\""));
            for (int i = 0; i < PULL_SECRETS.size(); i++) {
                ObjectNode secret = Cluster.object("v1", "Secret", "odd" + i);
                // For the type of pull secrets the API server accepts only JSON.
                boolean isJson = i < PULL_SECRETS.size() - 2;
                secret.put("type", isJson ? "kubernetes.io/dockerconfigjson" : "bot:" + SECRET + "@b.example/x");
                String content = PULL_SECRETS.get(i).formatted(scene.registry().host());
                secret.putObject("data").put(".dockerconfigjson", HostileRegistry.base64(content));
                scene.cluster().create("/api/v1/namespaces/" + b + "/secrets", secret);
                String name = "odd" + i;
                scene.deployment(b, name, scene.image(b + "/odd/" + i), 0, pod -> AttackScene.pullSecrets(pod, name));
            }
            scene.deployment(b, "image", "bot:" + SECRET + "@" + scene.image(b + "/image"), 0, pod -> {});
            moving(scene, b, "labels", 1);
        }

        @Override
        void beforePush(AttackScene scene, String b, String digest, int push) {
            TestImage labelled = TestImage.labelled("labels" + push, labels(TEXTS.get(push)));
            scene.real().push(b + "/labels0", "latest", labelled);
        }

        @Override
        void proof(AttackScene scene, String b, long mark) throws Exception {
            scene.awaitIfAlone(
                    "all have been asked for",
                    () -> Stream.of("error", "page", "realm", "redirect", "warning")
                            .allMatch(way -> IntStream.range(0, TEXTS.size())
                                    .allMatch(i -> scene.registry().asked(b + "/" + way + i) > 0)));
            String explained = scene.agent().command("explain");
            assertThat(explained).contains(b + "/Deployment/error0", "[secret]");
            String all = Stream.of(
                            scene.agent().log(),
                            explained,
                            scene.agent().command("explain", "-o", "json"),
                            scene.agent().command("doctor"),
                            scene.agent().metrics(),
                            scene.told(b))
                    .collect(Collectors.joining("\n"));
            assertThat(all.lines()
                            .filter(line -> line.contains(SECRET) || line.contains(IN_BASE64))
                            .map(line -> line.replace(SECRET, "(the secret)").replace(IN_BASE64, "(in base64)"))
                            .distinct())
                    .as("lines with a secret")
                    .isEmpty();
        }

        private static void says(
                AttackScene scene, String b, String name, int pods, int status, String body, String... headers) {
            scene.registry().answer(b + "/" + name, exchange -> exchange.send(status, body, headers));
            scene.deployment(b, name, scene.image(b + "/" + name), pods, Attack::isNeverScheduled);
        }
    },

    AN_AGENT_TAKEN_OVER {
        @Override
        void prepare(AttackScene scene, String b, Map<String, String> settings) throws IOException {
            String own = scene.cluster().plainNamespace();
            Chart chart = Chart.render(
                    scene.folder(),
                    "{scope: [" + settings.get("URUNNER_CONF_NAMESPACES") + "], rbac: {pullSecrets: true}}");
            for (String kind : List.of("ServiceAccount", "Role", "RoleBinding")) {
                for (JsonNode object : chart.all(kind)) {
                    JsonNode ours = Cluster.json(object.toString().replace("\"agents\"", json(own)));
                    scene.cluster()
                            .create(
                                    (kind.startsWith("Role") ? "/apis/rbac.authorization.k8s.io/v1" : "/api/v1")
                                            + "/namespaces/"
                                            + ours.at("/metadata/namespace").asText() + "/"
                                            + kind.toLowerCase(Locale.ROOT) + "s",
                                    ours);
                }
            }
            ObjectNode secret = Cluster.object("v1", "Secret", "theirs");
            scene.cluster().create("/api/v1/namespaces/" + own + "/secrets", secret);
            settings.put(
                    "KUBECONFIG",
                    Files.copy(scene.cluster().tokenKubeconfig(own, "urunner"), kubeconfig(scene))
                            .toString());
        }

        @Override
        void begin(AttackScene scene, String b) {}

        @Override
        void proof(AttackScene scene, String b, long mark) {
            try (Cluster taken = Cluster.of(kubeconfig(scene))) {
                String own = taken.configuration().namespace().orElseThrow();
                Map<String, Integer> statuses = new LinkedHashMap<>();
                for (String path : List.of(
                        "/api/v1/namespaces/" + scene.a() + "/secrets/registry",
                        "/api/v1/namespaces/" + own + "/secrets/theirs",
                        "/api/v1/namespaces/kube-system/secrets/any",
                        "/api/v1/namespaces/" + scene.a() + "/secrets",
                        "/api/v1/secrets",
                        "/api/v1/namespaces/" + own + "/serviceaccounts/default",
                        "/apis/apps/v1/namespaces/" + own + "/deployments",
                        "/apis/apps/v1/deployments")) {
                    statuses.put(path, taken.send("GET", path, "", null).status());
                }
                assertThat(statuses.values())
                        .as(statuses.toString())
                        .containsExactly(200, 403, 403, 403, 403, 403, 403, 403);
            }
        }

        private static Path kubeconfig(AttackScene scene) {
            return scene.folder().resolve("kubeconfig");
        }
    };

    /** Called before the agent is started: for settings that are not B's, and objects that B had before. */
    void prepare(AttackScene scene, String b, Map<String, String> settings) throws Exception {}

    /** Called while the agent follows A. */
    abstract void begin(AttackScene scene, String b) throws Exception;

    /** Called before each push of A; B knows the digest that the public image will have. */
    void beforePush(AttackScene scene, String b, String digest, int push) throws Exception {}

    /** Called after the pushes: verifies what else B did not get. */
    void proof(AttackScene scene, String b, long mark) throws Exception {}

    /** Deployments whose tags will move to something malicious while their pods run something ordinary. */
    private static void moving(AttackScene scene, String b, String name, int count) {
        for (int i = 0; i < count; i++) {
            scene.real().push(b + "/" + name + i, "latest", b + name + i);
            scene.deployment(b, name + i, scene.image(b + "/" + name + i), 1, pod -> {});
        }
    }

    /** A Deployment without pods, for whose image the agent asks. */
    private static void asked(AttackScene scene, String b, String name) {
        scene.deployment(b, name, scene.image(b + "/" + name), 0, pod -> {});
    }

    /** The registry leads those who ask for one repository to a token server, and for another one elsewhere. */
    private static void leads(HostileRegistry registry, String realm, String redirect, String url) {
        registry.answer(realm, exchange -> exchange.send(401, "", "WWW-Authenticate: Bearer realm=\"" + url + "\""));
        registry.answer(redirect, exchange -> exchange.send(307, "", "Location: " + url));
    }

    /** All labels that the agent shows, with the same text. */
    private static Map<String, String> labels(String text) {
        String escaped = json(text);
        return Stream.of("version", "revision", "source", "created", "title")
                .collect(Collectors.toMap(
                        name -> "org.opencontainers.image." + name,
                        name -> escaped.substring(1, escaped.length() - 1)));
    }

    private static WorkloadId deployment(String b, String name) {
        return new WorkloadId(b, WorkloadKind.DEPLOYMENT, name);
    }

    /** Deployments of images that only B's account can read. */
    private static void withAccount(AttackScene scene, String b, String name, int count) {
        withAccount(
                scene,
                b,
                name,
                IntStream.range(0, count).mapToObj(Integer::toString).toList());
    }

    private static void withAccount(AttackScene scene, String b, String name, List<String> images) {
        scene.secret(b, "account", Map.of(scene.registry().host(), "tenant-b:the-password-of-tenant-b"));
        for (int i = 0; i < images.size(); i++) {
            scene.deployment(
                    b,
                    name + i,
                    scene.image(b + "/" + name + "/" + images.get(i)),
                    0,
                    pod -> AttackScene.pullSecrets(pod, "account"));
        }
    }

    private static void isNeverScheduled(ObjectNode pod) {
        pod.put("schedulerName", "nobody");
    }

    private static void annotate(AttackScene scene, String b, String workload, String name, String value) {
        ObjectNode patch = (ObjectNode) Cluster.json("{}");
        patch.withObject("/metadata/annotations").put(name, value);
        scene.cluster().edit(deployment(b, workload), patch.toString());
    }

    private static TestImage index(List<TestImage> children) {
        Map<String, TestImage> all = new LinkedHashMap<>();
        children.forEach(child -> all.put(child.digest(), child));
        String entries = children.stream()
                .map(child -> "{\"mediaType\":\"" + child.mediaType() + "\",\"digest\":\"" + child.digest()
                        + "\",\"size\":" + child.manifest().length + "}")
                .collect(Collectors.joining(","));
        String index =
                "{\"schemaVersion\":2,\"mediaType\":\"" + TestImage.OCI_INDEX + "\",\"manifests\":[" + entries + "]}";
        return new TestImage(TestImage.OCI_INDEX, index.getBytes(StandardCharsets.UTF_8), Map.of(), all);
    }

    private static String json(String text) {
        return TextNode.valueOf(text).toString();
    }
}
