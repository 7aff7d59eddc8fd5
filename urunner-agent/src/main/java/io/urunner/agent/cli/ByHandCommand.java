package io.urunner.agent.cli;

import io.urunner.agent.config.ConfigurationException;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.rollback.RefusedException;
import io.urunner.agent.rollback.Surroundings;
import io.urunner.kube.KubeException;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** What the commands have in common that look at workloads and change them by hand. */
abstract class ByHandCommand implements Callable<Integer> {
    final CommandContext context;

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    ByHandCommand(CommandContext context) {
        this.context = context;
    }

    /** Does it, and gives the exit code. */
    abstract int run(Surroundings with) throws RefusedException, KubeException, CommandException, InterruptedException;

    @Override
    public Integer call() throws ConfigurationException, CommandException, InterruptedException {
        try (Wiring.ByHand tools = context.wiring().byHand(settings.load(context, false), context.environment())) {
            return run(tools.surroundings());
        } catch (RefusedException e) {
            throw new CommandException(
                    String.valueOf(e.getMessage()),
                    e.isWronglyAsked() ? ExitCode.WRONG_CONFIGURATION : ExitCode.HINDERED,
                    e);
        } catch (KubeException e) {
            throw new CommandException(String.valueOf(e.getMessage()), ExitCode.HINDERED, e);
        }
    }

    void print(String line) {
        context.out().println(line);
        context.out().flush();
    }

    /** In whose name something is done: the user of the machine, or the pod. */
    String by() {
        return Optional.ofNullable(context.environment().get("USER"))
                .or(() -> Optional.ofNullable(context.environment().get("HOSTNAME")))
                .filter(name -> !name.isBlank())
                .orElse("somebody");
    }

    static int exitCode(Optional<Outcome> outcome) {
        return outcome.isEmpty() || outcome.get() instanceof Outcome.Succeeded ? ExitCode.OK : ExitCode.HINDERED;
    }
}
