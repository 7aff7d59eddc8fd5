package io.urunner.agent.cli;

import io.urunner.agent.config.ConfigurationException;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line. To add a command, name it in {@link #commands}. */
public final class Cli {
    private static final Logger LOG = LoggerFactory.getLogger(Cli.class);

    private Cli() {}

    /**
     * Runs a command.
     *
     * @param context what the command gets from the program
     * @param arguments the words of the command line
     * @return the exit code
     */
    public static int execute(CommandContext context, String... arguments) {
        CommandLine line = commandLine(context);
        line.setOut(context.out())
                .setErr(context.err())
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
                .setParameterExceptionHandler(Cli::wrongUsage)
                .setExecutionExceptionHandler((failure, command, parsed) -> failed(failure, command));
        int code = line.execute(arguments);
        context.out().flush();
        context.err().flush();
        return code;
    }

    /** What reads the words of a command line. */
    static CommandLine commandLine(CommandContext context) {
        CommandLine line = new CommandLine(new Root());
        commands(line, context);
        return line.setCaseInsensitiveEnumValuesAllowed(true);
    }

    private static void commands(CommandLine line, CommandContext context) {
        line.addSubcommand(new RunCommand(context))
                .addSubcommand(new OnceCommand(context))
                .addSubcommand(new DigestCommand(context))
                .addSubcommand(new ConfigCommand(context))
                .addSubcommand(new ExplainCommand(context))
                .addSubcommand(new DoctorCommand(context))
                .addSubcommand(new HistoryCommand(context))
                .addSubcommand(new RollbackCommand(context))
                .addSubcommand(new ResumeCommand(context));
        for (CommandProvider provider : ServiceLoader.load(CommandProvider.class, Cli.class.getClassLoader())) {
            line.addSubcommand(provider.command(context));
        }
        line.getSubcommands()
                .values()
                .forEach(command -> command.getCommandSpec().mixinStandardHelpOptions(true));
    }

    private static int wrongUsage(ParameterException failure, String[] arguments) {
        CommandLine command = failure.getCommandLine();
        command.getErr().println("urunner: " + failure.getMessage());
        CommandLine.UnmatchedArgumentException.printSuggestions(failure, command.getErr());
        command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        return ExitCode.WRONG_CONFIGURATION;
    }

    private static int failed(Exception failure, CommandLine command) {
        if (failure instanceof ConfigurationException wrong) {
            command.getErr().print("urunner: " + wrong.getMessage() + "\n");
            return ExitCode.WRONG_CONFIGURATION;
        }
        if (failure instanceof CommandException known) {
            command.getErr().println("urunner: " + known.getMessage());
            LOG.debug("the command failed", known);
            return known.exitCode();
        }
        if (failure instanceof InterruptedException) {
            command.getErr().println("urunner: interrupted");
            return ExitCode.HINDERED;
        }
        LOG.error("the command failed; this is a defect of URunner", failure);
        command.getErr().println("urunner: failed unexpectedly: " + failure);
        return ExitCode.HINDERED;
    }

    @Command(
            name = "urunner",
            mixinStandardHelpOptions = true,
            versionProvider = Version.class,
            description = "Rolls out Kubernetes workloads when the digest behind their image tag moves.",
            synopsisSubcommandLabel = "COMMAND",
            commandListHeading = "%nCommands:%n",
            footer = {
                "",
                "Settings come from a YAML file, environment variables (URUNNER_...) and --set;",
                "'urunner config' shows what is in force.",
                "",
                "Exit codes: 0 done; 1 a registry, a credential, a permission or the cluster was in the way;",
                "2 wrong configuration or command line."
            })
    private static final class Root implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Override
        public Integer call() {
            throw new ParameterException(spec.commandLine(), "a command is missing");
        }
    }

    /** The program's name and the version that the jar's manifest tells. */
    static String version() {
        String version = Cli.class.getPackage().getImplementationVersion();
        return "urunner " + (version == null ? "(not from a jar)" : version);
    }

    private static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {version()};
        }
    }
}
