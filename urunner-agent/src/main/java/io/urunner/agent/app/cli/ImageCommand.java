package io.urunner.agent.app.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The commands for images in registries and files. */
@Command(
        name = "image",
        description = {
            "Look at images in registries, copy and delete them.",
            "Credentials come from the configuration; for other registries from docker login or podman login. Those of an"
                    + " agent in a cluster are used only with --agent-namespace."
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n")
final class ImageCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private ImageCommand() {}

    static CommandLine line(CommandContext context) {
        CommandLine line = new CommandLine(new ImageCommand());
        List.of(
                        new ImageListCommand(context),
                        new ImageDigestCommand(context),
                        new ImageManifestCommand(context),
                        new ImageCopyCommand(context),
                        new ImageDeleteCommand(context),
                        new ImageReferrersCommand(context),
                        new ImageTreeCommand(context))
                .forEach(line::addSubcommand);
        line.getSubcommands()
                .values()
                .forEach(command -> command.getCommandSpec().mixinStandardHelpOptions(true));
        return line;
    }

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "missing command");
    }
}
