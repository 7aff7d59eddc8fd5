package io.urunner.agent.run;

import io.urunner.registry.ImageReference;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Looks at once at what somebody says was pushed. A reference that is hinted at over and over is looked at once per second
 * at most; the last hint always leads to a look. On the loop.
 */
final class Hints {
    private static final Duration REST = Duration.ofSeconds(1);

    private final Loop loop;
    private final Registries registries;
    private final Set<ImageReference> resting = new HashSet<>();
    private final Set<ImageReference> again = new HashSet<>();

    Hints(Loop loop, Registries registries) {
        this.loop = loop;
        this.registries = registries;
    }

    /** Returns how many watched references have these tags. */
    int look(Collection<PushedTag> pushed) {
        Set<PushedTag> tags = Set.copyOf(pushed);
        List<ImageReference> watched = registries.references().stream()
                .filter(reference ->
                        PushedTag.of(reference).filter(tags::contains).isPresent())
                .toList();
        watched.forEach(this::look);
        return watched.size();
    }

    private void look(ImageReference reference) {
        if (!resting.add(reference)) {
            again.add(reference);
            return;
        }
        registries.lookNext(reference);
        loop.after(REST, () -> {
            resting.remove(reference);
            if (again.remove(reference)) {
                look(reference);
            }
        });
    }
}
