package io.urunner.registry;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * A listing that is read page by page, each when it is asked for. Not thread-safe; there is nothing to close.
 *
 * @param <T> what is listed
 */
public final class Pages<T> {
    /** More pages than this are a registry that goes round in circles. */
    private static final int MOST_PAGES = 10_000;

    /** Reads one page. */
    @FunctionalInterface
    interface Reader<T> {
        /** Adds what is on a page, and returns where the next one is, null if there is none. */
        @Nullable String read(String target, List<T> items) throws RegistryException, InterruptedException;
    }

    private final FailedRequest what;
    private final Reader<T> reader;

    @Nullable private String next;

    private int read;

    Pages(FailedRequest what, String first, Reader<T> reader) {
        this.what = what;
        this.next = first;
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
        List<T> items = new ArrayList<>();
        String following = reader.read(target, items);
        read++;
        if (target.equals(following) || (following != null && read == MOST_PAGES)) {
            throw new ProtocolViolationException(
                    what, "the listing does not end: after " + read + " pages it goes on at " + following, null);
        }
        next = following;
        return List.copyOf(items);
    }

    /**
     * Reads what is left.
     *
     * @return the items of all pages that were not read yet
     * @throws RegistryException if a page cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    public List<T> all() throws RegistryException, InterruptedException {
        List<T> items = new ArrayList<>();
        while (hasNext()) {
            items.addAll(next());
        }
        return List.copyOf(items);
    }
}
