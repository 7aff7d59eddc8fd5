package io.urunner.agent.cli;

import io.urunner.agent.rollback.Operator;
import io.urunner.agent.rollback.RefusedException;
import io.urunner.agent.rollback.Surroundings;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "resume",
        description = "End a hold: put the images' original texts back, so that the tag is followed again."
                + " Lift the quarantine of a digest whose rollout failed at this workload.")
final class ResumeCommand extends ByHandCommand {
    @Parameters(
            paramLabel = WorkloadArgument.LABEL,
            converter = WorkloadArgument.class,
            description = WorkloadArgument.FORM)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private WorkloadId workload;

    @Option(names = "--dry-run", description = "Show the patch, but do not send it.")
    private boolean dryRun;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "900",
            description = "How long to follow the rollout; the default is ${DEFAULT-VALUE}.")
    private int timeout;

    ResumeCommand(CommandContext context) {
        super(context);
    }

    @Override
    int run(Surroundings with) throws RefusedException, KubeException, InterruptedException {
        return exitCode(new Operator(with, by(), this::print).resume(workload, dryRun, Duration.ofSeconds(timeout)));
    }
}
