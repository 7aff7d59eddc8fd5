package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.ConfigurationException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command line. To add a command, name it in {@link #commands}. */
public final class Cli {
    private static final Logger LOG = LoggerFactory.getLogger(Cli.class);
    private static final int HELP_WIDTH = 80;
    private static final int LONGEST_WORD = 64;

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
        line.setHelpFactory(WholeWords::new)
                .setOut(context.out())
                .setErr(context.err())
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
                .setParameterExceptionHandler(Cli::wrongUsage)
                .setExecutionExceptionHandler((failure, command, parsed) -> failed(failure, command));
        int code = line.execute(arguments);
        context.out().flush();
        context.err().flush();
        return code;
    }

    /** The parser of the command line. */
    static CommandLine commandLine(CommandContext context) {
        CommandLine line = new CommandLine(new Root());
        commands(line, context);
        return line.setCaseInsensitiveEnumValuesAllowed(true);
    }

    private static void commands(CommandLine line, CommandContext context) {
        line.addSubcommand(new RunCommand(context))
                .addSubcommand(new OnceCommand(context))
                .addSubcommand(new DigestCommand(context))
                .addSubcommand(ImageCommand.line(context))
                .addSubcommand(new ConfigCommand(context))
                .addSubcommand(new ExplainCommand(context))
                .addSubcommand(new DoctorCommand(context))
                .addSubcommand(new HistoryCommand(context))
                .addSubcommand(new RollbackCommand(context))
                .addSubcommand(new ResumeCommand(context))
                .addSubcommand(new VersionCommand(context))
                .addSubcommand(new CommandLine.HelpCommand());
        for (CommandProvider provider : ServiceLoader.load(CommandProvider.class, Cli.class.getClassLoader())) {
            line.addSubcommand(provider.command(context));
        }
        line.getSubcommands().values().stream()
                .filter(command -> !command.getCommandSpec().helpCommand())
                .forEach(command -> command.getCommandSpec().mixinStandardHelpOptions(true));
        line.getCommandSpec().usageMessage().footer(footer());
    }

    private static String[] footer() {
        List<String> lines = new ArrayList<>(List.of(
                "",
                "Settings come from a YAML file, environment variables (URUNNER_...) and --set;",
                "'urunner config' shows those in force. Without any, commands use those of the",
                "agent in the kubeconfig's cluster; digest and image only with --agent-namespace,",
                "run and once never.",
                "",
                "Exit codes of all commands:"));
        for (int code = 0; code < ExitCode.MEANINGS.size(); code++) {
            lines.addAll(Table.field(
                    "  " + code, "  0".length(), ExitCode.MEANINGS.get(code), HELP_WIDTH, Integer.MAX_VALUE));
        }
        // A percent sign would start a placeholder.
        return lines.stream().map(line -> line.replace("%", "%%")).toArray(String[]::new);
    }

    private static int wrongUsage(ParameterException failure, String[] arguments) {
        CommandLine command = failure.getCommandLine();
        command.getErr().println("urunner: " + words(failure, List.of(arguments)));
        command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        return ExitCode.WRONG_CONFIGURATION;
    }

    /** Describes what is unknown by what it looks like, with a suggestion. */
    private static String words(ParameterException failure, List<String> arguments) {
        if (failure instanceof MissingParameterException missing
                && !missing.getMissing().isEmpty()) {
            ArgSpec first = missing.getMissing().get(0);
            return first instanceof OptionSpec option
                    ? option.longestName() + " requires a value: " + option.paramLabel()
                    : first.paramLabel() + " is missing: " + lowerCase(String.join(" ", first.description()));
        }
        if (failure.getCause() instanceof TypeConversionException wrong) {
            return (failure.getArgSpec() instanceof OptionSpec option ? option.longestName() + ": " : "")
                    + wrong.getMessage();
        }
        if (!(failure instanceof UnmatchedArgumentException unmatched)
                || unmatched.getUnmatched().isEmpty()) {
            return String.valueOf(failure.getMessage());
        }
        CommandSpec command = failure.getCommandLine().getCommandSpec();
        List<String> rest = unmatched.getUnmatched();
        Optional<String> option = rest.stream()
                .filter(word -> word.startsWith("-") && !word.equals("-"))
                .findFirst();
        if (option.isPresent()) {
            String name = option.get().replaceFirst("=.*", "");
            Optional<String> owner = command.subcommands().entrySet().stream()
                    .filter(each ->
                            each.getValue().getCommandSpec().optionsMap().containsKey(name))
                    .map(Map.Entry::getKey)
                    .sorted(Comparator.comparing(each -> !arguments.contains(each)))
                    .findFirst();
            if (owner.isPresent()) {
                return "'" + name + "' belongs after the command: urunner " + owner.get() + " " + name;
            }
            return "unknown option '" + name + "'"
                    + meant(name, command.optionsMap().keySet());
        }
        String word = rest.get(0);
        return command.subcommands().isEmpty()
                ? "'" + word + "' is an unexpected argument"
                : "unknown command '" + word + "'"
                        + meant(word, command.subcommands().keySet());
    }

    private static String lowerCase(String sentence) {
        return sentence.substring(0, 1).toLowerCase(Locale.ROOT) + sentence.substring(1);
    }

    private static String meant(String word, Collection<String> known) {
        int allowed = Math.max(1, Math.min(3, word.replaceFirst("^-+", "").length() / 2));
        return known.stream()
                .filter(name -> name.length() > 2 || word.length() <= 2)
                .filter(name -> distance(word, name) <= allowed || (word.length() > 3 && name.startsWith(word)))
                .min(Comparator.<String>comparingInt(name -> distance(word, name))
                        .thenComparing(name -> name))
                .map(name -> "; did you mean '" + name + "'?")
                .orElse("");
    }

    /** The Levenshtein distance of two words, up to the length of our own words. */
    private static int distance(String one, String other) {
        if (one.length() > LONGEST_WORD) {
            return Integer.MAX_VALUE;
        }
        int[] row = new int[other.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int corner = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int change = corner + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                corner = row[j];
                row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[other.length()];
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

    /** Help with descriptions wrapped only at spaces, with one indent. */
    private static final class WholeWords extends CommandLine.Help {
        WholeWords(CommandSpec command, ColorScheme colors) {
            super(command, colors);
        }

        @Override
        public Layout createDefaultLayout(
                List<OptionSpec> options, List<PositionalParamSpec> positionals, ColorScheme colors) {
            Layout usual = super.createDefaultLayout(options, positionals, colors);
            Column[] columns = usual.textTable().columns();
            int last = columns.length - 1;
            int width = columns[last].width - columns[last].indent;
            return new Layout(colors, usual.textTable(), usual.optionRenderer(), usual.parameterRenderer()) {
                @Override
                public void layout(ArgSpec argument, Ansi.Text[][] rows) {
                    String description = Stream.of(rows)
                            .map(row -> row[last].plainString())
                            .filter(text -> !text.isEmpty())
                            .collect(Collectors.joining(" "));
                    Ansi.Text[] row = rows[0].clone();
                    for (String each : TextWidth.wrap(description, width, Integer.MAX_VALUE)) {
                        row[last] = colors.text(each);
                        table.addRowValues(row);
                        row = Stream.generate(() -> colors.text(""))
                                .limit(columns.length)
                                .toArray(Ansi.Text[]::new);
                    }
                }
            };
        }
    }

    @Command(
            name = "urunner",
            mixinStandardHelpOptions = true,
            versionProvider = Version.class,
            description = "Rolls out Kubernetes workloads when the digest behind their image tag moves.",
            synopsisSubcommandLabel = "COMMAND",
            commandListHeading = "%nCommands:%n")
    private static final class Root implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Override
        public Integer call() {
            throw new ParameterException(spec.commandLine(), "missing command");
        }
    }

    @Command(name = "version", description = "Print the version.")
    private static final class VersionCommand implements Callable<Integer> {
        private final CommandContext context;

        VersionCommand(CommandContext context) {
            this.context = context;
        }

        @Override
        public Integer call() {
            context.out().println(version());
            return ExitCode.OK;
        }
    }

    /** The program's name and the version that the jar's manifest states. */
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
