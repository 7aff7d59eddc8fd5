package io.urunner.agent.tags;

import java.util.Optional;

/**
 * Whose credentials a registry is asked with: the configured ones, or none, on behalf of everybody; or the pull secrets of
 * a namespace, for that namespace only.
 *
 * @param namespace the namespace; empty for everybody
 */
public record Asker(Optional<String> namespace) {
    static final Asker EVERYBODY = new Asker(Optional.empty());

    static Asker of(String namespace) {
        return new Asker(Optional.of(namespace));
    }

    /** As in {@code registry.example with the pull secrets of namespace shop}. */
    String at(String host) {
        return namespace
                .map(name -> host + " with the pull secrets of namespace " + name)
                .orElse(host);
    }
}
