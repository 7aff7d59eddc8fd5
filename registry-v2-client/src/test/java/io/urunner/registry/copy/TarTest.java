package io.urunner.registry.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives of any kind, including those that were made to do harm. */
class TarTest {
    private static final byte[] CONTENT = "content".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path folder;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /** Adds an entry with a correct checksum. */
    private TarTest entry(String name, char type, String link, String size, byte[] content) {
        bytes.writeBytes(blocks(name, type, link, size, content));
        return this;
    }

    /** The blocks of an entry. */
    static byte[] blocks(String name, char type, String link, String size, byte[] content) {
        byte[] header = new byte[512];
        put(header, 0, name);
        put(header, 124, size);
        header[156] = (byte) type;
        put(header, 157, link);
        put(header, 257, "ustar");
        header[264] = '0';
        header[263] = '0';
        Arrays.fill(header, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte each : header) {
            sum += each & 0xff;
        }
        put(header, 148, String.format("%06o\0", sum));
        ByteArrayOutputStream blocks = new ByteArrayOutputStream();
        blocks.writeBytes(header);
        blocks.writeBytes(content);
        blocks.writeBytes(new byte[(512 - content.length % 512) % 512]);
        return blocks.toByteArray();
    }

    private static void put(byte[] header, int offset, String text) {
        byte[] put = text.getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(put, 0, header, offset, put.length);
    }

    static void add(TarWriter tar, String path, byte[] content) throws IOException {
        tar.add(path, content.length, new ByteArrayInputStream(content));
    }

    private TarTest file(String name) {
        return entry(name, '0', "", String.format("%011o", CONTENT.length), CONTENT);
    }

    private TarTest link(char type, String name, String to) {
        return entry(name, type, to, "0", new byte[0]);
    }

    private TarTest extended(char type, String text) {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        return entry("extended", type, "", String.format("%011o", content.length), content);
    }

    private TarStore read() throws IOException {
        Path file = folder.resolve("archive");
        Files.write(file, bytes.toByteArray());
        return TarStore.of(file);
    }

    @Test
    void filesAreFoundByTheirPaths() throws IOException {
        TarStore files =
                file("./a/b").file("c").entry("d/", '5', "", "0", new byte[0]).read();

        assertThat(files.read("a/b", 100)).isEqualTo(CONTENT);
        assertThat(files.read("c", 100)).isEqualTo(CONTENT);
        assertThat(files.size("d")).isEqualTo(-1);
        assertThat(files.size("./a/b")).isEqualTo(-1);
        assertThatIOException().isThrownBy(() -> files.read("c", 3)).withMessageContaining("too large");
        assertThatIOException().isThrownBy(() -> files.open("nothing\u001b")).withMessageContaining("'nothing?'");
    }

    @Test
    void longNamesAreReadInBothForms() throws IOException {
        String name = "a/".repeat(80) + "file";
        String record = " path=" + name + "x\n";
        TarStore files = extended('L', name + "\0")
                .file("cut")
                .extended('x', (record.length() + 3) + record)
                .file("cut")
                .file("short")
                .read();

        assertThat(files.size(name)).isEqualTo(CONTENT.length);
        assertThat(files.size(name + "x")).isEqualTo(CONTENT.length);
        assertThat(files.size("short")).isEqualTo(CONTENT.length);
    }

