package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.rollback.RefusedException;
import io.urunner.agent.app.rollback.Surroundings;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** Base of the commands that show or change single workloads. */
abstract class ByHandCommand implements Callable<Integer> {
    /** How long to retry an API server that does not answer; a shorter timeout wins. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    final CommandContext context;

    @Mixin
    private final NamespaceOption namespace = new NamespaceOption();

    @Mixin
    private final Output output = new Output();

    @Mixin
    private final Reach reach = new Reach();

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    ByHandCommand(CommandContext context) {
        this.context = context;
    }

    /** What a command works with. */
    record With(CommandContext context, Surroundings surroundings, Wiring.Caller caller) {}

    /** Runs the command; returns the exit code. */
    abstract int run(With with)
            throws RefusedException, KubeException, CommandException, ConfigurationException, InterruptedException;

    /** The limit for the whole command. */
    Duration timeout() {
        return PATIENCE;
    }

    @Override
    public Integer call() throws ConfigurationException, CommandException, InterruptedException {
        try (Reach.With with = reach.with(context, settings)) {
            with.vantage().history().ifPresent(note -> context.err().println("urunner: " + note));
            CommandContext there = with.context();
            Configuration configuration = settings.load(there, false);
            Wiring.Caller caller = context.wiring().caller(configuration, there.environment());
            Duration patience = timeout().compareTo(PATIENCE) < 0 ? timeout() : PATIENCE;
            try (Wiring.ByHand tools = context.wiring().byHand(configuration, there.environment(), patience)) {
                return run(new With(there, tools.surroundings(), caller));
            }
        } catch (RefusedException e) {
            throw new CommandException(
                    String.valueOf(e.getMessage()),
                    e.isWronglyAsked() ? ExitCode.WRONG_CONFIGURATION : ExitCode.HINDERED,
                    e);
        } catch (KubeException e) {
            throw new CommandException(String.valueOf(e.getMessage()), ExitCode.HINDERED, e);
        }
    }

    WorkloadId workload(WorkloadName named, With with) throws CommandException {
        if (named.kind().isEmpty()) {
            String name = named.namespace().orElse("");
            throw new CommandException(
                    WorkloadName.noWorkload(name) + with.surroundings().didYouMean(name), ExitCode.WRONG_CONFIGURATION);
        }
        return named.in(namespace.name(), with.caller().namespace());
    }

    Form form() {
        return output.form(context);
    }

    void print(String line) {
        context.out().println(line);
        context.out().flush();
    }
}
