package io.urunner.registry;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A listing that is read page by page, on demand. Not thread-safe; there is nothing to close.
 *
 * @param <T> what is listed
 */
public final class Pages<T> {
    /** A registry with more pages than this goes round in circles. */
    private static final int MOST_PAGES = 10_000;

    /** How many characters all items that are held at once may take. */
    private static final long MOST_HELD = 16 * 1024 * 1024;

    /** Roughly what an item takes in addition to its characters. */
    private static final int ITEM = 60;

    /** Reads one page. */
    @FunctionalInterface
    interface Reader<T> {
        /** Adds the entries of a page, and returns where the next page is, or null if there is none. */
        @Nullable String read(String target, List<T> items) throws RegistryException, InterruptedException;
    }

    private final FailedRequest what;
    private final Caller caller;
    private final Duration budget;
    private final Reader<T> reader;

    @Nullable private String next;

    /** The digests of where all pages were: a listing that goes round in circles returns to one. */
    private final Set<String> pages = new HashSet<>();

    private int read;
    private long waited;

    Pages(FailedRequest what, Caller caller, Duration budget, String first, Reader<T> reader) {
        this.what = what;
        this.caller = caller;
        this.budget = budget;
        this.next = first;
        pages.add(key(first));
        this.reader = reader;
    }

    /**
     * Whether there may be another page.
     *
     * @return false once the last page has been read
     */
    public boolean hasNext() {
        return next != null;
    }

    /**
     * Reads the next page.
     *
     * @return the entries of the page, possibly none
     * @throws RegistryException if it cannot be read; the call can be repeated
     * @throws InterruptedException if the thread is interrupted
     * @throws NoSuchElementException if there is no further page
     */
    public List<T> next() throws RegistryException, InterruptedException {
        String target = next;
        if (target == null) {
            throw new NoSuchElementException("the last page has been read");
        }
        if (waited > budget.toNanos()) {
            throw new UnavailableException(
                    what,
                    "the listing takes too long: more than " + budget.toSeconds() + " s, pages: " + read,
                    null,
                    null);
        }
        List<T> items = new ArrayList<>();
        String following;
        long started = caller.ticks();
        try {
            following = reader.read(target, items);
        } finally {
            waited += caller.ticks() - started;
        }
        read++;
        if (following != null && (!pages.add(key(following)) || read == MOST_PAGES)) {
            throw new ProtocolViolationException(
                    what, "the listing does not end: pages: " + read + ", and it continues at " + following, null);
        }
        next = following;
        return List.copyOf(items);
    }

    /** Targets may be long, and there may be many. */
    private static String key(String target) {
        return Digest.of(target.getBytes(StandardCharsets.UTF_8)).hex().substring(0, 32);
    }

    /**
     * Reads all remaining pages, unless there are too many entries to hold at once: about 200,000 tags.
     *
     * @return the items of all pages that were not read yet
     * @throws RegistryException if a page cannot be read, or if there are too many entries
     * @throws InterruptedException if the thread is interrupted
     */
    public List<T> all() throws RegistryException, InterruptedException {
        List<T> items = new ArrayList<>();
        long held = 0;
        while (hasNext()) {
            List<T> page = next();
            for (T item : page) {
                held += ITEM + item.toString().length();
            }
            if (held > MOST_HELD) {
                throw new ProtocolViolationException(
                        what, "the listing is too large to be read at once; read it page by page", null);
            }
            items.addAll(page);
        }
        return List.copyOf(items);
    }
}
