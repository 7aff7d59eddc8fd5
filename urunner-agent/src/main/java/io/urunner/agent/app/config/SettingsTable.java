package io.urunner.agent.app.config;

import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialPlugins;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The settings as a Markdown table, generated from the records. */
public final class SettingsTable {
    private static final String REGISTRY = "registries[].";

    private SettingsTable() {}

    /**
     * The table: the general settings, those of a registry, and the credentials of each type of registry.
     *
     * @param plugins the plugins whose settings are listed
     * @return Markdown, ending with a new line
     */
    public static String markdown(CredentialPlugins plugins) {
        List<String> rows = new ArrayList<>();
        row(rows, "Variable", "Key in the file", "Default", "Meaning");
        row(rows, "---", "---", "---", "---");
        row(rows, "`URUNNER_CONFIG`", "", "", "the configuration file (YAML); the flag `--config` overrides it");
        for (Schema.Entry entry : Schema.of(Settings.class)) {
            row(rows, entry, "", Node.Mapping.EMPTY);
        }
        for (Schema.Entry entry : Schema.of(Settings.Registry.class)) {
            row(rows, entry, REGISTRY, SettingsLoader.DEFAULT_REGISTRY);
        }
        for (Schema.Entry entry : Schema.of(Settings.Mirror.class)) {
            row(rows, entry, REGISTRY + "mirrors[].", Node.Mapping.EMPTY);
        }
        credentials(plugins).forEach((key, types) -> {
            String variable = key.get(0);
            String what = key.get(2) + ", for the type" + (types.size() > 1 ? "s" : "") + " "
                    + String.join(", ", types.stream().map(SettingsTable::code).toList());
            row(rows, code(variable), code(REGISTRY + "credentials." + key.get(1)), "", what);
        });
        return String.join("\n", rows) + "\n";
    }

    private static Map<List<String>, Set<String>> credentials(CredentialPlugins plugins) {
        Map<List<String>, Set<String>> credentials = new LinkedHashMap<>();
        for (String type : plugins.types()) {
            CredentialPlugin<?> plugin = plugins.get(type);
            for (Slot slot : Slot.of(plugin.settingsType())) {
                String what = (slot.isOptional() ? "optional" : "required") + (slot.isSecret() ? "; a secret" : "");
                String variable = PluginVariables.name(type, slot.name());
                credentials
                        .computeIfAbsent(List.of(variable, slot.name(), what), key -> new TreeSet<>())
                        .add(type);
            }
        }
        return credentials;
    }

    private static void row(List<String> rows, Schema.Entry entry, String prefix, Node.Mapping defaults) {
        @Nullable Node fallback = defaults.entries().get(entry.key());
        String value = fallback instanceof Node.Scalar scalar
                ? scalar.text()
                : entry.setting().fallback();
        row(
                rows,
                code(entry.setting().variable()),
                code(prefix + entry.key()),
                code(value),
                entry.setting().meaning());
    }

    private static String code(String text) {
        return text.isEmpty() ? "" : "`" + text + "`";
    }

    private static void row(List<String> rows, String... cells) {
        rows.add("| " + String.join(" | ", cells) + " |");
    }
}
