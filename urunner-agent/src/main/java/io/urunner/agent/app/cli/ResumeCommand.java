package io.urunner.agent.app.cli;

import io.urunner.agent.app.rollback.Operator;
import io.urunner.agent.app.rollback.RefusedException;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "resume",
        description = "End a hold: restore the original image references, so that the tag is followed again."
                + " Lift the quarantine of a digest whose rollout failed in this workload.")
final class ResumeCommand extends ChangeCommand {
    @Option(
            names = "--force",
            description =
                    "Resume even if the tag still has a digest whose rollout failed here; it is then rolled out again.")
    private boolean force;

    ResumeCommand(CommandContext context) {
        super(context);
    }

    @Override
    Operator.Result change(Operator operator, WorkloadId id, boolean isDryRun, With with)
            throws RefusedException, KubeException, InterruptedException {
        return operator.resume(id, force, isDryRun, timeout());
    }
}
