package io.urunner.agent.app.config;

import io.urunner.agent.text.Suggestion;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialPlugins;
import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Reads settings from environment variables. A blank variable counts as not set: charts produce such variables. */
final class EnvironmentSource {
    /** Names the configuration file; not a setting itself. */
    static final String CONFIG_FILE = "URUNNER_CONFIG";

    /** The variables of a record's components, as {@link Setting} names them. */
    static final Function<RecordComponent, String> VARIABLES = component -> {
        Setting setting = component.getAnnotation(Setting.class);
        return setting == null ? "" : setting.variable();
    };

    private static final String FILE_SUFFIX = "_FILE";

    /** Variables of the launcher, of commands that query a running agent, and of tests. */
    private static final Pattern FOREIGN = Pattern.compile("URUNNER_(JAVA_OPTS|URL|TEST_.*)");
    /** Variables that Kubernetes sets for a Service called urunner or urunner-something. */
    private static final Pattern SERVICE_LINK = Pattern.compile(
            "URUNNER_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)");

    private static final Pattern SERVICE_LINK_URL = Pattern.compile("(tcp|udp|sctp)://.*");

    private final Map<String, String> environment;
    private final RecordBinder binder;

    /** Problems are reported to the binder. */
    EnvironmentSource(Map<String, String> environment, RecordBinder binder) {
        this.environment = environment;
        this.binder = binder;
    }

    boolean has(String variable) {
        return !environment.getOrDefault(variable, "").isBlank();
    }

    /** The settings of a record class for which variables are set. */
    Node.Mapping settings(Class<? extends Record> type) {
        Node.Mapping mapping = Node.Mapping.EMPTY;
        for (Schema.Entry entry : Schema.of(type)) {
            Optional<Node> value = value(entry.setting().variable(), entry.component());
            if (value.isPresent()) {
                mapping = mapping.with(entry.path(), value.get());
            }
        }
        return mapping;
    }

    /** The settings of a plugin for which variables are set. */
    Node.Mapping credentials(CredentialPlugin<?> plugin) {
        Map<String, Node> entries = new LinkedHashMap<>();
        for (RecordComponent component : plugin.settingsType().getRecordComponents()) {
            value(PluginVariables.name(plugin.type(), component.getName()), component)
                    .ifPresent(value -> entries.put(component.getName(), value));
        }
        return new Node.Mapping(entries, Origin.DEFAULT);
    }

    /** A secret may also be in a file. */
    private Optional<Node> value(String variable, RecordComponent component) {
        String file = variable + FILE_SUFFIX;
        if (Slot.of(component).isSecret() && has(file)) {
            if (has(variable)) {
                binder.problem(new Origin.Variable(variable), "", "set together with " + file + "; unset one of them");
            }
            return Optional.of(new Node.Reference(Node.Reference.Kind.FILE, get(file), new Origin.Variable(file)));
        }
        return has(variable)
                ? Optional.of(new Node.Scalar(get(variable), new Origin.Variable(variable)))
                : Optional.empty();
    }

    private String get(String variable) {
        return environment.getOrDefault(variable, "").strip();
    }

    /**
     * Reports variables that look like ours but are unknown.
     *
     * @param plugins the available plugins
     * @param somePluginsAreUnknown whether variables of plugins may belong to one that could not be used
     */
    void reportUnknown(CredentialPlugins plugins, boolean somePluginsAreUnknown) {
        Set<String> known = known(plugins);
        for (String name : new TreeSet<>(environment.keySet())) {
            boolean ours = name.startsWith("URUNNER_") || name.startsWith("DOCKER_API_");
            boolean excused = somePluginsAreUnknown && name.startsWith(PluginVariables.START);
            if (ours && !known.contains(name) && !isForeign(name) && !excused) {
                binder.problem(new Origin.Variable(name), "", "unknown name" + Suggestion.didYouMean(name, known));
            }
        }
    }

    private boolean isForeign(String name) {
        return FOREIGN.matcher(name).matches()
                || SERVICE_LINK.matcher(name).matches()
                || (name.endsWith("_PORT")
                        && SERVICE_LINK_URL.matcher(get(name)).matches());
    }

    private static Set<String> known(CredentialPlugins plugins) {
        Set<String> known = new TreeSet<>(Set.of(CONFIG_FILE));
        for (Class<? extends Record> type : List.of(Settings.class, Settings.Registry.class)) {
            Schema.of(type).forEach(entry -> add(known, entry.setting().variable(), entry.component()));
        }
        for (String type : plugins.types()) {
            for (RecordComponent component : plugins.get(type).settingsType().getRecordComponents()) {
                add(known, PluginVariables.name(type, component.getName()), component);
            }
        }
        return known;
    }

    private static void add(Set<String> known, String variable, RecordComponent component) {
        if (!variable.isEmpty()) {
            known.add(variable);
            if (Slot.of(component).isSecret()) {
                known.add(variable + FILE_SUFFIX);
            }
        }
    }
}
