package io.urunner.agent.app.cli;

import io.urunner.agent.app.doctor.Vantage;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * With whose settings a command works: with this machine's or this pod's own where there are any, else with those of the
 * agent that runs in the cluster of the kubeconfig.
 */
final class Reach {
    private static final String OURS = "URUNNER_";
    /** What somebody may have who has no settings: how an agent is asked, and what is printed beside its answer. */
    private static final Pattern OF_A_CALLER = Pattern.compile(
            "URUNNER_(URL|JAVA_OPTS|SECR_HTTP_TOKEN(_FILE)?|CONF_LOG_LEVEL|CONF_LOG_FORMAT|CONF_KUBE_AUTH)");

    @Option(
            names = "--agent-namespace",
            paramLabel = "NAME",
            description = "Work with the settings of the agent in this namespace of the kubeconfig's cluster.")
    private @Nullable String namespace;

    /** What a command works with. */
    record With(CommandContext context, Optional<Wiring.FoundAgent> agent) implements AutoCloseable {
        /** What the running agent answers; empty if it cannot be asked. */
        Optional<Answer> ask(String path) {
            return agent.flatMap(found -> found.ask(path));
        }

        /** To show the agent's own settings, rather than to work with them. */
        CommandContext asItIsThere() {
            return agent.map(found -> context.with(found.ownEnvironment())).orElse(context);
        }

        /** A text with the paths of the agent's pod, instead of where its files lie here. */
        String asItIsThere(String text) {
            return agent.map(found -> found.inItsPod(text)).orElse(text);
        }

        /** From where is looked, where the agent does not answer. */
        Vantage vantage() {
            return agent.map(Wiring.FoundAgent::vantage).orElse(Vantage.HERE);
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
                                && !OF_A_CALLER.matcher(name).matches());
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
