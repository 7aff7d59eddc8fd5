package io.urunner.registry;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What was being done when something failed. Immutable.
 *
 * @param action what was being done, for example {@code resolve}
 * @param registry the registry as {@code host[:port]}
 * @param repository the repository on it, empty for what concerns the whole registry
 * @param reference the tag or digest in that repository, if any
 * @param status the HTTP status of the answer, empty if there was none
 * @param errors the errors that the answer named, in its order
 */
public record FailedRequest(
        String action,
        String registry,
        Optional<String> repository,
        Optional<String> reference,
        OptionalInt status,
        List<OciError> errors) {
    public FailedRequest {
        errors = List.copyOf(errors);
    }

    /**
     * Returns a request that has no answer yet.
     *
     * @param action what is being done
     * @param registry the registry as {@code host[:port]}
     * @return the request
     */
    public static FailedRequest of(String action, String registry) {
        return new FailedRequest(action, registry, Optional.empty(), Optional.empty(), OptionalInt.empty(), List.of());
    }

    /**
     * Returns the same request, with its answer.
     *
     * @param newStatus the HTTP status
     * @param newErrors the errors that the answer named
     * @return the answered request
     */
    public FailedRequest answered(int newStatus, List<OciError> newErrors) {
        return new FailedRequest(action, registry, repository, reference, OptionalInt.of(newStatus), newErrors);
    }

    /** The request in words: {@code resolve registry.example/team/app:latest}. */
    @Override
    public String toString() {
        StringBuilder words = new StringBuilder(action).append(' ').append(registry);
        if (repository.isPresent()) {
            words.append('/').append(repository.get());
        }
        if (reference.isPresent()) {
            String name = reference.get();
            words.append(name.indexOf(':') >= 0 ? '@' : ':').append(name);
        }
        return words.toString();
    }
}
