package io.urunner.agent.app.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.auth.CredentialPlugin;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/** External plugins, compiled and packed by the test. */
public final class PluginJars {
    public static final String SERVICES = "META-INF/services/io.urunner.registry.auth.CredentialPlugin";

    /** The compile class path of a plugin. */
    private static final Path CLIENT = Path.of(URI.create(CredentialPlugin.class
            .getProtectionDomain()
            .getCodeSource()
            .getLocation()
            .toString()));

    private PluginJars() {}

    /**
     * The source of a plugin of the type acme, whose settings are a user and a password.
     *
     * @param name the class, in the package elsewhere
     * @param parts method bodies by method name, replacing the correct ones; {@code members} for additional members of
     *     the class, {@code settings} for the settings' components, {@code more} for additional members of the provider
     */
    public static String plugin(String name, Map<String, String> parts) {
        return """
                package elsewhere;
                import io.urunner.registry.auth.*;
                import java.util.*;
                public final class %s implements CredentialPlugin<%s.Settings> {
                    public record Settings(%s) { %s }
                    %s
                    public String type() { %s }
                    public Class<Settings> settingsType() { %s }
                    public CredentialProvider create(Settings settings, PluginContext context) { %s
                        return new CredentialProvider() {
                            public List<Credential> credentials(String registry, String repository)
                                    throws CredentialException { %s }
                            public String describe(String registry, String repository) { %s }
                            %s
                        };
                    }
                }
                """.formatted(
                        name,
                        name,
                        parts.getOrDefault("settings", "String user, SecretSource pass"),
                        parts.getOrDefault("record", ""),
                        parts.getOrDefault("members", ""),
                        parts.getOrDefault("type", "return \"acme\";"),
                        parts.getOrDefault("settingsType", "return Settings.class;"),
                        parts.getOrDefault("create", ""),
                        parts.getOrDefault(
                                "credentials",
                                "return List.of(new Credential.Basic(settings.user(), settings.pass().read()));"),
                        parts.getOrDefault("describe", "return \"acme user \" + settings.user();"),
                        parts.getOrDefault("more", ""));
    }

    /**
     * Compiles classes.
     *
     * @param folder a folder to work in
     * @param sources by the simple name of a class in the package elsewhere its source
     * @return by the name of an entry of a jar its content
     */
    public static Map<String, byte[]> compile(Path folder, Map<String, String> sources) throws IOException {
        Path work = Files.createTempDirectory(folder, "compile");
        Path classes = Files.createDirectories(work.resolve("classes"));
        List<String> arguments = new ArrayList<>(List.of(
                "-d", classes.toString(), "-cp", CLIENT.toString(), "-proc:none", "-nowarn", "--release", "17"));
        for (Map.Entry<String, String> source : sources.entrySet()) {
            Path file = work.resolve("elsewhere").resolve(source.getKey() + ".java");
            Files.createDirectories(file.getParent());
            arguments.add(Files.writeString(file, source.getValue()).toString());
        }
        assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new)))
                .isZero();
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                entries.put(classes.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return entries;
    }

    /** Packs a jar whose services file names these classes. */
    public static Path pack(Path jar, Map<String, byte[]> entries, String... named) {
        Map<String, byte[]> all = new LinkedHashMap<>(entries);
        all.put(SERVICES, (String.join("\n", named) + "\n").getBytes(StandardCharsets.UTF_8));
        return packAsItIs(jar, all);
    }

    /** Packs a jar. */
    public static Path packAsItIs(Path jar, Map<String, byte[]> entries) {
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                out.putNextEntry(new JarEntry(entry.getKey()));
                out.write(entry.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return jar;
    }

    /** The plugin of these parts as a jar. */
    public static Path plugin(Path jar, String name, Map<String, String> parts) throws IOException {
        return pack(jar, compile(jar.getParent(), Map.of(name, plugin(name, parts))), "elsewhere." + name);
    }
}
