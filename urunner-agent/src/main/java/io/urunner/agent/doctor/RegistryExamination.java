package io.urunner.agent.doctor;

import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.run.AgentStatus;
import io.urunner.agent.run.AgentStatus.WorkloadStatus;
import io.urunner.agent.run.HostStatus;
import io.urunner.agent.run.RegistryProbe;
import io.urunner.agent.run.RegistryProbe.Image;
import io.urunner.agent.text.Phrases;
import io.urunner.registry.DeniedException;
import io.urunner.registry.ImageReference;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.RateLimitedException;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.UnauthorizedException;
import io.urunner.registry.auth.CredentialException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLException;

/**
 * What there is to find out of one registry: whether it answers, for which of its images it has no digest, and for what it
 * waits.
 */
final class RegistryExamination {
    /** So many images without a digest are tried. */
    private static final int MOST = 50;

    /** Of so many namespaces is told that they wait. */
    private static final int MOST_WAITS = 20;

    private final RegistryPrefix registry;
    private final Optional<HostStatus> host;
    private final Set<Image> images = new LinkedHashSet<>();
    private final Set<Image> unresolved = new LinkedHashSet<>();
    private final List<RegistryProbe> probes;

    /** {@code all} are the registries of the settings. */
    RegistryExamination(RegistryPrefix registry, Collection<RegistryPrefix> all, AgentStatus status) {
        this.registry = registry;
        host = status.registries().stream()
                .filter(one -> one.host().equals(registry.toString()))
                .findFirst();
        for (WorkloadStatus workload : status.workloads()) {
            for (Verdict container : workload.containers()) {
                container
                        .reference()
                        .map(ImageReference::parse)
                        .filter(reference -> isIts(reference, all))
                        .map(reference -> new Image(reference, workload.id().namespace()))
                        .ifPresent(image -> add(image, container));
            }
        }
        probes = toProbe();
    }

    /** Of two prefixes that match, the longer one says more. */
    private boolean isIts(ImageReference reference, Collection<RegistryPrefix> all) {
        return all.stream()
                .filter(prefix -> prefix.matches(reference))
                .max(Comparator.comparingInt(prefix -> prefix.path().length()))
                .filter(registry::equals)
                .isPresent();
    }

    private void add(Image image, Verdict container) {
        images.add(image);
        if (container.digest().isEmpty()) {
            unresolved.add(image);
        }
    }

    /** Where a limit or the budget is used up nothing is asked; a host that fails is asked whether it still does. */
    private List<RegistryProbe> toProbe() {
        boolean mayAsk = host.stream()
                .flatMap(one -> one.waits().stream())
                .noneMatch(wait -> wait.cause() == Deferral.REQUEST_BUDGET
                        || (wait.namespace().isEmpty() && wait.cause() == Deferral.RATE_LIMITED));
        if (!mayAsk) {
            return List.of();
        }
        boolean fails = host.filter(one -> one.asked() && !one.healthy()).isPresent();
        List<RegistryProbe> some = (unresolved.isEmpty() ? images : unresolved)
                .stream()
                        .limit(fails || unresolved.isEmpty() ? 1 : MOST)
                        .map(image -> new RegistryProbe(registry, Optional.of(image)))
                        .toList();
        return some.isEmpty() ? List.of(new RegistryProbe(registry, Optional.empty())) : some;
    }

    /** What the registry is to be asked. */
    List<RegistryProbe> probes() {
        return probes;
    }

    /** The findings, given the answers to the probes. */
    List<Finding> findings(List<Optional<RegistryException>> answers, Doctor.Credentials credentials) {
        String check = "registry " + registry;
        List<Finding> findings = new ArrayList<>();
        if (probes.isEmpty()) {
            host.flatMap(HostStatus::problem)
                    .ifPresent(problem -> findings.add(
                            Finding.wrong(check, problem, "it is not tried now; see until when it is not asked")));
        } else {
            findings.add(registry(check, answers, credentials));
            for (int i = 0; i < probes.size(); i++) {
                Optional<Image> image = probes.get(i).image();
                if (image.isPresent() && answers.get(i).isPresent() && answersOthers(answers)) {
                    findings.add(image(image.get(), answers.get(i).get(), credentials));
                }
            }
        }
        if (unresolved.size() > MOST) {
            findings.add(Finding.note(
                    check,
                    Phrases.count(
                            unresolved.size() - MOST,
                            "more image has no digest, and was not tried",
                            "more images have no digest, and were not tried"),
                    ""));
        }
        host.stream()
                .flatMap(one -> one.waits().stream())
                .limit(MOST_WAITS)
                .forEach(wait -> findings.add(wait(check, wait)));
        return findings;
    }

