package io.urunner.agent.config;

import io.urunner.registry.auth.CredentialPlugins;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the plugins of the class path and of the jars of a directory. The jars stay open, because the plugins live in
 * them: close this after them. Thread-safe.
 */
public final class PluginDirectory implements SettingsLoader.PluginDiscovery, AutoCloseable {
    /** By directory: of two readings of a changed configuration, the plugins of the first may still be in use. */
    private final Map<Path, URLClassLoader> loaders = new LinkedHashMap<>();

    /** Nothing is opened yet. */
    public PluginDirectory() {}

    @Override
    public synchronized CredentialPlugins discover(Optional<Path> directory) {
        ClassLoader own = PluginDirectory.class.getClassLoader();
        if (directory.isEmpty()) {
            return CredentialPlugins.discover(own);
        }
        return CredentialPlugins.discover(loaders.computeIfAbsent(
                directory.get(),
                path -> new URLClassLoader("plugins", jars(path).toArray(URL[]::new), own)));
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
        IOException failure = null;
        for (URLClassLoader jars : loaders.values()) {
            try {
                jars.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        loaders.clear();
        if (failure != null) {
            throw new IllegalStateException("the plugins of the plugin directory cannot be closed", failure);
        }
    }
}
