package io.urunner.agent.app.cli;

import io.urunner.agent.app.doctor.Vantage;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * Chooses the settings of a command: those of this machine or pod if there are any, else those of the agent in the
 * kubeconfig's cluster.
 */
final class Reach {
    private static final String OURS = "URUNNER_";
    /** Variables that do not count as settings: how to query an agent, and what is printed with its answer. */
    private static final Pattern OF_A_CALLER = Pattern.compile(
            "URUNNER_(URL|JAVA_OPTS|SECR_HTTP_TOKEN(_FILE)?|CONF_LOG_LEVEL|CONF_LOG_FORMAT|CONF_KUBE_AUTH)");

    @Option(
            names = "--agent-namespace",
            paramLabel = "NAME",
            description = "Use the settings of the agent in this namespace of the kubeconfig's cluster.")
    private @Nullable String namespace;

    /** What a command works with. */
    record With(CommandContext context, Optional<Wiring.FoundAgent> agent) implements AutoCloseable {
        /** The answer of the running agent; empty if it cannot be queried. */
        Optional<Answer> ask(String path) {
            return agent.flatMap(found -> found.ask(path));
        }

        /** For showing the agent's own settings instead of using them. */
        CommandContext asItIsThere() {
            return agent.map(found -> context.with(found.ownEnvironment())).orElse(context);
        }

        /** A text with paths of the agent's pod instead of those of the local copies. */
        String asItIsThere(String text) {
            return agent.map(found -> found.inItsPod(text)).orElse(text);
        }

        /** From where the command looks if the agent does not answer. */
        Vantage vantage() {
            return agent.map(Wiring.FoundAgent::vantage).orElse(Vantage.HERE);
        }

        @Override
        public void close() {
            agent.ifPresent(Wiring.FoundAgent::close);
        }
    }

    /** Tells whether the agent in the cluster was chosen explicitly. */
    boolean isNamed() {
        return namespace != null;
    }

    /** Tells whether this machine or pod has settings. */
    static boolean hasSettings(CommandContext context, SettingsOptions settings) {
        Map<String, String> environment = context.environment();
        return settings.given()
                || environment.containsKey("KUBERNETES_SERVICE_HOST")
                || environment.keySet().stream()
                        .anyMatch(name -> name.startsWith(OURS)
                                && !OF_A_CALLER.matcher(name).matches());
    }

    /** Finds what to work with. */
    With with(CommandContext context, SettingsOptions settings) throws CommandException {
        return hasSettings(context, settings) ? ifNamed(context) : found(context);
    }

    /** The agent in the cluster if it was chosen explicitly; else what is here, even if that is nothing. */
    With ifNamed(CommandContext context) throws CommandException {
        return isNamed() ? found(context) : new With(context, Optional.empty());
    }

    private With found(CommandContext context) throws CommandException {
        Wiring.FoundAgent agent = context.wiring().find(context.environment(), Optional.ofNullable(namespace));
        context.err()
                .println("urunner: using the settings of the agent " + agent.name() + " in the kubeconfig's cluster");
        return new With(context.with(agent.environment()), Optional.of(agent));
    }
}
