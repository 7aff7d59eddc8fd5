package io.urunner.agent.app.assembly;

import io.urunner.agent.app.cli.Answer;
import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.ExitCode;
import io.urunner.agent.app.cli.Wiring;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.config.Overrides;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.agent.app.doctor.Vantage;
import io.urunner.agent.app.http.BearerToken;
import io.urunner.kube.DeployedProgram;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.KubeConfigurationException;
import io.urunner.kube.KubeConnection;
import io.urunner.kube.KubeException;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import io.urunner.store.StoreException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The agent that runs in the cluster of a kubeconfig, with the settings from its Deployment: for commands on a machine
 * without settings. The agent's files are kept in a folder that only this user can read, until this is closed.
 */
final class AgentInCluster implements Wiring.FoundAgent {
    /**
     * The label that the chart sets for any release name, and the one of Deployments that were created without the
     * chart.
     */
    private static final List<String> LABELS = List.of("urunner.io/component=agent", "app.kubernetes.io/name=urunner");

    private static final String INSTEAD = "; or use settings of your own (--config, URUNNER_...)";
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** The doctor asks every registry before it answers. */
    private static final Duration ANSWER = Duration.ofMinutes(2);

    private static final Set<PosixFilePermission> OURS = PosixFilePermissions.fromString("rwx------");
    private static final Pattern KEY = Pattern.compile("(?!\\.\\.)[-._a-zA-Z0-9]{1,253}");
    /** Variables that belong to the machine on which a program runs. */
    private static final Pattern OF_THE_MACHINE = Pattern.compile(
            "(?i)PATH|HOME|TMPDIR|HOSTNAME|TZ|COLUMNS|SUDO_USER|DOCKER_.*|KUBE.*|JAVA_.*|JDK_.*|.*_PROXY");

    /** Never taken from the local machine: the agent in the cluster has a token of its own. */
    private static final Pattern OF_THE_ASKING = Pattern.compile("URUNNER_SECR_HTTP_TOKEN(_FILE)?");

    private final DeployedProgram program;
    private final KubeAccess access;
    private final CloseStack parts;
    private final Path folder;
    private final Map<DeployedProgram.Source, Map<String, byte[]>> read = new HashMap<>();
    private final Map<String, String> environment;
    /** The same as the agent itself has it, without local files. */
    private final Map<String, String> own;

    private Optional<SecretSource> token = Optional.empty();
    private Optional<String> history = Optional.empty();
    private String why = "the agent was not asked";

    private AgentInCluster(
            DeployedProgram program,
            KubeAccess access,
            Map<String, String> here,
            SettingsLoader.PluginDiscovery plugins,
            CloseStack parts)
            throws KubeException, IOException, ConfigurationException, CommandException {
        this.program = program;
        this.access = access;
        this.parts = parts;
        folder = Files.createTempDirectory("urunner-agent", PosixFilePermissions.asFileAttribute(OURS));
        folder.toFile().deleteOnExit();
        parts.add(() -> delete(folder));
        environment = new HashMap<>(variables());
        files();
        read.clear();
        environment.keySet().removeIf(name -> OF_THE_MACHINE.matcher(name).matches());
        here.forEach((name, value) -> {
            if ((name.startsWith("URUNNER_") && !OF_THE_ASKING.matcher(name).matches())
                    || OF_THE_MACHINE.matcher(name).matches()) {
                environment.put(name, value);
            }
        });
        own = Map.copyOf(environment);
        environment.put("URUNNER_CONF_KUBE_AUTH", "kubeconfig");
        // Somebody who can write a Deployment must not be able to run code on this machine, or to have its files and
        // variables sent somewhere.
        Configuration configuration = new SettingsLoader(
                        environment, folderOfPlugins -> plugins.discover(Optional.empty()))
                .loadWithoutDefaultRegistry(new Overrides(Optional.empty(), Map.of()));
        Settings settings = configuration.settings();
        for (Path file : configuration.files()) {
            if (!file.toAbsolutePath().normalize().startsWith(folder.toAbsolutePath())) {
                throw new CommandException(
                        "the settings of the agent " + name() + " name the file " + file
                                + ", which only its pod has: use '" + exec()
                                + " ...', or use settings of your own (--config, URUNNER_...)",
                        ExitCode.WRONG_CONFIGURATION);
            }
        }
        if (settings.pluginDirectory().isPresent()) {
            throw new CommandException(
                    "the agent " + name() + " has plugins of its own, which are not run here: use '" + exec()
                            + " ...', or use settings of your own (--config, URUNNER_...)",
                    ExitCode.WRONG_CONFIGURATION);
        }
        token = settings.http().token();
        if (settings.store().url().isEmpty()) {
            Path none = folder.resolve("history.db");
            environment.put("URUNNER_CONF_SQLLIGHT_PATH", none.toString());
            makeEmpty(none, settings.kubernetes().cluster());
            history = Optional.of("the history of the agent " + name()
                    + " is a file in its pod: this shows only what is in the cluster; for all of it use '"
                    + exec() + " ...'");
        }
        if (settings.kubernetes().leaseNamespace().isEmpty()) {
            environment.put("URUNNER_CONF_LEASE_NAMESPACE", program.namespace());
        }
    }

