package io.urunner.agent.app.cli;

import io.urunner.agent.app.rollback.Goal;
import io.urunner.agent.app.rollback.Operator;
import io.urunner.agent.app.rollback.RefusedException;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "rollback",
        description = {
            "Roll a workload back to an earlier digest of its tag, pin and hold it there, and follow the rollout.",
            "Repeating the same command changes nothing. 'urunner resume' ends the hold."
        })
final class RollbackCommand extends ChangeCommand {
    @Option(
            names = "--container",
            paramLabel = "NAME",
            description = "The container; required if the workload follows several tags.")
    private @Nullable String container;

    @Option(
            names = "--to",
            paramLabel = "DIGEST|-N|TIME",
            defaultValue = "-1",
            description = {
                "A digest, or its first 12 digits; the number of digests to go back from the current one, not counting those",
                "that failed here; or a time at which the tag had the digest, for example 2026-02-03T14:05:00Z, '2026-02-03 14:05' or 14:05. The default is ${DEFAULT-VALUE}."
            })
    private String to = "-1";

    @Option(names = "--until-next-push", description = "End the hold automatically when the tag moves.")
    private boolean untilNextPush;

    @Option(names = "--force", description = "Roll back even to a digest whose rollout failed here.")
    private boolean force;

    RollbackCommand(CommandContext context) {
        super(context);
    }

    @Override
    Operator.Result change(Operator operator, WorkloadId id, boolean isDryRun, With with)
            throws RefusedException, KubeException, CommandException, InterruptedException {
        return operator.rollback(
                id,
                new Operator.Request(
                        Optional.ofNullable(container), goal(with), untilNextPush, force, isDryRun, timeout()));
    }

    private Goal goal(With with) throws CommandException {
        ZonedDateTime now = with.surroundings().now().atZone(zone());
        Goal goal;
        try {
            goal = Goal.parse(to, now);
        } catch (IllegalArgumentException e) {
            throw new CommandException("--to: " + e.getMessage(), ExitCode.WRONG_CONFIGURATION, e);
        }
        if (goal instanceof Goal.At at && Goal.lacksZone(to)) {
            tell("--to " + to + " means " + Phrases.time(at.time()) + " (the time zone here is " + now.getZone() + ")");
        }
        return goal;
    }

    private ZoneId zone() {
        try {
            return ZoneId.of(context.environment().getOrDefault("TZ", ""));
        } catch (DateTimeException e) {
            return ZoneId.systemDefault();
        }
    }
}
