package io.urunner.agent.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.copy.CopyResult.Outcome;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What people see of a copy while it runs. */
class CopyProgressTest {
    private static final Descriptor LAYER = of("application/vnd.oci.image.layer.v1.tar+gzip", "layer", 3072);
    private static final Descriptor INDEX_BLOB = of("application/vnd.example.index", "index", 512);
    private static final Descriptor MANIFEST = of("application/vnd.oci.image.manifest.v1+json", "manifest", 512);

    private final StringWriter screen = new StringWriter();
    private final StringWriter err = new StringWriter();

    private static Descriptor of(String type, String content, long size) {
        return new Descriptor(type, Digest.of(content.getBytes(StandardCharsets.UTF_8)), size);
    }

    private CopyProgress progress(boolean terminal, Form.Format format, int width) {
        return progress(terminal, format, width, false);
    }

    private CopyProgress progress(boolean terminal, Form.Format format, int width, boolean dryRun) {
        CopyProgress progress = new CopyProgress(
                terminal ? Optional.of(new PrintWriter(screen)) : Optional.empty(),
                new PrintWriter(err),
                new Form(format, width),
                dryRun);
        progress.planned(3, 4096);
        return progress;
    }

    private static void copy(CopyProgress progress) {
        progress.transferred(LAYER, 2048);
        progress.transferred(LAYER, -2048);
        progress.transferred(LAYER, 3072);
        progress.finished(LAYER, Outcome.COPIED);
        progress.transferred(INDEX_BLOB, 512);
        progress.finished(INDEX_BLOB, Outcome.COPIED);
        progress.finished(MANIFEST, Outcome.COPIED);
    }

    /** What was drawn, one after the other, without what only covers the line before. */
    private List<String> drawn() {
        return Arrays.stream(screen.toString().split("\r", -1))
                .map(String::stripTrailing)
                .filter(line -> !line.isEmpty())
                .toList();
    }

    @Test
    void theBarGrowsStartsOverWithABlobAndIsRemoved() {
        CopyProgress progress = progress(true, Form.Format.TEXT, 80);
        copy(progress);
        progress.end();
        progress.end();

        assertThat(drawn())
                .containsExactly(
                        "[........................]   0% 0/3 4.0 KiB",
                        "[############............]  50% 0/3 4.0 KiB",
                        "[........................]   0% 0/3 4.0 KiB",
                        "[##################......]  75% 0/3 4.0 KiB",
                        "[##################......]  75% 1/3 4.0 KiB",
                        "[####################....]  87% 1/3 4.0 KiB",
                        "[####################....]  87% 2/3 4.0 KiB",
                        "[########################] 100% 3/3 4.0 KiB");
        assertThat(screen.toString()).endsWith("\r").doesNotContain("\n");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void whatIsThereAlreadyOrOnlyWouldBeCopiedCountsAsDone() {
        CopyProgress progress = progress(true, Form.Format.TEXT, 80);
        progress.finished(LAYER, Outcome.PRESENT);
        progress.finished(INDEX_BLOB, Outcome.COPIED);
        progress.finished(MANIFEST, Outcome.MOUNTED);

        assertThat(drawn()).last().isEqualTo("[########################] 100% 3/3 4.0 KiB");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 40, 44, 45, 80, 1000})
    void noLineIsWiderThanTheTerminal(int width) {
        CopyProgress progress = progress(true, Form.Format.TEXT, width);
        copy(progress);
        progress.end();

        assertThat(screen.toString().split("\r", -1))
                .allSatisfy(line -> assertThat(line.length()).isLessThan(Math.max(width, Form.NARROWEST)));
        assertThat(drawn()).last().asString().contains("100% 3/3 4.0 KiB");
    }

    @Test
    void withoutATerminalEachPieceIsALine() {
        CopyProgress progress = progress(false, Form.Format.TEXT, 80);
        copy(progress);
        progress.end();

        assertThat(err.toString().lines())
                .containsExactly(
                        "copied " + LAYER.digest() + " 3.0 KiB",
                        "copied " + INDEX_BLOB.digest() + " 512 B",
                        "copied " + MANIFEST.digest() + " 512 B");
    }

    @Test
    void aDryRunSaysThatNothingIsCopied() {
        CopyProgress progress = progress(false, Form.Format.TEXT, 80, true);
        progress.finished(LAYER, Outcome.PRESENT);
        progress.finished(MANIFEST, Outcome.COPIED);

        assertThat(err.toString().lines())
                .containsExactly(
                        "present " + LAYER.digest() + " 3.0 KiB", "would be copied " + MANIFEST.digest() + " 512 B");
    }

    @ParameterizedTest
    @EnumSource(
            value = Form.Format.class,
            names = {"JSON", "YAML"})
    void besideOutputForMachinesThereIsNeither(Form.Format format) {
        CopyProgress progress = progress(true, format, 80);
        copy(progress);
        progress.end();

        assertThat(screen.toString()).isEmpty();
        assertThat(err.toString()).isEmpty();
    }
}
