package io.urunner.agent.app;

import io.urunner.agent.app.assembly.Composition;
import io.urunner.agent.app.cli.Cli;
import io.urunner.agent.app.cli.CommandContext;
import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.Wiring;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.agent.app.doctor.Vantage;
import io.urunner.agent.app.rollback.Surroundings;
import io.urunner.agent.workloads.Cluster;
import io.urunner.store.DigestStore;
import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The program, halted as with {@code kill -9} as soon as a command reaches a step: the first argument. */
public final class HaltingMain {
    /** The steps of a rollback. */
    public enum Step {
        COMMAND_ACCEPTED,
        PATCH_SENT,
        PATCH_ANSWERED,
        ROLLOUT_FINISHED,
        STORE_WRITTEN
    }

    static final int HALTED = 137;

    private HaltingMain() {}

    public static void main(String[] arguments) {
        Step step = Step.valueOf(arguments[0]);
        try (Composition composition = new Composition()) {
            int code = Cli.execute(
                    new CommandContext(
                            System.getenv(),
                            new PrintWriter(System.out, true),
                            new PrintWriter(System.err, true),
                            new HaltingWiring(composition, step),
                            () -> {}),
                    Arrays.copyOfRange(arguments, 1, arguments.length));
            System.exit(code);
        }
    }

    private static void halt() {
        Runtime.getRuntime().halt(HALTED);
    }

    private interface Call {
        Object proceed() throws Throwable;
    }

    private interface Around {
        Object call(String method, Object[] arguments, Call call) throws Throwable;
    }

    private static <T> T around(Class<T> type, T real, Around around) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> around.call(method.getName(), arguments, () -> {
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                })));
    }

    private record HaltingWiring(Composition real, Step step) implements Wiring {
        @Override
        public Look look(Configuration configuration, Map<String, String> environment, Vantage vantage)
                throws CommandException {
            return real.look(configuration, environment, vantage);
        }

        @Override
        public Caller caller(Configuration configuration, Map<String, String> environment) throws CommandException {
            return real.caller(configuration, environment);
        }

        @Override
        public FoundAgent find(Map<String, String> environment, Optional<String> namespace) throws CommandException {
            return real.find(environment, namespace);
        }

        @Override
        public ByHand byHand(Configuration configuration, Map<String, String> environment, Duration patience)
                throws CommandException {
            Surroundings with =
                    real.byHand(configuration, environment, patience).surroundings();
            Cluster cluster = around(Cluster.class, with.cluster(), this::patching);
            DigestStore store = around(DigestStore.class, with.store(), this::writing);
            return new ByHand(with.with(cluster).with(store), () -> {});
        }

        private Object patching(String method, Object[] arguments, Call call) throws Throwable {
            if (!method.equals("restart")) {
                return call.proceed();
            }
            if (step == Step.COMMAND_ACCEPTED) {
                halt();
            }
            if (step == Step.PATCH_SENT) {
                CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
                    try {
                        call.proceed();
                    } catch (Throwable e) {
                        throw new IllegalStateException(e);
                    }
                });
                // Long enough to send the request, usually too short to receive the answer.
                Thread.sleep(5);
                if (sending.isCompletedExceptionally()) {
                    sending.join();
                }
                halt();
            }
            Object answer = call.proceed();
            if (step == Step.PATCH_ANSWERED) {
                halt();
            }
            return answer;
        }

        private Object writing(String method, Object[] arguments, Call call) throws Throwable {
            boolean end = method.equals("write")
                    && ((DigestStore.Batch) arguments[0])
                            .rollouts().stream()
                                    .anyMatch(rollout -> rollout.finished().isPresent());
            if (end && step == Step.ROLLOUT_FINISHED) {
                halt();
            }
            Object answer = call.proceed();
            if (end && step == Step.STORE_WRITTEN) {
                halt();
            }
            return answer;
        }

        @Override
        public SettingsLoader.PluginDiscovery plugins() {
            return real.plugins();
        }

        @Override
        public void configureLogging(Settings.Log log, boolean toStdout) {
            real.configureLogging(log, toStdout);
        }

        @Override
        public Registries registries(Configuration configuration, Map<String, String> environment)
                throws CommandException {
            return real.registries(configuration, environment);
        }

        @Override
        public AgentProcess agent(Configuration configuration, Map<String, String> environment)
                throws CommandException {
            return real.agent(configuration, environment);
        }
    }
}