    @Test
    void linksWithinTheArchiveAreFollowedAndOthersLeadNowhere() throws IOException {
        TarStore files = file("1/layer.tar")
                .link('2', "2/layer.tar", "../1/layer.tar")
                .link('1', "3", "1/layer.tar")
                .link('2', "out", "../../etc/passwd")
                .link('2', "absolute", "/etc/passwd")
                .link('2', "circle", "circle")
                .read();

        assertThat(files.read("2/layer.tar", 100)).isEqualTo(CONTENT);
        assertThat(files.read("3", 100)).isEqualTo(CONTENT);
        assertThat(files.size("out")).isEqualTo(-1);
        assertThat(files.size("absolute")).isEqualTo(-1);
        assertThat(files.size("circle")).isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "/x", "a/../../x", "..", "a\\b"})
    void aPathThatLeadsOutOfTheArchiveIsRefused(String path) {
        assertThatIOException().isThrownBy(() -> file(path).read()).withMessageContaining("leads out of it");
    }

    @Test
    void aFileThatIsThereTwiceIsRefused() {
        assertThatIOException().isThrownBy(() -> file("a").file("./a").read()).withMessageContaining("twice");
        bytes.reset();
        assertThatIOException()
                .isThrownBy(() -> file("a").link('2', "a", "b").read())
                .withMessageContaining("twice");
        bytes.reset();
        assertThatIOException()
                .isThrownBy(() -> link('2', "a", "b").file("a").read())
                .withMessageContaining("twice");
    }

    /** More than the file has, negative, no number, and more than a number can hold. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "77777777777",
                "99999999999",
                "-1",
                "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff",
                "\u0080\0\0\0\u007f\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff"
            })
    void aSizeThatCannotBeIsRefused(String size) {
        assertThatIOException()
                .isThrownBy(() -> entry("a", '0', "", size, CONTENT).read())
                .withMessageContaining("is damaged");
    }

    @ParameterizedTest
    @ValueSource(strings = {"5 size=99999999999999999999\n", "999999 path=a\n", "x", "3 \n", "0 a=b\n", "8 path=a\n"})
    void anExtendedHeaderThatCannotBeReadIsRefused(String text) {
        assertThatIOException()
                .isThrownBy(() -> extended('x', text).file("a").read())
                .withMessageContaining("is damaged");
    }

    @Test
    void aSizeInAnExtendedHeaderIsBounded() {
        assertThatIOException()
                .isThrownBy(
                        () -> extended('x', "22 size=9999999999999\n").file("a").read())
                .withMessageContaining("is damaged");
    }

    @Test
    void anExtendedHeaderIsBounded() {
        assertThatIOException()
                .isThrownBy(() -> extended('L', "a".repeat(70_000)).file("a").read())
                .withMessageContaining("extended header of 70000 bytes");
    }

    @Test
    void theNumberOfEntriesIsBounded() {
        for (int i = 0; i < 100_001; i++) {
            link('2', "l" + i, "x");
        }
        assertThatIOException().isThrownBy(this::read).withMessageContaining("more than 100000 files");
    }

    @Test
    void aDamagedOrCutArchiveIsRefused() throws IOException {
        file("a").file("b");
        byte[] whole = bytes.toByteArray();
        whole[1024] ^= 1;
        bytes.reset();
        bytes.writeBytes(whole);
        assertThatIOException().isThrownBy(this::read).withMessageContaining("wrong checksum");
        bytes.reset();
        bytes.writeBytes(Arrays.copyOf(whole, 515));
        assertThatIOException().isThrownBy(this::read).withMessageContaining("is damaged");
        bytes.reset();
        bytes.writeBytes(Arrays.copyOf(whole, 1024));
        assertThat(read().size("a")).isEqualTo(CONTENT.length);
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        Path file = folder.resolve("written");
        String longName = "blobs/sha512/" + "a".repeat(128);
        try (TarWriter tar = new TarWriter(file)) {
            add(tar, longName, CONTENT);
            add(tar, "b", new byte[512]);
            assertThatIOException().isThrownBy(() -> tar.add("c", 3, new ByteArrayInputStream(CONTENT)));
            assertThatIOException().isThrownBy(() -> tar.add("c", 30, new ByteArrayInputStream(CONTENT)));
            add(tar, "d", CONTENT);
            tar.complete();
        }
        TarStore files = TarStore.of(file);

        assertThat(files.read(longName, 100)).isEqualTo(CONTENT);
        assertThat(files.size("b")).isEqualTo(512);
        assertThat(files.size("c")).isEqualTo(-1);
        assertThat(files.read("d", 100)).isEqualTo(CONTENT);
    }
}
