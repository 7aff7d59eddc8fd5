package io.urunner.agent.cli;

import io.urunner.kube.WorkloadId;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads a workload from the command line: {@code NAMESPACE/KIND/NAME}, the kind in any case and by its short names
 * ({@code deploy}, {@code sts}, {@code ds}) too. For {@code @Parameters(converter = WorkloadArgument.class)}.
 */
final class WorkloadArgument implements ITypeConverter<WorkloadId> {
    /** The parameter's label. */
    static final String LABEL = "NAMESPACE/KIND/NAME";

    /** How a workload is written, for the descriptions of parameters. */
    static final String FORM = "for example shop/Deployment/web or shop/deploy/web";

    @Override
    public WorkloadId convert(String text) {
        try {
            return WorkloadId.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }
}
