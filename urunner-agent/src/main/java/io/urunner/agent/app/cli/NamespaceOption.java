package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.kube.WorkloadId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option that says in which namespace a workload is. */
final class NamespaceOption {
    @Option(
            names = {"-n", "--namespace"},
            paramLabel = "NAME",
            description = "The namespace; for a workload without one the default is that of the kubeconfig's context.")
    private @Nullable String name;

    Optional<String> name() {
        return Optional.ofNullable(name);
    }

    /** The workload that somebody means. */
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
