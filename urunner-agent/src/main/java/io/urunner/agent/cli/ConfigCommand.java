package io.urunner.agent.cli;

import io.urunner.agent.config.ConfigurationException;
import io.urunner.agent.config.EffectiveValue;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "config",
        description = "Print the effective configuration: each setting with its origin, secrets redacted.")
final class ConfigCommand implements Callable<Integer> {
    private final CommandContext context;

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    ConfigCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws ConfigurationException {
        Table table = new Table("SETTING", "ORIGIN", "VALUE");
        for (EffectiveValue value : settings.load(context, false).values()) {
            table.row(value.key(), value.origin().toString(), value.text());
        }
        table.print(context.out());
        return ExitCode.OK;
    }
}
