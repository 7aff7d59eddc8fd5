package io.urunner.registry.copy;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.UUID;

/**
 * Writes a tar (POSIX ustar, and pax where a name or a size needs it) beside its final place, and moves it there when it
 * is complete. Times, owners and modes are always the same, so that equal contents make equal archives. Not thread-safe.
 */
final class TarWriter implements Closeable {
    private static final int BLOCK = 512;
    private static final int BUFFER = 128 * 1024;

    /** The largest size in eleven octal digits. */
    private static final long MOST_OCTAL = 077777777777L;

    private final Path target;
    private final Path part;
    private final RandomAccessFile out;
    private boolean open = true;

    TarWriter(Path target) throws IOException {
        this.target = target;
        this.part = target.resolveSibling(target.getFileName() + "." + UUID.randomUUID() + ".part");
        Files.newOutputStream(part, StandardOpenOption.CREATE_NEW).close();
        this.out = new RandomAccessFile(part.toFile(), "rw");
    }

    /** The file that is being written. */
    Path part() {
        return part;
    }

    /** Adds a file, and returns where its content begins; if that fails, nothing of it is left. */
    long add(String path, long size, InputStream content) throws IOException {
        long start = out.getFilePointer();
        boolean added = false;
        try {
            header(path, size);
            long offset = out.getFilePointer();
            byte[] buffer = new byte[BUFFER];
            long written = 0;
            for (int count = content.read(buffer); count >= 0; count = content.read(buffer)) {
                written += count;
                if (written > size) {
                    break;
                }
                out.write(buffer, 0, count);
            }
            if (written != size) {
                throw new IOException(
                        path + " has " + (written > size ? "more" : "fewer") + " than " + size + " bytes");
            }
            pad(size);
            added = true;
            return offset;
        } finally {
            if (!added) {
                out.setLength(start);
                out.seek(start);
            }
        }
    }

    private void header(String path, long size) throws IOException {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        if (name.length > 100 || size > MOST_OCTAL) {
            ByteArrayOutputStream records = new ByteArrayOutputStream();
            records.writeBytes(record("path=" + path));
            records.writeBytes(record("size=" + size));
            block("pax".getBytes(StandardCharsets.US_ASCII), records.size(), 'x');
            out.write(records.toByteArray());
            pad(records.size());
        }
        block(Arrays.copyOf(name, Math.min(100, name.length)), Math.min(size, MOST_OCTAL), '0');
    }

    /** A record begins with its own length. */
    private static byte[] record(String text) {
        int rest = text.getBytes(StandardCharsets.UTF_8).length + 2;
        int length = rest + String.valueOf(rest).length();
        length = rest + String.valueOf(length).length();
        return (length + " " + text + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private void block(byte[] name, long size, char type) throws IOException {
        byte[] header = new byte[BLOCK];
        System.arraycopy(name, 0, header, 0, name.length);
        put(header, 100, "0000644");
        put(header, 108, "0000000");
        put(header, 116, "0000000");
        put(header, 124, octal(size, 11));
        put(header, 136, "00000000000");
        header[156] = (byte) type;
        put(header, 257, "ustar\00000");
        Arrays.fill(header, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte each : header) {
            sum += each & 0xff;
        }
        put(header, 148, octal(sum, 6) + "\0");
        out.write(header);
    }

    private static void put(byte[] header, int offset, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, offset, bytes.length);
    }

    private static String octal(long number, int digits) {
        String octal = Long.toOctalString(number);
        return "0".repeat(digits - octal.length()) + octal;
    }

    private void pad(long size) throws IOException {
        out.write(new byte[(int) ((BLOCK - size % BLOCK) % BLOCK)]);
    }

    /** Ends the archive and moves it to its place. */
    void complete() throws IOException {
        out.write(new byte[2 * BLOCK]);
        out.getFD().sync();
        out.close();
        Files.move(part, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        open = false;
    }

    /** Removes what is not complete. */
    @Override
    public void close() throws IOException {
        if (open) {
            open = false;
            out.close();
            Files.deleteIfExists(part);
        }
    }
}