    private Finding registry(String check, List<Optional<RegistryException>> answers, Doctor.Credentials credentials) {
        Optional<RegistryException> failure =
                answers.stream().flatMap(Optional::stream).findFirst();
        Optional<Image> first = probes.get(0).image();
        String credential = first.map(credentials::describe).orElse("");
        if (failure.isPresent() && !answersOthers(answers)) {
            return Finding.wrong(
                    check,
                    failure.get().getMessage()
                            + first.map(image -> secrets(image, failure.get(), credentials))
                                    .orElse(""),
                    remedy(failure.get(), credential));
        }
        if (first.isEmpty()) {
            return Finding.note(
                    check,
                    "it answers, but no watched workload has an image of it, so it is not asked for any",
                    "compare the host in the settings with the images of the workloads, and see that their namespaces are"
                            + " labelled");
        }
        return failure.isPresent()
                ? Finding.ok(check, "answers, but not for every image")
                : Finding.ok(check, "answers for " + first.get().reference() + ", read with " + credential);
    }

    /** Whether a failure is one of an image: the registry itself answers. */
    private boolean answersOthers(List<Optional<RegistryException>> answers) {
        return host.filter(HostStatus::healthy).isPresent()
                || answers.stream()
                        .anyMatch(answer -> answer.isEmpty()
                                || answer.get() instanceof NotFoundException
                                || answer.get() instanceof DeniedException);
    }

    private static Finding image(Image image, RegistryException failure, Doctor.Credentials credentials) {
        return Finding.wrong(
                "image " + image.reference(),
                "for namespace " + image.namespace() + ": " + failure.getMessage()
                        + secrets(image, failure, credentials),
                remedy(failure, credentials.describe(image)));
    }

    /** What is wrong with the pull secrets, where others might open the image. */
    private static String secrets(Image image, RegistryException failure, Doctor.Credentials credentials) {
        boolean refused = failure instanceof UnauthorizedException
                || failure instanceof DeniedException
                || failure instanceof NotFoundException;
        List<String> problems = refused ? credentials.problems(image) : List.of();
        return problems.isEmpty() ? "" : "; " + String.join("; ", problems);
    }

    private static Finding wait(String check, HostStatus.Wait wait) {
        String words = "is not asked"
                + wait.namespace()
                        .map(name -> " with the pull secrets of namespace " + name)
                        .orElse("")
                + " until " + Phrases.time(wait.until()) + ", since " + Phrases.time(wait.since()) + ": " + wait.why();
        return switch (wait.cause()) {
            case RATE_LIMITED ->
                Finding.wrong(
                        check,
                        words,
                        "wait; ask less often (registries[].interval, registries[].budget), or log in where anonymous"
                                + " requests are limited");
            case REQUEST_BUDGET ->
                Finding.note(
                        check,
                        "the budget does not let all be asked in each interval, since " + Phrases.time(wait.since())
                                + "; the next is asked at " + Phrases.time(wait.until()),
                        "a larger registries[].budget, or a longer interval");
            default -> Finding.wrong(check, words, "mend what the reason says; it is asked again by itself");
        };
    }

    private static String remedy(RegistryException e, String credential) {
        String used = credential.isEmpty() ? "" : " (in use: " + credential + ")";
        if (e instanceof UnauthorizedException) {
            return "give the agent a valid credential for this registry" + used;
        }
        if (e instanceof DeniedException) {
            return "let the credential pull this repository" + used;
        }
        if (e instanceof NotFoundException) {
            return "push the tag, or correct the workload's image; some registries say this to a credential without"
                    + " access" + used;
        }
        if (e instanceof RateLimitedException) {
            return "wait, or log in where anonymous pulls are limited" + used;
        }
        if (e.getCause() instanceof CredentialException) {
            return "correct the credential's settings, or wait until its issuer answers" + used;
        }
        if (e.getCause() instanceof SSLException) {
            return "trust the registry's own authority with registries[].tls.ca, or give the registry a certificate that is"
                    + " valid for this host; registries[].plainHttp is for one that speaks plain http";
        }
        if (e.status().isPresent()) {
            return "see that a registry answers at this address, and what its own log says";
        }
        return "see that the registry runs, that host and port are right, and that the agent's network leads there";
    }
}
