package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.marcnuri.helm.Helm;
import io.urunner.agent.chart.Chart;
import io.urunner.kube.testing.Requirement;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Builds for an owner use the owner's name, which is set in one place. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class OwnerIT {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    @Test
    void theChartOfAnOwnerHasTheirHomeImageAndRunbooks() throws Exception {
        build(
                "resources:copy-resources@chart",
                "-Dproject.owner=git.example.com/acme",
                "-Dproject.registry=registry.example.com/acme");
        Path chart = Path.of("target", "helm", "urunner").toAbsolutePath();

        assertThat(Files.readString(chart.resolve("Chart.yaml")))
                .contains("\nhome: https://git.example.com/acme/urunner-java\n");
        List<JsonNode> objects = Chart.documents(new Helm(chart)
                .template()
                .withName("urunner")
                .withValuesFile(Chart.file(folder, "prometheusRule: {enabled: true}"))
                .call());
        assertThat(objects.toString())
                .contains(
                        "\"image\":\"registry.example.com/acme/urunner:",
                        "\"runbook_url\":\"https://git.example.com/acme/urunner-java/blob/HEAD/docs/troubleshooting.md#urunner")
                .doesNotContain("urunner.invalid", "\"docs/troubleshooting.md");
        assertThat(new Helm(chart).lint().strict().call().isFailed()).isFalse();
    }

    private void build(String... arguments) throws Exception {
        String home = System.getProperty("urunner.maven.home", "");
        if (home.isEmpty()) {
            throw Requirement.missing("only Maven knows where Maven and its repository are");
        }
        Path log = folder.resolve("log");
        ProcessBuilder process = new ProcessBuilder("sh", "./mvnw", "-B", "-o", "-pl", "urunner-agent")
                .directory(ROOT.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        process.command().addAll(List.of(arguments));
        process.environment().put("MAVEN_OPTS", "-Dmaven.repo.local=" + System.getProperty("urunner.maven.repository"));
        process.environment().remove("MAVEN_ARGS");
        process.environment().merge("PATH", home + "/bin", (path, bin) -> bin + File.pathSeparator + path);
        int code = process.start().waitFor();
        assertThat(code).as(Files.readString(log)).isZero();
    }
}
