package io.urunner.agent.config;

import io.urunner.registry.auth.CredentialPlugins;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the plugins of the class path and of the jars of a directory. The jars stay open, because the plugins live in
 * them: close this after them. Thread-safe.
 */
public final class PluginDirectory implements SettingsLoader.PluginDiscovery, AutoCloseable {
    private @Nullable Path open;
    private @Nullable URLClassLoader loader;

    /** Nothing is opened yet. */
    public PluginDirectory() {}

    @Override
    public synchronized CredentialPlugins discover(Optional<Path> directory) {
        ClassLoader own = PluginDirectory.class.getClassLoader();
        if (directory.isEmpty()) {
            return CredentialPlugins.discover(own);
        }
        Path path = directory.get();
        URLClassLoader jars = loader;
        if (jars == null || !path.equals(open)) {
            close();
            jars = new URLClassLoader("plugins", jars(path).toArray(URL[]::new), own);
            open = path;
            loader = jars;
        }
        return CredentialPlugins.discover(jars);
    }

    private static List<URL> jars(Path directory) {
        List<Path> jars = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, "*.jar")) {
            found.forEach(jars::add);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "the plugin directory " + directory + " is not there or cannot be read", e);
        }
        List<URL> urls = new ArrayList<>();
        for (Path jar : jars.stream().sorted().toList()) {
            try {
                urls.add(jar.toUri().toURL());
            } catch (IOException e) {
                throw new IllegalArgumentException("the plugin " + jar + " cannot be read", e);
            }
        }
        return urls;
    }

    @Override
    public synchronized void close() {
        URLClassLoader jars = loader;
        loader = null;
        open = null;
        if (jars != null) {
            try {
                jars.close();
            } catch (IOException e) {
                throw new IllegalStateException("the plugins of the plugin directory cannot be closed", e);
            }
        }
    }
}
