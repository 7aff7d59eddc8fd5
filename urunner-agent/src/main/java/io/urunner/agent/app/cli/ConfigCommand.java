package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.config.EffectiveValue;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "config",
        description = {
            "Print the effective configuration: each setting with its origin, secrets redacted.",
            "Without settings here, prints those of the agent in the kubeconfig's cluster."
        })
final class ConfigCommand implements Callable<Integer> {
    private final CommandContext context;

    @Mixin
    private final Output output = new Output();

    @Mixin
    private final Reach reach = new Reach();

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    ConfigCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws ConfigurationException, CommandException {
        try (Reach.With with = reach.with(context, settings)) {
            List<EffectiveValue> values =
                    settings.load(with.asItIsThere(), false).values();
            output.print(context, () -> table(values, with), () -> document(values, with));
        }
        return ExitCode.OK;
    }

    private static Table table(List<EffectiveValue> values, Reach.With with) {
        Table table = new Table("SETTING", "ORIGIN", "VALUE");
        values.forEach(value ->
                table.row(value.key(), with.asItIsThere(value.origin().toString()), with.asItIsThere(value.text())));
        return table;
    }

    record Document(List<Item> settings) {}

    record Item(String setting, String origin, String value) {}

    static Document document(List<EffectiveValue> values, Reach.With with) {
        return new Document(values.stream()
                .map(value -> new Item(
                        value.key(), with.asItIsThere(value.origin().toString()), with.asItIsThere(value.text())))
                .toList());
    }
}
