package io.urunner.agent.cli;

import io.urunner.agent.rollback.Goal;
import io.urunner.agent.rollback.Operator;
import io.urunner.agent.rollback.RefusedException;
import io.urunner.agent.rollback.Surroundings;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

@Command(
        name = "rollback",
        description = {
            "Take a workload back to a digest that its tag had, pin it there and hold it, and follow the rollout.",
            "Asking for the same again does nothing twice. 'urunner resume' ends the hold."
        })
final class RollbackCommand extends ByHandCommand {
    @Parameters(
            paramLabel = WorkloadArgument.LABEL,
            converter = WorkloadArgument.class,
            description = WorkloadArgument.FORM)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private WorkloadId workload;

    @Option(
            names = "--container",
            paramLabel = "NAME",
            description = "Which container; needed if the workload follows several tags.")
    private @Nullable String container;

    @Option(
            names = "--to",
            paramLabel = "DIGEST|-N|TIMESTAMP",
            defaultValue = "-1",
            converter = GoalArgument.class,
            description = {
                "A digest; so many digests back from what the tag has now; or what the tag had at a time,",
                "for example 2026-02-03T14:05:00Z. The default is ${DEFAULT-VALUE}."
            })
    private Goal to = new Goal.Back(1);

    @Option(names = "--until-next-push", description = "End the hold by itself when the tag moves on.")
    private boolean untilNextPush;

    @Option(names = "--dry-run", description = "Check everything and show the patch, but do not send it.")
    private boolean dryRun;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "900",
            description = "How long to follow the rollout; the default is ${DEFAULT-VALUE}.")
    private int timeout;

    RollbackCommand(CommandContext context) {
        super(context);
    }

    @Override
    int run(Surroundings with) throws RefusedException, KubeException, InterruptedException {
        return exitCode(new Operator(with, by(), this::print)
                .rollback(
                        workload,
                        new Operator.Request(
                                Optional.ofNullable(container),
                                to,
                                untilNextPush,
                                dryRun,
                                Duration.ofSeconds(timeout))));
    }

    static final class GoalArgument implements ITypeConverter<Goal> {
        @Override
        public Goal convert(String text) {
            try {
                return Goal.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }
}
