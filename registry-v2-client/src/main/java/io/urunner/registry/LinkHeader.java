package io.urunner.registry;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Finds the next page in {@code Link} headers (RFC 8288). */
final class LinkHeader {
    private LinkHeader() {}

    /**
     * Returns the target of the first link with the relation {@code next}, as written. A link without any relation
     * counts as one, as it does for go-containerregistry, oras-go and containers/image.
     *
     * @throws Violation if a header is not a list of links: a listing must not end where its continuation is unreadable
     */
    static Optional<String> next(List<String> headers) throws Violation {
        for (String header : headers) {
            HeaderScanner scanner = new HeaderScanner(header);
            boolean broken = !header.isBlank() && header.indexOf('<') < 0;
            while (!broken) {
                scanner.until("<");
                if (!scanner.skip('<')) {
                    break;
                }
                String target = scanner.until(">");
                broken = !scanner.skip('>');
                if (!broken && isNext(scanner)) {
                    return Optional.of(target);
                }
            }
            if (broken) {
                throw new Violation("its Link header is not <target>; rel=\"next\"");
            }
        }
        return Optional.empty();
    }

    /** Reads a link's parameters to their end and returns whether the first {@code rel}, if any, contains {@code next}. */
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
            return true;
        }
        for (String type : relation.strip().split("\\s+", -1)) {
            if (type.equalsIgnoreCase("next")) {
                return true;
            }
        }
        return false;
    }
}
