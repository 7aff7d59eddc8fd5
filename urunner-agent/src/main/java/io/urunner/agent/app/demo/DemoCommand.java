package io.urunner.agent.app.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.app.cli.Cli;
import io.urunner.agent.app.cli.CommandContext;
import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.CommandProvider;
import io.urunner.agent.app.cli.ExitCode;
import io.urunner.agent.app.cli.Termination;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.WorkloadKind;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code urunner demo}: shows the unchanged agent at work. The registry and the API server are stand-ins;
 * their answers are real, and so are the printed digests.
 */
@Command(
        name = "demo",
        description = "Show URunner at work, without a cluster, a registry or a container engine.",
        footer = {
            "",
            "Starts a small registry and a stand-in for the Kubernetes API server in this",
            "process, deploys two workloads, pushes a new image under the same tag, and lets",
            "the agent do the rest. Exits by itself."
        })
final class DemoCommand implements Callable<Integer> {
    private static final String NAMESPACE = "demo";
    private static final List<String> WORKLOADS = List.of("web", "worker");
    private static final String REPOSITORY = "shop/app";
    private static final String TAG = "latest";
    private static final int SECONDS_PER_STEP = 60;
    private static final int SECONDS_BETWEEN_PUSHES = 10;

    @Option(names = "--keep", description = "Keep going, with a push every 10 seconds, until Ctrl-C.")
    private boolean keep;

    private final CommandContext context;

    private DemoCommand(CommandContext context) {
        this.context = context;
    }

    /** Found by ServiceLoader. */
    public static final class Provider implements CommandProvider {
        @Override
        public Callable<Integer> command(CommandContext context) {
            return new DemoCommand(context);
        }
    }

    @Override
    public Integer call() throws IOException, InterruptedException, CommandException {
        say("demo      a small registry and a stand-in for the Kubernetes API server run in this process;");
        say("demo      no cluster, no registry and no container engine is used. The agent is the real one.");
        Path directory = Files.createTempDirectory("urunner-demo");
        context.termination().listen();
        ApiObjects objects = new ApiObjects();
        Thread main = Thread.currentThread();
        Thread terminator = thread("demo-termination", () -> {
            context.termination().await();
            main.interrupt();
        });
        try (DemoRegistry registry = DemoRegistry.start();
                DemoApiServer api = DemoApiServer.start(objects);
                DemoControllers controllers = DemoControllers.start(objects, this::say)) {
            show(registry, api, objects, directory);
            return ExitCode.OK;
        } catch (InterruptedException e) {
            if (!keep) {
                throw e;
            }
            return ExitCode.OK;
        } finally {
            terminator.interrupt();
            delete(directory);
        }
    }

    private void show(DemoRegistry registry, DemoApiServer api, ApiObjects objects, Path directory)
            throws IOException, InterruptedException, CommandException {
        String image = registry.host() + "/" + REPOSITORY + ":" + TAG;
        String first = registry.push(REPOSITORY, TAG, "1");
        say("registry  " + image + " is " + first);
        deploy(objects, image);
        await("the pods run", () -> all(objects, first));

        CountDownLatch end = new CountDownLatch(1);
        Map<String, String> environment = environment(registry, api, directory);
        CommandContext inner =
                new CommandContext(environment, context.out(), context.err(), context.wiring(), until(end));
        say("agent     urunner run, asking every second");
        Thread agent = thread("demo-agent", () -> Cli.execute(inner, "run"));
        Thread narrator = thread("demo-narrator", () -> narrate(objects));
        try {
            int asked = registry.resolved();
            await("the agent asks the registry", () -> registry.resolved() >= asked + 2);
            int version = 2;
            do {
                roll(registry, objects, image, Integer.toString(version++));
                if (keep) {
                    say("demo      the next push comes in " + SECONDS_BETWEEN_PUSHES
                            + " seconds; press Ctrl-C to stop");
                    TimeUnit.SECONDS.timedJoin(agent, SECONDS_BETWEEN_PUSHES);
                }
            } while (keep);
            for (String name : WORKLOADS) {
                say("demo      " + NAMESPACE + "/" + name + ": its template was changed "
                        + times(templateChanges(objects, name)) + " for "
                        + Phrases.count(version - 2, "push", "pushes"));
            }
            say("demo      next: docs/install/README.md says how to install it in a cluster");
        } finally {
            narrator.interrupt();
            end.countDown();
            agent.join(TimeUnit.SECONDS.toMillis(5));
        }
    }

    private void roll(DemoRegistry registry, ApiObjects objects, String image, String version)
            throws InterruptedException, CommandException {
        int before = verified(objects);
        String digest = registry.push(REPOSITORY, TAG, version);
        say("registry  a new image is pushed: " + image + " is now " + digest);
        await("the agent rolls out " + digest, () -> all(objects, digest));
        await("the agent has verified both rollouts", () -> verified(objects) == before + WORKLOADS.size());
    }

