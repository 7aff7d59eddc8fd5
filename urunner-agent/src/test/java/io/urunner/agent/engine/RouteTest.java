package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.docs.Document;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.tags.Registries;
import io.urunner.agent.workloads.Cluster;
import io.urunner.kube.WorkloadId;
import java.lang.StackWalker.StackFrame;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The route of one push through the engine is the one that {@code docs/architecture.md} lists. The callers are read from
 * the stacks; if something continues later, on the loop or when a rollout ends, the stack of whatever requested that is put
 * in front.
 */
class RouteTest extends EngineScene {
    private static final Pattern STEP = Pattern.compile("\\d+\\. `(\\w+)`.*");
    private static final Pattern CLASS = Pattern.compile("`([A-Z]\\w+)`");
    private static final Set<String> PACKAGES = Set.of("plan", "history", "tags", "workloads", "rollouts", "engine");

    /** The callers that led to what runs now, the earliest first. */
    private List<String> before = List.of();
    /** The callers that led to each timer that was set. */
    private final List<List<String>> timers = new ArrayList<>();

    @Test
    void oneRouteLeadsFromTheAnswerOfARegistryToTheRecordOfTheOutcome() {
        WorkloadId id = cluster.deployment("web", D1, APP);
        start();
        push(D2);
        cluster.runs(id, D2);
        loop.advance(Duration.ofSeconds(6)); // everything learned so far is written
        timers.clear();
        cluster.succeeds(id);
        loop.settle();

        assertThat(ended).hasSize(1);
        List<String> listed = section()
                .map(STEP::matcher)
                .filter(Matcher::matches)
                .map(step -> step.group(1))
                .toList();
        assertThat(listed).hasSizeLessThan(10).doesNotHaveDuplicates();
        assertThat(timers)
                .filteredOn(
                        route -> !route.isEmpty() && route.get(route.size() - 1).equals("Memory"))
                .as("the callers that led to what is written later")
                .containsExactly(listed);
    }

    @Test
    void everyClassOnTheDocumentedRouteExists() {
        assertThat(section().flatMap(line -> CLASS.matcher(line).results()).map(name -> name.group(1)))
                .contains("Planner")
                .allSatisfy(name -> assertThat(PACKAGES)
                        .anyMatch(
                                layer -> Engine.class.getResource("/io/urunner/agent/" + layer + "/" + name + ".class")
                                        != null));
    }

    private static Stream<String> section() {
        return Document.at("docs/architecture.md").lines().stream()
                .dropWhile(line -> !line.equals("## The route of one push"))
                .skip(1)
                .takeWhile(line -> !line.startsWith("## "));
    }

    /** The classes of the engine that led here, each call from one to another once, since the last answer of a registry. */
    private List<String> route() {
        List<String> stack = new ArrayList<>(StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                .walk(frames -> frames.map(StackFrame::getDeclaringClass)
                        .filter(RouteTest::isOnTheWay)
                        .map(RouteTest::name)
                        .toList()));
        Collections.reverse(stack);
        List<String> route = new ArrayList<>(before);
        for (String name : stack) {
            if (name.equals(name(Registries.class))) {
                route.clear();
            }
            if (route.isEmpty() || !route.get(route.size() - 1).equals(name)) {
                route.add(name);
            }
        }
        return List.copyOf(route);
    }

    private static boolean isOnTheWay(Class<?> type) {
        return Objects.equals(
                        type.getProtectionDomain().getCodeSource(),
                        Engine.class.getProtectionDomain().getCodeSource())
                && PACKAGES.contains(type.getPackageName().replaceFirst(".*\\.", ""));
    }

    /** The name of the class whose file it is in; all that talk to registries count as {@link Registries}, their front. */
    private static String name(Class<?> type) {
        return type.getPackage().equals(Registries.class.getPackage())
                ? Registries.class.getSimpleName()
                : type.getNestHost().getSimpleName();
    }

    private Runnable carrying(Runnable task) {
        List<String> route = route();
        return () -> {
            List<String> saved = before;
            before = route;
            try {
                task.run();
            } finally {
                before = saved;
            }
        };
    }

    @Override
    Loop engineLoop() {
        return new Loop() {
            @Override
            public void execute(Runnable task) {
                loop.execute(carrying(task));
            }

            @Override
            public Timer after(Duration delay, Runnable task) {
                timers.add(route());
                return loop.after(delay, carrying(task));
            }

            @Override
            public long nanos() {
                return loop.nanos();
            }
        };
    }

    /** The end of a rollout comes from the caller that had it followed. */
    @Override
    Cluster engineCluster() {
        return (Cluster) Proxy.newProxyInstance(
                Cluster.class.getClassLoader(), new Class<?>[] {Cluster.class}, (proxy, method, arguments) -> {
                    Object answer;
                    try {
                        answer = method.invoke(cluster, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    return answer instanceof CompletableFuture<?> end ? carried(end) : answer;
                });
    }

    private <T> CompletableFuture<T> carried(CompletableFuture<T> end) {
        CompletableFuture<T> carried = new CompletableFuture<>();
        Runnable complete = carrying(() -> carried.complete(end.join()));
        CompletableFuture<Void> unused = end.thenRun(complete);
        return carried;
    }
}
