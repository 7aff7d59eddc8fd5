package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.kube.WorkloadId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option for the namespace of a workload. */
final class NamespaceOption {
    @Option(
            names = {"-n", "--namespace"},
            paramLabel = "NAME",
            description = "The namespace; the default for a workload without one is that of the kubeconfig's context.")
    private @Nullable String name;

    Optional<String> name() {
        return Optional.ofNullable(name);
    }

    /** Completes a workload's name with its namespace. */
    WorkloadId of(WorkloadName workload, CommandContext context, SettingsOptions settings)
            throws CommandException, ConfigurationException {
        Optional<String> fallback = workload.namespace().isPresent() || name != null
                ? Optional.empty()
                : context.wiring()
                        .caller(settings.read(context), context.environment())
                        .namespace();
        return workload.in(name(), fallback);
    }
}
