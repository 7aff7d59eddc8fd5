package io.urunner.agent.app.cli;

import io.urunner.kube.KubeName;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A workload as people write it: {@code deploy/web}, {@code deployments.apps/web} or {@code shop/deploy/web}; or a namespace
 * alone. Immutable.
 *
 * @param namespace its namespace, if it is written
 * @param kind its kind; empty for a namespace alone
 * @param name its name; empty text for a namespace alone
 */
record WorkloadName(Optional<String> namespace, Optional<WorkloadKind> kind, String name) {
    /** The parameter's label. */
    static final String LABEL = "[NAMESPACE/]KIND/NAME";

    /** How a workload is written, for the descriptions of parameters. */
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
            // Whoever writes shop/web knows where it is, and forgot what it is.
            String meant = parts.length == 2 && KubeName.isOfNamespace(parts[0])
                    ? "; if '" + parts[0] + "' is its namespace, write " + parts[0] + "/deploy/" + last
                    : "";
            throw new IllegalArgumentException(
                    "'" + text + "' is no workload: " + e.getMessage() + ", as in " + LABEL + ", " + FORM + meant, e);
        }
    }

    /** That a text is none, and how one is written. */
    static String noWorkload(String text) {
        return "'" + text + "' is no workload: write " + LABEL + ", " + FORM;
    }

    /** The workload, in the namespace that is written with it, else in the one that an option or the kubeconfig names. */
    WorkloadId in(Optional<String> option, Optional<String> context) throws CommandException {
        if (kind.isEmpty()) {
            throw new CommandException(noWorkload(namespace.orElse("")), ExitCode.WRONG_CONFIGURATION);
        }
        if (option.isPresent() && namespace.isPresent() && !option.equals(namespace)) {
            throw new CommandException(
                    "the workload names the namespace " + namespace.get() + ", and -n the namespace " + option.get()
                            + ": which one is meant?",
                    ExitCode.WRONG_CONFIGURATION);
        }
        String where = namespace
                .or(() -> option)
                .or(() -> context)
                .orElseThrow(() -> new CommandException(
                        "in which namespace is " + kind.get().kind() + " " + name + "? Say it with -n NAMESPACE",
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
