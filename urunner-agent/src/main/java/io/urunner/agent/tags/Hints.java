package io.urunner.agent.tags;

import io.urunner.agent.PushedTag;
import io.urunner.agent.loop.Loop;
import io.urunner.registry.ImageReference;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Checks at once what may have changed since the registry's last answer, because somebody says that it was pushed. A
 * reference with repeated hints is checked at most four times per second; the last hint always leads to a check. On the
 * loop.
 */
public final class Hints {
    private static final Duration REST = Duration.ofMillis(250);

    /**
     * Some registries, such as CNCF Distribution, send their notification before the new digest can be read: what has not
     * moved yet is checked this long after the hint, after the first check and after the second.
     */
    private static final List<Duration> LOOKS =
            List.of(Duration.ofMillis(100), Duration.ofMillis(300), Duration.ofSeconds(2));

    private final Loop loop;
    private final Registries registries;
    private final Set<ImageReference> resting = new HashSet<>();
    private final Set<ImageReference> again = new HashSet<>();
    private final Map<ImageReference, Expected> expected = new HashMap<>();

    /** A reference that is expected to move. */
    private static final class Expected {
        private final List<Optional<Instant>> stoodSince;
        private int looks;
        private boolean told;
        private Loop.Timer next = () -> {};

        Expected(List<Optional<Instant>> stoodSince) {
            this.stoodSince = stoodSince;
        }
    }

    public Hints(Loop loop, Registries registries) {
        this.loop = loop;
        this.registries = registries;
    }

    /** Takes tags that are said to have been pushed. Returns how many watched references have them. */
    public int pushed(Collection<PushedTag> pushed) {
        Set<PushedTag> tags = Set.copyOf(pushed);
        List<ImageReference> watched = registries.references().stream()
                .filter(reference ->
                        PushedTag.of(reference).filter(tags::contains).isPresent())
                .toList();
        watched.forEach(this::pushed);
        return watched.size();
    }

    private void pushed(ImageReference reference) {
        Expected before = expected.get(reference);
        if (before != null && before.looks == 0) {
            before.told = true;
        } else {
            Optional.ofNullable(before).ifPresent(one -> one.next.cancel());
            expect(reference);
        }
    }

    private void expect(ImageReference reference) {
        Expected one = new Expected(standsSince(reference));
        expected.put(reference, one);
        schedule(reference, one);
    }

    private void schedule(ImageReference reference, Expected one) {
        one.next = loop.after(LOOKS.get(one.looks), () -> {
            boolean moved = false;
            boolean first = one.looks == 0;
            one.looks++;
            try {
                moved = !standsSince(reference).equals(one.stoodSince);
                if (first || !moved) {
                    look(reference);
                }
            } finally {
                if (one.told) {
                    expect(reference);
                } else if (!moved && one.looks < LOOKS.size()) {
                    schedule(reference, one);
                } else {
                    expected.remove(reference);
                }
            }
        });
    }

    private List<Optional<Instant>> standsSince(ImageReference reference) {
        return registries.standsSince(reference);
    }

    private void look(ImageReference reference) {
        if (!resting.add(reference)) {
            again.add(reference);
            return;
        }
        loop.after(REST, () -> {
            resting.remove(reference);
            if (again.remove(reference)) {
                look(reference);
            }
        });
        registries.lookNext(reference);
    }
}
