package io.urunner.registry.copy;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the headers of a tar, one after the other: POSIX ustar and pax, and GNU's long names. Sizes are checked against
 * the file's before anything is skipped. Not thread-safe.
 */
final class TarReader {
    private static final int BLOCK = 512;

    /** The longest extended header: a name, or a few attributes. */
    private static final int MOST_EXTENDED = 64 * 1024;

    /** The extended fields that count here. */
    private static final Set<String> KEYS = Set.of("path", "linkpath", "size");

    static final char FILE = '0';
    static final char HARD_LINK = '1';
    static final char SYMBOLIC_LINK = '2';

    /** An entry: its type, its path and link as they are in the archive, and where its content begins. */
    static final class Entry {
        final char type;
        final String path;
        final String link;
        final long offset;
        final long size;

        Entry(char type, String path, String link, long offset, long size) {
            this.type = type;
            this.path = path;
            this.link = link;
            this.offset = offset;
            this.size = size;
        }
    }

    private final InputStream in;
    private final long length;
    private final String archive;
    private long position;

    TarReader(InputStream in, long length, String archive) {
        this.in = in;
        this.length = length;
        this.archive = archive;
    }

    /** The next entry, or null at the end. */
    @Nullable Entry next() throws IOException {
        Map<String, String> extended = new HashMap<>();
        while (true) {
            byte[] header = in.readNBytes(BLOCK);
            boolean first = position == 0;
            position += header.length;
            if (!first && (header.length == 0 || isEmpty(header))) {
                return null;
            }
            check(header, first);
            char type = (char) (header[156] & 0xff);
            long size = type >= '1' && type <= '6' ? 0 : size(header, extended);
            if (size < 0 || size > length - position) {
                throw new IOException(archive + " is damaged: it ends before its entries do");
            }
            switch (type) {
                case 'x' -> pax(extended(size), extended);
                case 'L' -> extended.putIfAbsent("path", untilZero(extended(size)));
                case 'K' -> extended.putIfAbsent("linkpath", untilZero(extended(size)));
                case 'g' -> skip(size);
                default -> {
                    Entry entry = new Entry(
                            type == '\0' || type == '7' ? FILE : type,
                            extended.getOrDefault("path", path(header)),
                            extended.getOrDefault("linkpath", text(header, 157, 100)),
                            position,
                            size);
                    skip(size);
                    return entry;
                }
            }
        }
    }

    private static boolean isEmpty(byte[] header) {
        for (byte each : header) {
            if (each != 0) {
                return false;
            }
        }
        return true;
    }

    private void check(byte[] header, boolean first) throws IOException {
        if (header.length > 2 && first && (header[0] & 0xff) == 0x1f && (header[1] & 0xff) == 0x8b) {
            throw new IOException(archive + " is compressed with gzip; unpack it with gunzip first");
        }
        long sum = 0;
        for (int i = 0; i < header.length; i++) {
            sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xff;
        }
        if (header.length < BLOCK || sum != number(header, 148, 8)) {
            throw new IOException(archive
                    + (first
                            ? " is no tar; if it is compressed, unpack it first"
                            : " is damaged: a header has a wrong checksum"));
        }
    }

    private static String path(byte[] header) {
        String name = text(header, 0, 100);
        // GNU's own format has other fields there.
        boolean posix = text(header, 257, 6).equals("ustar") && header[262] == 0;
        String prefix = posix ? text(header, 345, 155) : "";
        return prefix.isEmpty() ? name : prefix + "/" + name;
    }

    private long size(byte[] header, Map<String, String> extended) throws IOException {
        String pax = extended.get("size");
        if (pax == null) {
            return number(header, 124, 12);
        }
        return pax.matches("[0-9]{1,18}") ? Long.parseLong(pax) : -1;
    }

    /** An octal number, or a binary one if the first bit is set; -1 if it is neither. */
    private static long number(byte[] header, int offset, int length) {
        if ((header[offset] & 0x80) != 0) {
            long value = header[offset] & 0x7f;
            for (int i = 1; i < length; i++) {
                if (value > Long.MAX_VALUE >> 9) {
                    return -1;
                }
                value = (value << 8) | (header[offset + i] & 0xff);
            }
            return value;
        }
        String digits = text(header, offset, length).strip();
        return digits.matches("[0-7]{0,20}") ? Long.parseLong("0" + digits, 8) : -1;
    }

    private static String text(byte[] header, int offset, int length) {
        int end = offset;
        while (end < offset + length && header[end] != 0) {
            end++;
        }
        return new String(header, offset, end - offset, StandardCharsets.UTF_8);
    }

    private byte[] extended(long size) throws IOException {
        if (size > MOST_EXTENDED) {
            throw new IOException(archive + " has an extended header of " + size + " bytes; it is no image");
        }
        byte[] content = in.readNBytes((int) size);
        position += content.length;
        forward(padding(size));
        return content;
    }

    private static String untilZero(byte[] content) {
        return text(content, 0, content.length);
    }

    /** Records of the form {@code LENGTH KEY=VALUE\n} (POSIX, "pax Extended Header"). */
    private void pax(byte[] content, Map<String, String> extended) throws IOException {
        int at = 0;
        while (at < content.length) {
            int space = at;
            while (space < content.length && content[space] != ' ') {
                space++;
            }
            String digits = new String(content, at, space - at, StandardCharsets.US_ASCII);
            int end = digits.matches("[0-9]{1,6}") ? at + Integer.parseInt(digits) : -1;
            String record = end <= space + 1 || end > content.length || content[end - 1] != '\n'
                    ? ""
                    : new String(content, space + 1, end - space - 2, StandardCharsets.UTF_8);
            int equals = record.indexOf('=');
            if (equals <= 0) {
                throw new IOException(archive + " is damaged: an extended header cannot be read");
            }
            String key = record.substring(0, equals);
            if (KEYS.contains(key)) {
                extended.put(key, record.substring(equals + 1));
            }
            at = end;
        }
    }

    private static long padding(long size) {
        return (BLOCK - size % BLOCK) % BLOCK;
    }

    /** Skips the content of an entry and what fills its last block, which may be missing at the end. */
    private void skip(long size) throws IOException {
        forward(size);
        forward(padding(size));
    }

    private void forward(long bytes) throws IOException {
        long count = Math.min(length - position, bytes);
        try {
            in.skipNBytes(count);
        } catch (EOFException e) {
            throw new IOException(archive + " is damaged: it ends before its entries do", e);
        }
        position += count;
    }
}
