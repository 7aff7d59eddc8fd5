package io.urunner.agent.cli;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * With whose settings a command works: with this machine's or this pod's own where there are any, else with those of the
 * agent that runs in the cluster of the kubeconfig.
 */
final class Reach {
    private static final String OURS = "URUNNER_";

    @Option(
            names = "--agent-namespace",
            paramLabel = "NAME",
            description = "Work with the settings of the agent in this namespace of the kubeconfig's cluster.")
    private @Nullable String namespace;

    /** What a command works with. */
    record With(CommandContext context, Optional<Wiring.FoundAgent> agent) implements AutoCloseable {
        /** What the running agent answers; empty if it cannot be asked, which is said. */
        Optional<Answer> ask(String path) {
            Optional<Answer> told = agent.flatMap(found -> found.ask(path));
            if (told.isEmpty()) {
                note();
            }
            return told;
        }

        /** To show the agent's own settings, rather than to work with them. */
        CommandContext asItIsThere() {
            return agent.map(found -> context.with(found.ownEnvironment())).orElse(context);
        }

        /** A text with the paths of the agent's pod, instead of where its files lie here. */
        String asItIsThere(String text) {
            return agent.map(found -> found.inItsPod(text)).orElse(text);
        }

        /** Says what of the agent cannot be reached from here. */
        void note() {
            agent.map(Wiring.FoundAgent::note)
                    .filter(note -> !note.isEmpty())
                    .ifPresent(note -> context.err().println("urunner: " + note));
        }

        @Override
        public void close() {
            agent.ifPresent(Wiring.FoundAgent::close);
        }
    }

    /** Whether the agent in the cluster is meant, whatever there is here. */
    boolean isNamed() {
        return namespace != null;
    }

    /** Whether there are settings here: of this machine, or of the pod. */
    static boolean hasSettings(CommandContext context, SettingsOptions settings) {
        Map<String, String> environment = context.environment();
        return settings.given()
                || environment.containsKey("KUBERNETES_SERVICE_HOST")
                || environment.keySet().stream()
                        .anyMatch(name -> name.startsWith(OURS)
                                && !name.equals(RunningAgents.VARIABLE)
                                && !name.equals("URUNNER_CONF_KUBE_AUTH"));
    }

    /** Finds what to work with. */
    With with(CommandContext context, SettingsOptions settings) throws CommandException {
        return hasSettings(context, settings) ? ifNamed(context) : found(context);
    }

    /** The agent in the cluster if it is named; else what there is here, be it nothing. */
    With ifNamed(CommandContext context) throws CommandException {
        return isNamed() ? found(context) : new With(context, Optional.empty());
    }

    private With found(CommandContext context) throws CommandException {
        Wiring.FoundAgent agent = context.wiring().find(context.environment(), Optional.ofNullable(namespace));
        context.err()
                .println("urunner: with the settings of the agent " + agent.name() + " in the kubeconfig's cluster");
        return new With(context.with(agent.environment()), Optional.of(agent));
    }
}
