package io.urunner.agent.tags;

import io.urunner.agent.plan.Deferral;
import io.urunner.agent.text.Remedies;
import io.urunner.registry.DeniedException;
import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.ProtocolViolationException;
import io.urunner.registry.RateLimitedException;
import io.urunner.registry.RegistryException;
import io.urunner.registry.UnauthorizedException;
import io.urunner.registry.UnavailableException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The outcome of one question to a registry. */
sealed interface Resolution {
    /**
     * What the reference names.
     *
     * @param descriptor the digest of its manifest or index, and the media type
     */
    record Found(Descriptor descriptor) implements Resolution {}

    /**
     * The registry answered, but without a digest: there is none, or reading it is not allowed.
     *
     * @param problem what it said
     */
    record Refused(Problem problem) implements Resolution {}

    /**
     * The registry or its token server accepts none of the credentials: this applies to all its repositories.
     *
     * @param problem what it said
     */
    record Rejected(Problem problem) implements Resolution {}

    /**
     * No answer: the connection failed, took too long, or brought an error of the host.
     *
     * @param problem what happened
     * @param until when the host may be asked again, if it said so
     */
    record Unreachable(Problem problem, Optional<Instant> until) implements Resolution {
        Unreachable(Problem problem) {
            this(problem, Optional.empty());
        }
    }

    /**
     * No usable answer, for a reason that may concern only this reference: garbage, redirects that lead nowhere, a defect
     * of ours.
     *
     * @param problem what happened
     */
    record Useless(Problem problem) implements Resolution {}

    /**
     * Too many questions.
     *
     * @param problem what it said
     * @param until when it may be asked again, if it said so
     */
    record RateLimited(Problem problem, Optional<Instant> until) implements Resolution {}

    /**
     * Nothing was asked, because there is no credential to ask with.
     *
     * @param problem says that there is none
     * @param broken whether there would be one if a named pull secret were correct
     */
    record NothingToShow(Problem problem, boolean broken) implements Resolution {}

    /** A question failed because of a defect of the agent. */
    static Resolution defect(String what) {
        return new Useless(new Problem(Deferral.REGISTRY_UNREACHABLE, "a defect of the agent: " + what));
    }

    /** The outcome of a failed question. */
    static Resolution of(RegistryException e) {
        return of(e, List.of());
    }

    /** The outcome of a failed question; {@code secrets} is what is wrong with the pull secrets for it. */
    static Resolution of(RegistryException e, List<String> secrets) {
        boolean isNoVerdict = e.isTransient() && (e instanceof DeniedException || e instanceof UnauthorizedException);
        if (isNoVerdict) { // the page of a gateway says nothing about a credential
            return new Useless(new Problem(Deferral.REGISTRY_CONFUSED, words(e)));
        } else if (e instanceof NotFoundException) {
            return new Refused(new Problem(Deferral.TAG_NOT_FOUND, words(e, secrets)));
        } else if (e instanceof DeniedException) {
            return new Refused(new Problem(Deferral.ACCESS_DENIED, words(e, secrets)));
        } else if (e instanceof UnauthorizedException) {
            return new Rejected(new Problem(Deferral.CREDENTIAL_REJECTED, words(e, secrets)));
        } else if (e instanceof RateLimitedException limited) {
            Optional<Instant> until = Optional.of(limited.retryAt()).filter(moment -> limited.isRetryAtNamed());
            return new RateLimited(new Problem(Deferral.RATE_LIMITED, words(e)), until);
        } else if (e instanceof ProtocolViolationException) {
            Problem problem = new Problem(Deferral.REGISTRY_CONFUSED, words(e));
            // A host that calls a question wrong is up: another question may be right.
            boolean blamesUs = e.status().orElse(0) / 100 == 4;
            return blamesUs ? new Refused(problem) : new Useless(problem);
        } else if (e.status().orElse(0) / 100 == 4) { // such as 408: a host that answers is up
            return new Useless(new Problem(Deferral.REGISTRY_UNREACHABLE, words(e)));
        } else if (e instanceof UnavailableException unavailable
                && unavailable.retryAt().isPresent()) {
            return new Unreachable(new Problem(Deferral.REGISTRY_UNREACHABLE, words(e)), unavailable.retryAt());
        }
        return new Unreachable(new Problem(Deferral.REGISTRY_UNREACHABLE, words(e)));
    }

    /** The registry wants a credential, and there is none for the reference: another one may be public, or have one. */
    static Resolution noCredential(RegistryException e) {
        return new Refused(new Problem(Deferral.NO_CREDENTIAL, words(e)));
    }

    /** None of the pull secrets named for a reference gives access; {@code secrets} is what is wrong with them. */
    static Resolution nothingToShow(ImageReference reference, List<String> secrets) {
        return new NothingToShow(
                new Problem(
                        Deferral.NO_CREDENTIAL,
                        secrets.isEmpty() ? "there is no pull secret for " + reference : String.join("; ", secrets)),
                !secrets.isEmpty());
    }

    private static String words(RegistryException e, List<String> secrets) {
        return Stream.concat(Stream.of(words(e)), secrets.stream()).collect(Collectors.joining("; "));
    }

    private static String words(RegistryException e) {
        return Remedies.of(e);
    }

    /** What went wrong; empty for {@link Found}. */
    default Optional<Problem> trouble() {
        if (this instanceof Refused refused) {
            return Optional.of(refused.problem);
        } else if (this instanceof NothingToShow nothing) {
            return Optional.of(nothing.problem);
        } else if (this instanceof Rejected rejected) {
            return Optional.of(rejected.problem);
        } else if (this instanceof Unreachable unreachable) {
            return Optional.of(unreachable.problem);
        } else if (this instanceof Useless useless) {
            return Optional.of(useless.problem);
        } else if (this instanceof RateLimited limited) {
            return Optional.of(limited.problem);
        }
        return Optional.empty();
    }

    /** A word of a small closed set, for metrics. */
    default String word() {
        return trouble()
                .map(problem -> problem.kind().words().replace(' ', '-'))
                .orElse("found");
    }

    /**
     * Why there is no digest.
     *
     * @param kind the kind of reason
     * @param message what was asked of which host, and the result, for people
     */
    record Problem(Deferral kind, String message) {}
}