    /** Creates an empty history, so that no warning says it is missing. */
    private static void makeEmpty(Path history, String cluster) throws IOException {
        try (DigestStore store = DigestStores.sqlite(history, cluster)) {
            store.write(new DigestStore.Batch(List.of(), Map.of(), Map.of(), Set.of(), List.of()));
        } catch (StoreException e) {
            throw new IOException("cannot create a history for this command: " + e.getMessage(), e);
        }
    }

    private String exec() {
        return "kubectl -n " + program.namespace() + " exec deploy/" + program.name() + " -- urunner";
    }

    @Override
    public String name() {
        return program.namespace() + "/" + program.name();
    }

    /** Finds it; see {@link Wiring#find}. */
    static AgentInCluster find(
            Map<String, String> environment, Optional<String> namespace, SettingsLoader.PluginDiscovery plugins)
            throws CommandException {
        KubeConfiguration kubernetes;
        try {
            kubernetes = KubeConfiguration.kubeconfig(environment);
        } catch (KubeConfigurationException e) {
            throw new CommandException(
                    "there are no settings here, and the agent in a cluster cannot be reached: " + e.getMessage()
                            + INSTEAD,
                    ExitCode.WRONG_CONFIGURATION,
                    e);
        }
        CloseStack parts = new CloseStack();
        try {
            ScheduledExecutorService answers = Executors.newScheduledThreadPool(2, task -> {
                Thread thread = new Thread(task, "urunner-find");
                thread.setDaemon(true);
                return thread;
            });
            parts.add(answers::shutdownNow);
            KubeAccess access = new KubeAccess(parts.add(new KubeConnection(kubernetes, answers, "urunner", PATIENCE)));
            return new AgentInCluster(only(access, namespace, kubernetes), access, environment, plugins, parts);
        } catch (KubeException e) {
            throw closed(parts, unreadable(e, ""));
        } catch (IOException | UncheckedIOException e) {
            throw closed(parts, new CommandException("cannot store the agent's settings: " + e, ExitCode.HINDERED, e));
        } catch (ConfigurationException e) {
            throw closed(
                    parts,
                    new CommandException(
                            "the settings of the agent in the cluster cannot be used here: " + e.getMessage() + INSTEAD,
                            ExitCode.WRONG_CONFIGURATION,
                            e));
        } catch (CommandException e) {
            throw closed(parts, e);
        }
    }

    private static CommandException unreadable(KubeException e, String hint) {
        return new CommandException(
                "the agent's settings cannot be read: " + e.getMessage() + hint
                        + "; or run the command in the agent's pod (kubectl exec)" + INSTEAD,
                ExitCode.HINDERED,
                e);
    }

    private static CommandException closed(CloseStack parts, CommandException why) {
        parts.closeAfter(why);
        return why;
    }

    private static DeployedProgram only(KubeAccess access, Optional<String> namespace, KubeConfiguration kubernetes)
            throws CommandException {
        Map<String, DeployedProgram> all = new TreeMap<>();
        try {
            for (String label : LABELS) {
                access.programs(namespace, label).forEach(each -> all.put(each.namespace() + "/" + each.name(), each));
            }
        } catch (KubeException e) {
            throw unreadable(
                    e,
                    namespace.isEmpty() && e.forbidden() ? "; name the agent's namespace with --agent-namespace" : "");
        }
        List<DeployedProgram> found = List.copyOf(all.values());
        if (found.isEmpty()) {
            throw new CommandException(
                    "no agent was found in "
                            + namespace
                                    .map(name -> "the namespace " + name + " of ")
                                    .orElse("")
                            + kubernetes.server() + " (a Deployment with the label " + String.join(" or ", LABELS)
                            + "): install it (docs/install)" + INSTEAD,
                    ExitCode.HINDERED);
        }
        if (found.size() > 1) {
            throw new CommandException(
                    "several agents were found; choose one with --agent-namespace: "
                            + found.stream()
                                    .map(each -> each.namespace() + "/" + each.name())
                                    .collect(Collectors.joining(", ")),
                    ExitCode.WRONG_CONFIGURATION);
        }
        return found.get(0);
    }

    // ---- the agent's settings

    private Map<String, String> variables() throws KubeException {
        Map<String, String> variables = new HashMap<>();
        for (DeployedProgram.Variables each : program.variables()) {
            if (each instanceof DeployedProgram.Written written) {
                variables.put(written.name(), written.value());
            } else if (each instanceof DeployedProgram.FromKey from) {
                byte[] value = data(from.source()).get(from.key());
                if (value != null) {
                    variables.put(from.name(), text(value));
                }
            } else if (each instanceof DeployedProgram.FromAll from) {
                data(from.source()).forEach((key, value) -> variables.put(from.prefix() + key, text(value)));
            }
        }
        return variables;
    }