    private static void deploy(ApiObjects objects, String image) {
        ObjectNode namespace = ApiObjects.JSON.createObjectNode();
        namespace.put("apiVersion", "v1").put("kind", "Namespace");
        namespace
                .putObject("metadata")
                .put("name", NAMESPACE)
                .putObject("labels")
                .put("urunner", "enable");
        objects.put("namespaces", namespace);
        for (String name : WORKLOADS) {
            ObjectNode deployment = ApiObjects.JSON.createObjectNode();
            deployment
                    .put("apiVersion", WorkloadKind.DEPLOYMENT.apiVersion())
                    .put("kind", WorkloadKind.DEPLOYMENT.kind());
            deployment.putObject("metadata").put("namespace", NAMESPACE).put("name", name);
            ObjectNode spec = deployment.putObject("spec");
            spec.put("replicas", 1)
                    .putObject("selector")
                    .putObject("matchLabels")
                    .put("app", name);
            ObjectNode template = spec.putObject("template");
            template.putObject("metadata").putObject("labels").put("app", name);
            template.putObject("spec")
                    .putArray("containers")
                    .addObject()
                    .put("name", "app")
                    .put("image", image)
                    .put("imagePullPolicy", "Always");
            objects.put(WorkloadKind.DEPLOYMENT.resource(), deployment);
        }
    }

    private static Map<String, String> environment(DemoRegistry registry, DemoApiServer api, Path directory)
            throws IOException {
        Path kubeconfig = directory.resolve("kubeconfig");
        Files.writeString(kubeconfig, """
                apiVersion: v1
                kind: Config
                clusters: [{name: demo, cluster: {server: "SERVER"}}]
                users: [{name: demo, user: {}}]
                contexts: [{name: demo, context: {cluster: demo, user: demo}}]
                current-context: demo
                """.replace("SERVER", api.url()));
        Map<String, String> environment = new HashMap<>();
        environment.put("KUBECONFIG", kubeconfig.toString());
        environment.put("URUNNER_CONF_KUBE_AUTH", "kubeconfig");
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", registry.host());
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic");
        environment.put("URUNNER_CONF_FREQUENCY_CHECK_SECONDS", "1");
        environment.put(
                "URUNNER_CONF_SQLLIGHT_PATH", directory.resolve("urunner.db").toString());
        environment.put("URUNNER_CONF_HTTP_PORT", "0");
        return environment;
    }

    /** Prints what the API server is asked to change. */
    private void narrate(ApiObjects objects) throws InterruptedException {
        long seen = objects.version();
        Map<String, String> told = new HashMap<>();
        while (true) {
            for (ApiObjects.Event event : objects.eventsAfter(seen)) {
                seen = event.version();
                ObjectNode object = event.object();
                if (event.resource().equals(WorkloadKind.DEPLOYMENT.resource())) {
                    String digests = annotation(object);
                    String name = object.path("metadata").path("name").asText();
                    if (!digests.isEmpty() && !digests.equals(told.put(name, digests))) {
                        say("api       deployment " + NAMESPACE + "/" + name + " is patched: urunner.io/digests = "
                                + digests);
                    }
                } else if (event.resource().equals("events") && event.type().equals("ADDED")) {
                    JsonNode about = object.has("regarding") ? object.path("regarding") : object.path("involvedObject");
                    say("event     " + NAMESPACE + "/" + about.path("name").asText() + " "
                            + object.path("reason").asText() + ": "
                            + object.path("message").asText(object.path("note").asText()));
                }
            }
        }
    }

    private static String times(long count) {
        return count == 1 ? "once" : Phrases.count(count, "time");
    }

    private static boolean all(ApiObjects objects, String digest) {
        List<ObjectNode> pods = objects.list("pods", NAMESPACE);
        return pods.size() == WORKLOADS.size()
                && pods.stream()
                        .allMatch(pod -> pod.path("status")
                                .path("containerStatuses")
                                .path(0)
                                .path("imageID")
                                .asText()
                                .endsWith("@" + digest));
    }

    /** The number of rollouts that the agent's Events report as successful. */
    private static int verified(ApiObjects objects) {
        return objects.list("events", NAMESPACE).stream()
                .filter(event -> event.path("reason").asText().equals("RolloutSucceeded"))
                .mapToInt(event -> Math.max(1, event.path("count").asInt()))
                .sum();
    }

    /** How often a deployment's specification was changed after its creation. */
    private static long templateChanges(ApiObjects objects, String name) {
        return objects.get(WorkloadKind.DEPLOYMENT.resource(), NAMESPACE, name)
                        .orElseThrow()
                        .path("metadata")
                        .path("generation")
                        .asLong()
                - 1;
    }

    private static String annotation(ObjectNode deployment) {
        return deployment
                .path("spec")
                .path("template")
                .path("metadata")
                .path("annotations")
                .path("urunner.io/digests")
                .asText();
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException, CommandException {
        CountDownLatch never = new CountDownLatch(1);
        for (int i = 0; i < SECONDS_PER_STEP * 20; i++) {
            if (condition.getAsBoolean()) {
                return;
            }
            never.await(50, TimeUnit.MILLISECONDS);
        }
        throw new CommandException(
                "the demonstration gave up after waiting " + SECONDS_PER_STEP + " s until " + what, ExitCode.HINDERED);
    }

    private static Termination until(CountDownLatch end) {
        return new Termination() {
            @Override
            public void listen() {}

            @Override
            public void await() throws InterruptedException {
                end.await();
            }
        };
    }

    /** The work of a thread, until it is interrupted. */
    private interface Work {
        void run() throws InterruptedException;
    }

    private static Thread thread(String name, Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void say(String line) {
        PrintWriter out = context.out();
        synchronized (out) {
            out.println(line);
            out.flush();
        }
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
