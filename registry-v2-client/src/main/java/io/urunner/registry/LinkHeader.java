package io.urunner.registry;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Finds the next page in {@code Link} headers (RFC 8288). */
final class LinkHeader {
    private LinkHeader() {}

    /** Returns the target of the first link with the relation {@code next}, as written. */
    static Optional<String> next(List<String> headers) {
        return headers.stream().flatMap(header -> next(header).stream()).findFirst();
    }

    private static Optional<String> next(String header) {
        HeaderScanner scanner = new HeaderScanner(header);
        while (!scanner.atEnd()) {
            scanner.skipListSeparators();
            if (!scanner.skip('<')) {
                scanner.until("<");
                continue;
            }
            String target = scanner.until(">");
            boolean closed = scanner.skip('>');
            if (closed && isNext(scanner)) {
                return Optional.of(target);
            }
        }
        return Optional.empty();
    }

    /** Reads a link's parameters to their end and returns whether the first {@code rel} contains {@code next}. */
    private static boolean isNext(HeaderScanner scanner) {
        @Nullable String relation = null;
        while (true) {
            scanner.skipBlanks();
            if (!scanner.skip(';')) {
                break;
            }
            scanner.skipBlanks();
            String name = scanner.token();
            scanner.skipBlanks();
            if (!scanner.skip('=')) {
                continue;
            }
            scanner.skipBlanks();
            String value = scanner.quoted();
            if (value == null) {
                value = scanner.until(";,");
            }
            if (relation == null && name.equalsIgnoreCase("rel")) {
                relation = value;
            }
        }
        if (relation == null) {
            return false;
        }
        for (String type : relation.strip().split("\\s+", -1)) {
            if (type.equalsIgnoreCase("next")) {
                return true;
            }
        }
        return false;
    }
}
