package io.urunner.agent.plan;

import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.util.Optional;
import java.util.Set;

/** What the rules say about a container, for tests; by default, nothing is known of its image. */
public final class TestVerdict {
    private final String container;
    private final Verdict.Kind kind;
    private final String words;
    private Optional<ImageReference> reference = Optional.empty();
    private Optional<Digest> digest = Optional.empty();
    private Set<String> running = Set.of();
    private Set<String> old = Set.of();
    private Optional<Deferral> cause = Optional.empty();

    private TestVerdict(String container, Verdict.Kind kind, String words) {
        this.container = container;
        this.kind = kind;
        this.words = words;
    }

    public static TestVerdict of(String container, Verdict.Kind kind, String words) {
        return new TestVerdict(container, kind, words);
    }

    public TestVerdict reference(String text) {
        reference = Optional.of(ImageReference.parse(text));
        return this;
    }

    public TestVerdict digest(String text) {
        digest = Optional.of(Digest.parse(text));
        return this;
    }

    public TestVerdict running(String... digests) {
        running = Set.of(digests);
        return this;
    }

    public TestVerdict old(String... digests) {
        old = Set.of(digests);
        return this;
    }

    public TestVerdict cause(Deferral deferral) {
        cause = Optional.of(deferral);
        return this;
    }

    public Verdict build() {
        return new Verdict(container, reference, digest, running, old, kind, cause, words);
    }
}