    private Map<String, byte[]> data(DeployedProgram.Source source) throws KubeException {
        Map<String, byte[]> known = read.get(source);
        if (known != null) {
            return known;
        }
        Map<String, byte[]> data = new HashMap<>();
        switch (source.kind()) {
            case SECRET ->
                access.secret(program.namespace(), source.name()).ifPresent(found -> data.putAll(found.data()));
            case CONFIG_MAP ->
                access.configMap(program.namespace(), source.name())
                        .ifPresent(found ->
                                found.forEach((key, value) -> data.put(key, value.getBytes(StandardCharsets.UTF_8))));
        }
        read.put(source, data);
        return data;
    }

    private static String text(byte[] value) {
        return new String(value, StandardCharsets.UTF_8);
    }

    /** Copies the agent's files into our folder, and changes all paths in the settings accordingly. */
    private void files() throws KubeException, IOException {
        String configuration = environment.getOrDefault("URUNNER_CONFIG", "");
        for (int i = 0; i < program.mounts().size(); i++) {
            DeployedProgram.Mount mount = program.mounts().get(i);
            Path here = Files.createDirectory(here(i));
            here.toFile().deleteOnExit(); // also when the process is terminated
            for (Map.Entry<String, byte[]> file : data(mount.source()).entrySet()) {
                if (KEY.matcher(file.getKey()).matches()) {
                    boolean isConfiguration = configuration.equals(there(mount) + "/" + file.getKey());
                    Path written = here.resolve(file.getKey());
                    written.toFile().deleteOnExit();
                    Files.write(
                            written,
                            isConfiguration
                                    ? moved(text(file.getValue())).getBytes(StandardCharsets.UTF_8)
                                    : file.getValue());
                }
            }
        }
        environment.replaceAll((name, value) -> moved(value));
    }

    private Path here(int mount) {
        return folder.resolve("mount-" + mount);
    }

    private static String there(DeployedProgram.Mount mount) {
        return mount.folder().replaceFirst("/+$", "");
    }

    private String moved(String text) {
        String moved = text;
        for (int i = 0; i < program.mounts().size(); i++) {
            moved = moved.replaceAll(
                    "(?<![\\w./-])" + Pattern.quote(there(program.mounts().get(i))) + "(?=/)",
                    Matcher.quoteReplacement(here(i).toString()));
        }
        return moved;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        }
    }

    // ---- what commands use

    @Override
    public Map<String, String> environment() {
        return Map.copyOf(environment);
    }

    @Override
    public Map<String, String> ownEnvironment() {
        return own;
    }

    @Override
    public String inItsPod(String text) {
        String there = text;
        for (int i = 0; i < program.mounts().size(); i++) {
            there = there.replace(here(i).toString(), there(program.mounts().get(i)));
        }
        return there;
    }

    @Override
    public Vantage vantage() {
        return new Vantage(
                why,
                Optional.of("to ask the agent itself: '" + exec() + " ...'"),
                Optional.of(program.serviceAccount()),
                history);
    }

    @Override
    public Optional<Answer> ask(String path) {
        if (program.port().isEmpty()) {
            why = "the agent " + name() + " has no HTTP port (URUNNER_CONF_HTTP_PORT)";
            return Optional.empty();
        }
        if (token.isEmpty()) {
            why = "the agent " + name()
                    + " has no token for queries (set secret.extra.URUNNER_SECR_HTTP_TOKEN in the"
                    + " chart's values)";
            return Optional.empty();
        }
        try {
            Secret shown = token.get().read();
            why = "no pod of the agent " + name() + " is ready";
            List<String> pods = access.readyPods(program.namespace(), program.labels());
            for (String pod : pods) {
                KubeAccess.PodAnswer answer = ask(pod, path, shown);
                Optional<Answer> told = told(answer);
                if (told.isPresent()) {
                    // An agent that stands by names the one that acts, which knows more.
                    Optional<String> leader = Optional.of(header(answer, Answer.LEADER))
                            .filter(name -> !name.equals(pod) && pods.contains(name));
                    return leader.isPresent()
                            ? told(ask(leader.get(), path, shown)).or(() -> told)
                            : told;
                }
                why = "the running agent cannot be asked through the API server (pod " + pod + ": HTTP "
                        + answer.status()
                        + (answer.status() == 403
                                ? ", grant verb get on pods/proxy in namespace " + program.namespace()
                                : "")
                        + ")";
            }
        } catch (KubeException | CredentialException e) {
            why = "the running agent cannot be asked through the API server (" + e.getMessage() + ")";
        }
        return Optional.empty();
    }

    private KubeAccess.PodAnswer ask(String pod, String path, Secret shown) throws KubeException {
        return access.ask(
                program.namespace(),
                pod,
                program.port().orElseThrow(),
                path,
                Map.of(BearerToken.HEADER, shown.reveal()),
                ANSWER);
    }

    private static String header(KubeAccess.PodAnswer answer, String name) {
        return answer.headers().getOrDefault(name.toLowerCase(Locale.ROOT), "");
    }

    private static Optional<Answer> told(KubeAccess.PodAnswer answer) {
        return Optional.of(header(answer, Answer.EXIT_CODE))
                .filter(code -> code.matches("[0-2]"))
                .map(code -> new Answer(answer.body(), Integer.parseInt(code)));
    }

    @Override
    public void close() {
        parts.close();
    }
}
