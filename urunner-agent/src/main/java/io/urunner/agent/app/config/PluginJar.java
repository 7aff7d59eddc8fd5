package io.urunner.agent.app.config;

import io.urunner.agent.app.config.PluginBorder.Unusable;
import io.urunner.registry.auth.CredentialPlugin;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;

/**
 * What a jar in the plugin directory provides. Immutable.
 *
 * @param path the jar
 * @param isReadable whether classes can be loaded from it
 * @param classes the plugins that its services file names
 * @param problem why it provides less than it should, with its path
 * @param other what it seems to be, with its path, if it is not meant to provide a plugin
 */
record PluginJar(
        Path path, boolean isReadable, List<String> classes, Optional<String> problem, Optional<String> other) {
    private static final String SERVICES = "META-INF/services/" + CredentialPlugin.class.getName();
    private static final String SPI = CredentialPlugin.class.getName().replace('.', '/');
    private static final int LONGEST_SERVICES = 65_536;
    private static final int MOST_PLUGINS = 100;
    private static final int MOST_ENTRIES = 200_000;
    /** How many bytes are searched for a plugin that no services file names. */
    private static final int MOST_SEARCHED = 64_000_000;

    private static final int LONGEST_NAME = 500;
    private static final Pattern CLASS_NAME = Pattern.compile(
            "\\p{javaJavaIdentifierStart}\\p{javaJavaIdentifierPart}*(\\.\\p{javaJavaIdentifierStart}\\p{javaJavaIdentifierPart}*)*");
    private static final int LARGEST_CLASS = 1_000_000;

    static PluginJar read(Path path) {
        if (Files.isDirectory(path)) {
            return broken(path, "it is a folder, not a jar");
        }
        try {
            if (Files.size(path) == 0) {
                return broken(path, "it is empty");
            }
            try (JarFile jar = new JarFile(path.toFile())) {
                return read(path, jar);
            }
        } catch (IOException | RuntimeException e) {
            return broken(
                    path,
                    (Files.isReadable(path) ? "it is not a jar, or is truncated: copy it again" : "it cannot be read")
                            + " (" + FailureText.of(e, List.of()) + ")");
        }
    }

    private static PluginJar read(Path path, JarFile jar) throws IOException {
        JarEntry services = jar.getJarEntry(SERVICES);
        if (services == null) {
            Optional<String> mistake = misnamed(jar).or(() -> unnamed(jar));
            return mistake.map(what -> brought(path, List.of(), what))
                    .orElseGet(() -> new PluginJar(
                            path,
                            true,
                            List.of(),
                            Optional.empty(),
                            Optional.of(path + " provides nothing: it has no " + SERVICES)));
        }
        List<String> names = new ArrayList<>();
        try (InputStream content = jar.getInputStream(services)) {
            byte[] bytes = content.readNBytes(LONGEST_SERVICES + 1);
            if (bytes.length > LONGEST_SERVICES) {
                return brought(path, List.of(), "its " + SERVICES + " is longer than " + LONGEST_SERVICES + " bytes");
            }
            for (String line : new String(bytes, StandardCharsets.UTF_8).lines().toList()) {
                String name = line.replaceFirst("#.*", "").replace("\uFEFF", "").strip();
                if (!name.isEmpty() && !names.contains(name)) {
                    names.add(name);
                }
            }
        }
        Optional<String> wrong =
                names.stream().filter(name -> !isClassName(name)).findFirst();
        if (wrong.isPresent()) {
            return brought(
                    path,
                    names.stream()
                            .filter(PluginJar::isClassName)
                            .limit(MOST_PLUGINS)
                            .toList(),
                    "its " + SERVICES + " names '" + FailureText.line(wrong.get(), 100, List.of())
                            + "', which is not a class name");
        }
        if (names.isEmpty() || names.size() > MOST_PLUGINS) {
            return brought(
                    path,
                    List.of(),
                    "its " + SERVICES + " names "
                            + (names.isEmpty() ? "no class" : "more than " + MOST_PLUGINS + " classes"));
        }
        return new PluginJar(path, true, List.copyOf(names), Optional.empty(), Optional.empty());
    }

    private static boolean isClassName(String name) {
        return name.length() <= LONGEST_NAME && CLASS_NAME.matcher(name).matches();
    }

    /** A services file of another name, or in another folder. */
    private static Optional<String> misnamed(JarFile jar) {
        int seen = 0;
        boolean classes = false;
        for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements() && seen < MOST_ENTRIES; seen++) {
            String name = entries.nextElement().getName();
            String lower = name.toLowerCase(Locale.ROOT);
            classes |= lower.endsWith(".class") || lower.endsWith(".jar");
            if (!lower.endsWith("/")
                    && !lower.endsWith(".class")
                    && lower.contains("service")
                    && lower.contains("credentialplugin")) {
                return Optional.of(
                        "its services file is " + FailureText.line(name, 200, List.of()) + ", but must be " + SERVICES);
            }
        }
        return classes ? Optional.empty() : Optional.of("it contains no class");
    }

    /** A class that uses the SPI and that no services file names. */
    private static Optional<String> unnamed(JarFile jar) {
        byte[] spi = SPI.getBytes(StandardCharsets.US_ASCII);
        int left = MOST_SEARCHED;
        int seen = 0;
        for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements() && seen < MOST_ENTRIES; seen++) {
            JarEntry entry = entries.nextElement();
            boolean mayBe =
                    entry.getName().endsWith(".class") && !entry.getName().endsWith("module-info.class");
            if (!mayBe || left <= 0) {
                continue;
            }
            try (InputStream content = jar.getInputStream(entry)) {
                byte[] bytes = content.readNBytes(LARGEST_CLASS);
                left -= bytes.length;
                if (contains(bytes, spi)) {
                    return Optional.of("it has no " + SERVICES + ", which would name "
                            + FailureText.line(entry.getName(), 200, List.of())
                                    .replaceFirst("\\.class$", "")
                                    .replace('/', '.'));
                }
            } catch (IOException e) {
                return Optional.of("its " + FailureText.line(entry.getName(), 200, List.of()) + " is damaged");
            }
        }
        return Optional.empty();
    }

    private static boolean contains(byte[] bytes, byte[] wanted) {
        // Latin-1 keeps every byte as it is.
        return new String(bytes, StandardCharsets.ISO_8859_1).contains(new String(wanted, StandardCharsets.ISO_8859_1));
    }

    private static PluginJar broken(Path path, String why) {
        return new PluginJar(
                path,
                false,
                List.of(),
                Optional.of("the plugin jar " + path + " provides nothing: " + why),
                Optional.empty());
    }

    private static PluginJar brought(Path path, List<String> classes, String why) {
        String what = classes.isEmpty() ? " was read, but provides nothing: " : " was read, but ";
        return new PluginJar(path, true, classes, Optional.of("the plugin jar " + path + what + why), Optional.empty());
    }

    /**
     * Makes a plugin of a class of the jars.
     *
     * @param loader loads the program's own classes first, then those of the jars
     * @param name the class
     */
    static CredentialPlugin<?> instance(ClassLoader loader, String name) throws Exception {
        Class<?> found;
        try {
            found = Class.forName(name, false, loader);
        } catch (ClassNotFoundException e) {
            throw new Unusable("its services file", "names a class that does not exist");
        }
        if (found.getClassLoader() != loader) {
            throw new Unusable("the class", "is part of the program: the copy in the jar is not used, remove it");
        }
        if (!CredentialPlugin.class.isAssignableFrom(found)) {
            throw new Unusable("the class", "does not implement " + CredentialPlugin.class.getName());
        }
        Constructor<?> constructor;
        try {
            constructor = found.getConstructor();
        } catch (NoSuchMethodException e) {
            throw new Unusable("the class", "has no public constructor without parameters");
        }
        if (!Modifier.isPublic(found.getModifiers()) || Modifier.isAbstract(found.getModifiers())) {
            throw new Unusable("the class", "is not public, or is abstract");
        }
        return (CredentialPlugin<?>) constructor.newInstance();
    }

    /** The path. */
    @Override
    public String toString() {
        return path.toString();
    }
}
