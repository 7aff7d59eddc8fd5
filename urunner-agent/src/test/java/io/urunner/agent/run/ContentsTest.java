package io.urunner.agent.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Expansion;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.registry.Digest;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ContentsTest {
    private static final Duration INTERVAL = Duration.ofSeconds(10);
    private static final ImageReference DEV = ImageReference.parse("r.example/app:dev");
    private static final ImageReference COPY = ImageReference.parse("r.example/copy:prod");
    private static final String D1 = "sha256:" + "1".repeat(64);
    private static final String D2 = "sha256:" + "2".repeat(64);

    private final ManualLoop loop = new ManualLoop();
    private final List<ImageReference> changed = new ArrayList<>();
    private final FakeSource source = new FakeSource();
    private final WatchedRegistry registry =
            new WatchedRegistry(RegistryPrefix.parse("r.example"), source, INTERVAL, 4);
    private final Contents contents = new Contents(loop, loop, changed::add);

    @Test
    void whatOneReferenceAskedForHoldsForAllWithTheDigest() {
        fetch(DEV, D1);
        loop.settle();
        assertThat(expansion(COPY, D1)).isEqualTo(new Expansion.Known(Set.of(D1)));
        fetch(COPY, D1);
        loop.settle();
        assertThat(source.asked).containsExactly(DEV);
    }

    @Test
    void aDigestThatTwoWantAtOnceIsFetchedOnceAndBothAreTold() {
        fetch(DEV, D1);
        fetch(COPY, D1);
        assertThat(contents.busy()).isTrue();
        loop.settle();
        assertThat(source.asked).containsExactly(DEV);
        assertThat(changed).containsExactlyInAnyOrder(DEV, COPY);
        assertThat(contents.busy()).isFalse();
    }

    @Test
    void aFailureIsThatOfOneReferenceUntilAnotherHadAnAnswer() {
        source.failing.add(DEV);
        fetch(DEV, D1);
        fetch(COPY, D1);
        loop.settle();
        assertThat(expansion(DEV, D1)).isInstanceOf(Expansion.Unavailable.class);
        assertThat(expansion(COPY, D1)).isInstanceOf(Expansion.NotFetched.class);
        fetch(COPY, D1);
        loop.settle();
        assertThat(source.asked).containsExactly(DEV, COPY);
        assertThat(expansion(DEV, D1)).isEqualTo(new Expansion.Known(Set.of(D1)));
    }

    @Test
    void whatFailedMayBeAskedForAgainLater() {
        source.failing.add(DEV);
        fetch(DEV, D1);
        loop.settle();
        fetch(DEV, D1);
        loop.settle();
        assertThat(source.asked).hasSize(1);
        source.failing.clear();
        changed.clear();
        loop.advance(INTERVAL.multipliedBy(3));
        assertThat(changed).containsExactly(DEV);
        fetch(DEV, D1);
        loop.settle();
        assertThat(expansion(DEV, D1)).isEqualTo(new Expansion.Known(Set.of(D1)));
    }

    @Test
    void isKeptWhileAnyTagHasTheDigest() {
        fetch(DEV, D1);
        loop.settle();
        expansion(COPY, D1);
        fetch(DEV, D2);
        loop.settle();
        assertThat(expansion(COPY, D1)).isInstanceOf(Expansion.Known.class);
        fetch(COPY, D2);
        contents.forget(DEV.toString());
        fetch(DEV, "sha256:" + "3".repeat(64));
        loop.settle();
        assertThat(expansion(DEV, D1)).isInstanceOf(Expansion.NotFetched.class);
        assertThat(expansion(COPY, D2)).isInstanceOf(Expansion.Known.class);
    }

    private void fetch(ImageReference reference, String digest) {
        contents.fetch(new ImageDigest(reference.toString(), digest), reference, registry);
    }

    private Expansion expansion(ImageReference reference, String digest) {
        return contents.expansion(new ImageDigest(reference.toString(), digest));
    }

    /** Every digest stands for itself. */
    private static final class FakeSource implements WatchedRegistry.Source {
        private final List<ImageReference> asked = new ArrayList<>();
        private final Set<ImageReference> failing = new HashSet<>();

        @Override
        public WatchedRegistry.Answer resolve(ImageReference reference) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Set<Digest> content(ImageReference reference, Digest digest) throws RegistryException {
            asked.add(reference);
            if (failing.contains(reference)) {
                throw new UnavailableException(FailedRequest.of("get", "r.example"), "refused", null, null);
            }
            return Set.of(digest);
        }

        @Override
        public boolean hasCredential(ImageReference reference) {
            return true;
        }

        @Override
        public Optional<WatchedRegistry.Allowance> allowance() {
            return Optional.empty();
        }
    }
}
