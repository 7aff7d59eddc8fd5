package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The jar that is shipped, as a process of its own. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class AgentJarIT {
    private static final Path JAR = Path.of("target", "urunner-agent.jar").toAbsolutePath();

    @TempDir
    Path folder;

    private Process start(Map<String, String> environment, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                JAR.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("URUNNER_") || name.startsWith("KUBE"));
        builder.environment().put("HOME", folder.toString());
        builder.environment().putAll(environment);
        return builder.start();
    }

    private int run(Map<String, String> environment, String... arguments) throws Exception {
        return start(environment, arguments).waitFor();
    }

    private String out() throws IOException {
        return Files.readString(folder.resolve("out"));
    }

    private String err() throws IOException {
        return Files.readString(folder.resolve("err"));
    }

    @Test
    void it_tells_its_version_and_its_commands() throws Exception {
        assertThat(run(Map.of(), "--version")).isZero();
        assertThat(out()).matches("urunner \\d+\\.\\d+\\.\\d+\\S*\\R");
        assertThat(run(Map.of(), "--help")).isZero();
        assertThat(out()).contains("run", "once", "digest", "config");
        assertThat(err()).isEmpty();
    }

    @Test
    void it_brings_the_four_plugins_and_the_built_in_kinds() throws Exception {
        assertThat(run(Map.of("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "nonsense"), "config"))
                .isEqualTo(2);
        assertThat(err()).contains("aws_ecr", "digitalocean", "dockerhub", "generic", "gitlab", "harbor");
    }

    @Test
    void a_wrong_configuration_exits_with_2_without_a_stack_trace_or_a_secret() throws Exception {
        assertThat(run(
                        Map.of(
                                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "gitlab",
                                "URUNNER_SECR_GITLAB_TOKN", "glpat-0123456789",
                                "URUNNER_CONF_HTTP_PORT", "x"),
                        "run"))
                .isEqualTo(2);
        assertThat(err())
                .contains("did you mean URUNNER_SECR_GITLAB_TOKEN?", "URUNNER_CONF_HTTP_PORT", "3 problems")
                .doesNotContain("\tat ", "glpat-0123456789");
    }

    @Test
    void outside_of_a_cluster_it_says_what_to_set() throws Exception {
        assertThat(run(Map.of("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic"), "once"))
                .isEqualTo(2);
        assertThat(err()).contains("URUNNER_CONF_KUBE_AUTH=kubeconfig").doesNotContain("\tat ");
    }

    @Test
    void run_ends_on_sigterm_within_5_seconds_with_exit_code_0_though_nothing_answers() throws Exception {
        // Port 1 of this machine: nobody listens there.
        Files.writeString(folder.resolve("kubeconfig"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
                users: [{name: none, user: {}}]
                contexts: [{name: none, context: {cluster: none, user: none}}]
                current-context: none
                """);
        Process agent = start(
                Map.of(
                        "KUBECONFIG", folder.resolve("kubeconfig").toString(),
                        "URUNNER_CONF_KUBE_AUTH", "kubeconfig",
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic",
                        "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", "127.0.0.1:1",
                        "URUNNER_CONF_HTTP_PORT", "0"),
                "run");
        try {
            await(agent, "watch of");
            agent.destroy();
            assertThat(agent.waitFor(5, TimeUnit.SECONDS)).as("ended in time").isTrue();
            assertThat(agent.exitValue()).as(out() + err()).isZero();
            assertThat(out()).contains("told to end", "ended");
        } finally {
            agent.destroyForcibly();
        }
    }

    private void await(Process process, String text) throws Exception {
        while (!out().contains(text)) {
            assertThat(process.waitFor(50, TimeUnit.MILLISECONDS))
                    .as("it goes on; it said: " + out() + err())
                    .isFalse();
        }
    }

    @Test
    void the_jar_holds_no_signature_no_module_and_no_second_copy() throws IOException {
        try (JarFile jar = new JarFile(JAR.toFile())) {
            List<String> names = jar.stream().map(JarEntry::getName).toList();
            assertThat(names)
                    .doesNotHaveDuplicates()
                    .noneMatch(name -> name.matches("META-INF/[^/]*\\.(SF|DSA|RSA)"))
                    .noneMatch(name -> name.endsWith("module-info.class"));
            assertThat(services(jar, "META-INF/services/io.urunner.registry.auth.CredentialPlugin"))
                    .hasSizeGreaterThanOrEqualTo(6)
                    .doesNotHaveDuplicates();
            assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isEqualTo("io.urunner.agent.Main");
        }
        assertThat(Files.size(JAR)).as("bytes").isLessThan(50_000_000);
    }

    private static List<String> services(JarFile jar, String name) throws IOException {
        try (InputStream content = jar.getInputStream(jar.getEntry(name));
                Stream<String> lines =
                        new String(content.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).lines()) {
            return lines.filter(line -> !line.isBlank()).collect(Collectors.toList());
        }
    }
}
