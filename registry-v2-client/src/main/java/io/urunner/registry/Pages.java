package io.urunner.registry;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A listing that is read page by page, each when it is asked for. Not thread-safe; there is nothing to close.
 *
 * @param <T> what is listed
 */
public final class Pages<T> {
    /** More pages than this are a registry that goes round in circles. */
    private static final int MOST_PAGES = 10_000;

    /** So much may all items take that are held at once, in characters. */
    private static final long MOST_HELD = 16 * 1024 * 1024;

    /** About what an item takes beside its characters. */
    private static final int ITEM = 60;

    /** Reads one page. */
    @FunctionalInterface
    interface Reader<T> {
        /** Adds what is on a page, and returns where the next one is, null if there is none. */
        @Nullable String read(String target, List<T> items) throws RegistryException, InterruptedException;
    }

    private final FailedRequest what;
    private final LongSupplier ticker;
    private final Duration budget;
    private final Reader<T> reader;

    @Nullable private String next;

    /** An earlier page, now and then a later one: a listing that goes round in circles comes back to it. */
    private String landmark;

    private int read;
    private long waited;

    Pages(FailedRequest what, LongSupplier ticker, Duration budget, String first, Reader<T> reader) {
        this.what = what;
        this.ticker = ticker;
        this.budget = budget;
        this.next = first;
        this.landmark = first;
        this.reader = reader;
    }

    /**
     * Whether there may be another page.
     *
     * @return false once the last page was read
     */
    public boolean hasNext() {
        return next != null;
    }

    /**
     * Reads the next page.
     *
     * @return what is on it, possibly nothing
     * @throws RegistryException if it cannot be read; it can be tried again
     * @throws InterruptedException if the thread is interrupted
     * @throws NoSuchElementException if there is none
     */
    public List<T> next() throws RegistryException, InterruptedException {
        String target = next;
        if (target == null) {
            throw new NoSuchElementException("the last page was read");
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
        long started = ticker.getAsLong();
        try {
            following = reader.read(target, items);
        } finally {
            waited += ticker.getAsLong() - started;
        }
        read++;
        if (target.equals(following) || landmark.equals(following) || (following != null && read == MOST_PAGES)) {
            throw new ProtocolViolationException(
                    what, "the listing does not end: pages: " + read + ", and it goes on at " + following, null);
        }
        if (following != null && Integer.bitCount(read) == 1) {
            landmark = following;
        }
        next = following;
        return List.copyOf(items);
    }

    /**
     * Reads what is left, if it is not so much that it must be read page by page: some 200,000 tags.
     *
     * @return the items of all pages that were not read yet
     * @throws RegistryException if a page cannot be read, or if there are too many
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
                        what, "the listing is too large to be had at once; read it page by page", null);
            }
            items.addAll(page);
        }
        return List.copyOf(items);
    }
}
