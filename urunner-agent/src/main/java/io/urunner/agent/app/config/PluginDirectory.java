package io.urunner.agent.app.config;

import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialPlugins;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Finds the plugins of the class path and of the jars of a directory. What cannot be used is skipped, and reported with its
 * jar, its class and the reason. A directory is read once. The jars stay open because the plugins' classes are loaded from
 * them, and the plugins' code runs on threads of this object: close it after them. Thread-safe.
 */
public final class PluginDirectory implements SettingsLoader.PluginDiscovery, AutoCloseable {
    private static final int MOST_JARS = 1_000;

    /** By directory: after a change of the configuration the plugins of the previous directory may still be in use. */
    private final Map<Optional<Path>, Found> found = new LinkedHashMap<>();

    private final List<URLClassLoader> loaders = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread made = new Thread(task, "urunner-plugin");
        made.setDaemon(true);
        return made;
    });

    /** What was found at one place. */
    private record Found(CredentialPlugins plugins, List<String> problems, List<String> others) {}

    /** Nothing is opened yet. */
    public PluginDirectory() {}

    @Override
    public CredentialPlugins discover(Optional<Path> directory) {
        return found(directory).plugins();
    }

    @Override
    public List<String> problems(Optional<Path> directory) {
        return List.copyOf(found(directory).problems());
    }

    @Override
    public List<String> others(Optional<Path> directory) {
        return found(directory).others();
    }

    private synchronized Found found(Optional<Path> directory) {
        Found known = found.get(directory);
        if (known == null) {
            known = search(directory);
            found.put(directory, known);
        }
        return known;
    }

    private Found search(Optional<Path> directory) {
        Search search = new Search();
        search.classPath();
        if (directory.isPresent()) {
            search.jars(jars(directory.get()));
        }
        return new Found(
                CredentialPlugins.of(search.usable.values().toArray(CredentialPlugin<?>[]::new)),
                search.problems,
                List.copyOf(search.others));
    }

    private static List<Path> jars(Path directory) {
        List<Path> jars = new ArrayList<>();
        try (DirectoryStream<Path> listed = Files.newDirectoryStream(directory, "*.jar")) {
            for (Path jar : listed) {
                if (jars.size() == MOST_JARS) {
                    throw new IllegalArgumentException(
                            "the plugin directory " + directory + " holds more than " + MOST_JARS + " jars");
                }
                jars.add(jar);
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw new IllegalArgumentException(
                    "the plugin directory " + directory + " does not exist or cannot be read", e);
        }
        return jars.stream().sorted().toList();
    }

    /** One search. */
    private final class Search {
        final Map<String, GuardedPlugin<?>> usable = new LinkedHashMap<>();
        /** Plugins report here what they do wrong, also later and repeatedly. */
        final CopyOnWriteArrayList<String> problems = new CopyOnWriteArrayList<>();

        final List<String> others = new ArrayList<>();
        /** The types that several plugins claim. */
        private final Map<String, String> contested = new LinkedHashMap<>();

        /** The program's own plugins, and others on its class path. */
        @SuppressWarnings("rawtypes")
        void classPath() {
            Iterator<ServiceLoader.Provider<CredentialPlugin>> listed =
                    ServiceLoader.load(CredentialPlugin.class, own()).stream().iterator();
            for (int i = 0; i < MOST_JARS; i++) {
                try {
                    if (!listed.hasNext()) {
                        return;
                    }
                    ServiceLoader.Provider<CredentialPlugin> provider = listed.next();
                    add("the plugin " + provider.type().getName(), Optional.empty(), () ->
                            (CredentialPlugin<?>) provider.get());
                } catch (ServiceConfigurationError | LinkageError e) {
                    problems.add("a plugin of the class path cannot be loaded: " + FailureText.of(e, List.of()));
                }
            }
        }

        void jars(List<Path> jars) {
            // By class: a class in two jars is loaded once, and from which jar is undefined.
            Map<String, List<PluginJar>> named = new LinkedHashMap<>();
            List<URL> urls = new ArrayList<>();
            for (Path path : jars) {
                PluginJar jar = PluginJar.read(path);
                jar.problem().ifPresent(problems::add);
                jar.other().ifPresent(others::add);
                if (jar.isReadable()) {
                    urls.add(url(path));
                }
                jar.classes()
                        .forEach(name -> named.computeIfAbsent(name, any -> new ArrayList<>())
                                .add(jar));
            }
            URLClassLoader loader = new URLClassLoader("plugins", urls.toArray(URL[]::new), own());
            loaders.add(loader);
            named.forEach((name, where) -> load(loader, name, where));
        }

        private void load(ClassLoader loader, String name, List<PluginJar> jars) {
            String places =
                    String.join(" and ", jars.stream().map(PluginJar::toString).toList());
            String plugin = "the plugin " + name + " of " + places;
            if (jars.size() > 1) {
                problems.add(plugin + " was found more than once and is not used: remove all but one");
                return;
            }
            add(plugin, Optional.of(threads), () -> PluginJar.instance(loader, name));
        }

        private void add(String plugin, Optional<Executor> runOn, Callable<CredentialPlugin<?>> maker) {
            try {
                GuardedPlugin<?> made = GuardedPlugin.of(new PluginBorder(plugin, runOn), maker, problems::addIfAbsent);
                String type = made.type();
                GuardedPlugin<?> other = usable.remove(type);
                if (other == null && !contested.containsKey(type)) {
                    usable.put(type, made);
                    return;
                }
                contested.putIfAbsent(type, String.valueOf(other));
                problems.add("two plugins claim the type '" + type + "', so neither is used: " + contested.get(type)
                        + ", and " + made + "; remove one of them");
            } catch (CredentialException e) {
                problems.add(String.valueOf(e.getMessage()));
            }
        }
    }

    private static ClassLoader own() {
        return PluginDirectory.class.getClassLoader();
    }

    private static URL url(Path jar) {
        try {
            return jar.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException("the plugin " + jar + " cannot be read", e);
        }
    }

    @Override
    public synchronized void close() {
        threads.shutdownNow();
        IOException failure = null;
        for (URLClassLoader jars : loaders) {
            try {
                jars.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        loaders.clear();
        found.clear();
        if (failure != null) {
            throw new IllegalStateException("the plugins of the plugin directory cannot be closed", failure);
        }
    }
}
