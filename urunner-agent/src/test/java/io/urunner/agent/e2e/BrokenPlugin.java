package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

/** Jars of plugins that load, and fail when they are used. */
final class BrokenPlugin {
    private BrokenPlugin() {}

    /** Creates one for each way to fail; returns their types, which are also the names of the jars. */
    static List<String> all(Path folder) throws IOException {
        pack(
                folder,
                "lacks_a_library",
                "return List.of(new Credential.Basic(Library.user(), Secret.of(\"x\")));",
                "\"\"");
        pack(folder, "gives_null", "return null;", "null");
        pack(folder, "fails", "throw new IllegalStateException(\"a\\n\\u001b[31mb\");", "\"\" + 1 / (1 - 1)");
        return List.of("lacks_a_library", "gives_null", "fails");
    }

    private static void pack(Path folder, String type, String credentials, String description) throws IOException {
        String plugin =
                """
                package TYPE;
                import io.urunner.registry.auth.*;
                import java.util.List;
                public final class Plugin implements CredentialPlugin<Plugin.Settings> {
                    public record Settings() {}
                    public String type() { return "TYPE"; }
                    public Class<Settings> settingsType() { return Settings.class; }
                    public CredentialProvider create(Settings settings, PluginContext context) {
                        return new CredentialProvider() {
                            public List<Credential> credentials(String registry, String repository) { CREDENTIALS }
                            public String describe(String registry, String repository) { return DESCRIPTION; }
                        };
                    }
                }
                class Library { static String user() { return "user"; } }
                """.replace("TYPE", type).replace("CREDENTIALS", credentials).replace("DESCRIPTION", description);
        Path work = Files.createTempDirectory(folder.getParent(), type);
        Path source = Files.writeString(work.resolve("Plugin.java"), plugin);
        assertThat(ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                null,
                                null,
                                "-d",
                                work.toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                "-proc:none",
                                source.toString()))
                .isZero();
        try (OutputStream file = Files.newOutputStream(folder.resolve(type + ".jar"));
                JarOutputStream jar = new JarOutputStream(file);
                Stream<Path> classes = Files.list(work.resolve(type))) {
            jar.putNextEntry(new JarEntry("META-INF/services/io.urunner.registry.auth.CredentialPlugin"));
            jar.write((type + ".Plugin\n").getBytes(StandardCharsets.UTF_8));
            for (Path path : classes.toList()) {
                // The class that it needs is left out, like a library that is not packed.
                if (!path.endsWith("Library.class")) {
                    jar.putNextEntry(new JarEntry(type + "/" + path.getFileName()));
                    jar.write(Files.readAllBytes(path));
                }
            }
        }
    }
}
