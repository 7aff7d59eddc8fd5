package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The build reports the image's architecture, which is always the requested one. */
@EnabledOnOs(OS.LINUX)
class StageTest {
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    private static final String OWN = ARM ? "arm64" : "amd64";
    private static final String OTHER = ARM ? "amd64" : "arm64";

    @TempDir
    private Path folder;

    private Path root;

    @BeforeEach
    void start() {
        root = folder.resolve("root");
    }

    @Test
    void theOtherArchitectureNeedsItsOwnJdkAndCLibrary() throws Exception {
        assertThat(stage("", OTHER))
                .contains("this machine is " + OWN, "an image for " + OTHER, "URUNNER_IMAGE_SYSROOT (not set)")
                .contains("urunner-agent/image/sysroot " + OTHER);
        assertThat(stage(Files.createDirectory(folder.resolve("empty")).toString(), OTHER))
                .contains("URUNNER_IMAGE_SYSROOT (" + folder.resolve("empty") + ")");
        assertThat(root).doesNotExist();
    }

    @Test
    void unsupportedArchitecturesAreRefused() throws Exception {
        assertThat(stage("", "riscv64")).contains("amd64 or arm64, not for 'riscv64'");
        assertThat(root).doesNotExist();
    }

    /** Its output; it must fail. */
    private String stage(String sysroot, String architecture) throws IOException, InterruptedException {
        Path log = folder.resolve("log");
        List<String> command = new ArrayList<>(
                List.of("sh", "image/stage", folder.resolve("no.jar").toString(), root.toString()));
        command.add(architecture);
        ProcessBuilder process =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        process.environment().remove("URUNNER_IMAGE_SYSROOT");
        if (!sysroot.isEmpty()) {
            process.environment().put("URUNNER_IMAGE_SYSROOT", sysroot);
        }
        assertThat(process.start().waitFor()).isNotZero();
        return Files.readString(log);
    }
}
