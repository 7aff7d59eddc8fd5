package io.urunner.agent.config;

import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialPlugins;
import io.urunner.registry.auth.SecretSource;
import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/** What the environment says. A variable that is set to blanks counts as not set: charts leave such ones behind. */
final class EnvironmentSource {
    /** The file to read first; not a setting itself. */
    static final String CONFIG_FILE = "URUNNER_CONFIG";

    private static final String FILE_SUFFIX = "_FILE";

    /** Names of the launcher and of the tests. */
    private static final Pattern FOREIGN = Pattern.compile("URUNNER_(JAVA_OPTS|TEST_.*)");
    /** What Kubernetes sets in every container of a namespace with a Service called urunner or urunner-something. */
    private static final Pattern SERVICE_LINK = Pattern.compile(
            "URUNNER_.*(_SERVICE_HOST|_SERVICE_PORT(_.+)?|_PORT_\\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)"
                    + "|URUNNER_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)");

    private static final Pattern SERVICE_LINK_URL = Pattern.compile("(tcp|udp|sctp)://.*");

    private final Map<String, String> environment;

    EnvironmentSource(Map<String, String> environment) {
        this.environment = environment;
    }

    boolean has(String variable) {
        return !environment.getOrDefault(variable, "").isBlank();
    }

    /** The tree of a record class's settings, as far as variables are set. */
    Node.Mapping settings(Class<? extends Record> type) {
        Node.Mapping mapping = Node.Mapping.EMPTY;
        for (Schema.Entry entry : Schema.of(type)) {
            String variable = entry.setting().variable();
            if (!variable.isEmpty() && has(variable)) {
                mapping = mapping.with(entry.path(), scalar(variable));
            }
        }
        return mapping;
    }

    /** The settings of a plugin, as far as variables are set; a secret may stand in a file. */
    Node.Mapping credentials(CredentialPlugin<?> plugin, RecordBinder binder) {
        Map<String, Node> entries = new LinkedHashMap<>();
        for (RecordComponent component : plugin.settingsType().getRecordComponents()) {
            String variable = PluginVariables.name(plugin.type(), component.getName());
            boolean file = isSecret(component) && has(variable + FILE_SUFFIX);
            if (file && has(variable)) {
                binder.problem(
                        new Origin.Variable(variable),
                        "",
                        "set beside " + variable + FILE_SUFFIX + "; unset one of them");
            }
            if (file) {
                entries.put(component.getName(), file(variable + FILE_SUFFIX));
            } else if (has(variable)) {
                entries.put(component.getName(), scalar(variable));
            }
        }
        return new Node.Mapping(entries, Origin.DEFAULT);
    }

    private static boolean isSecret(RecordComponent component) {
        return component.getGenericType().getTypeName().contains(SecretSource.class.getName());
    }

    private Node scalar(String variable) {
        return new Node.Scalar(environment.getOrDefault(variable, ""), new Origin.Variable(variable));
    }

    private Node file(String variable) {
        return new Node.Reference(
                Node.Reference.Kind.FILE,
                environment.getOrDefault(variable, "").strip(),
                new Origin.Variable(variable));
    }

    /** Reports the variables that look like ours and are not. */
    void reportUnknown(CredentialPlugins plugins, RecordBinder binder) {
        Set<String> known = known(plugins);
        new TreeSet<>(environment.keySet())
                .stream()
                        .filter(name -> name.startsWith("URUNNER_") || name.startsWith("DOCKER_API_"))
                        .filter(name -> !known.contains(name) && !isForeign(name))
                        .forEach(name -> binder.problem(
                                new Origin.Variable(name), "", "unknown name" + Suggestion.didYouMean(name, known)));
    }

    private boolean isForeign(String name) {
        return FOREIGN.matcher(name).matches()
                || SERVICE_LINK.matcher(name).matches()
                || (name.endsWith("_PORT")
                        && SERVICE_LINK_URL
                                .matcher(environment.getOrDefault(name, ""))
                                .matches());
    }

    private static Set<String> known(CredentialPlugins plugins) {
        Set<String> known = new TreeSet<>();
        known.add(CONFIG_FILE);
        Schema.of(Settings.class).forEach(entry -> known.add(entry.setting().variable()));
        Schema.of(Settings.Registry.class)
                .forEach(entry -> known.add(entry.setting().variable()));
        known.remove("");
        for (String type : plugins.types()) {
            CredentialPlugin<?> plugin = plugins.get(type);
            for (RecordComponent component : plugin.settingsType().getRecordComponents()) {
                String variable = PluginVariables.name(plugin.type(), component.getName());
                known.add(variable);
                if (isSecret(component)) {
                    known.add(variable + FILE_SUFFIX);
                }
            }
        }
        return known;
    }

    /** The variables of a record's components, as {@link Setting} names them. */
    static final Function<RecordComponent, String> VARIABLES = component -> {
        Setting setting = component.getAnnotation(Setting.class);
        return setting == null ? "" : setting.variable();
    };
}
