package io.urunner.agent.app.cli;

import io.urunner.kube.KubeName;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A workload as users write it: {@code deploy/web}, {@code deployments.apps/web} or {@code shop/deploy/web}; or a namespace
 * alone. Immutable.
 *
 * @param namespace its namespace, if given
 * @param kind its kind; empty for a namespace alone
 * @param name its name; empty text for a namespace alone
 */
record WorkloadName(Optional<String> namespace, Optional<WorkloadKind> kind, String name) {
    /** The parameter's label. */
    static final String LABEL = "[NAMESPACE/]KIND/NAME";

    /** Examples for the descriptions of parameters. */
    static final String FORM = "for example deploy/web with -n shop, or shop/deploy/web";

    /** Reads one. */
    static WorkloadName parse(String text) {
        String[] parts = text.split("/", -1);
        String last = parts[parts.length - 1];
        boolean named = parts.length == 1 ? KubeName.isOfNamespace(last) : KubeName.isOfObject(last);
        if (parts.length > 3 || !named || (parts.length == 3 && !KubeName.isOfNamespace(parts[0]))) {
            throw new IllegalArgumentException(noWorkload(text));
        }
        if (parts.length == 1) {
            return new WorkloadName(Optional.of(parts[0]), Optional.empty(), "");
        }
        try {
            return new WorkloadName(
                    parts.length == 3 ? Optional.of(parts[0]) : Optional.empty(),
                    Optional.of(WorkloadKind.parse(parts[parts.length - 2])),
                    last);
        } catch (IllegalArgumentException e) {
            // Whoever writes shop/web forgot the kind.
            String meant = parts.length == 2 && KubeName.isOfNamespace(parts[0])
                    ? "; if '" + parts[0] + "' is the namespace, use " + parts[0] + "/deploy/" + last
                    : "";
            throw new IllegalArgumentException(
                    "'" + text + "' is not a workload: " + e.getMessage() + ", as in " + LABEL + ", " + FORM + meant,
                    e);
        }
    }

    /** The message about an invalid workload. */
    static String noWorkload(String text) {
        return "'" + text + "' is not a workload: use " + LABEL + ", " + FORM;
    }

    /** The workload, in its own namespace, else in that of the option or the kubeconfig. */
    WorkloadId in(Optional<String> option, Optional<String> context) throws CommandException {
        if (kind.isEmpty()) {
            throw new CommandException(noWorkload(namespace.orElse("")), ExitCode.WRONG_CONFIGURATION);
        }
        if (option.isPresent() && namespace.isPresent() && !option.equals(namespace)) {
            throw new CommandException(
                    "the workload is in the namespace " + namespace.get() + ", but -n says " + option.get()
                            + ": use only one",
                    ExitCode.WRONG_CONFIGURATION);
        }
        String where = namespace
                .or(() -> option)
                .or(() -> context)
                .orElseThrow(() -> new CommandException(
                        "in which namespace is " + kind.get().kind() + " " + name + "? Use -n NAMESPACE",
                        ExitCode.WRONG_CONFIGURATION));
        return new WorkloadId(where, kind.get(), name);
    }

    /** For {@code @Parameters(converter = …)}. */
    static final class Converter implements ITypeConverter<WorkloadName> {
        @Override
        public WorkloadName convert(String text) {
            try {
                return parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }
}
