package io.urunner.agent.app.doctor;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.HostStatus;
import io.urunner.agent.RegistryProbe;
import io.urunner.agent.RegistryProbe.Image;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.text.Phrases;
import io.urunner.agent.text.Remedies;
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
 * Examines one registry: whether it answers, which of its images have no digest, and what the agent waits for.
 */
final class RegistryExamination {
    /** At most this many images without a digest are tried. */
    private static final int MOST = 50;

    /** At most this many waiting namespaces are reported. */
    private static final int MOST_WAITS = 20;

    private static final String CHECK = "registry";

    private final Settings.Registry settings;
    private final boolean pullSecrets;
    private final RegistryPrefix registry;
    private final Optional<HostStatus> host;
    /** False if the cluster has not been seen completely. */
    private final boolean seen;

    private final Set<Image> images = new LinkedHashSet<>();
    private final Set<Image> unresolved = new LinkedHashSet<>();
    private final List<RegistryProbe> probes;

    /** {@code which} of the settings. */
    RegistryExamination(Settings.Registry which, Settings all, AgentStatus status) {
        settings = which;
        pullSecrets = all.kubernetes().pullSecrets();
        registry = which.host();
        seen = status.isWhole();
        List<RegistryPrefix> prefixes =
                all.registries().stream().map(Settings.Registry::host).toList();
        host = status.registries().stream()
                .filter(one -> one.host().equals(registry.toString()))
                .findFirst();
        for (WorkloadStatus workload : status.workloads()) {
            for (Verdict container : workload.containers()) {
                container
                        .reference()
                        .filter(reference -> isIts(reference, prefixes))
                        .map(reference -> new Image(reference, workload.id().namespace()))
                        .ifPresent(image -> add(image, container));
            }
        }
        probes = toProbe();
    }

    /** Of two matching prefixes the longer one counts. */
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

    /** Asks nothing while a limit or the budget is exhausted; asks a failing host whether it still fails. */
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

    /** The probes for the registry. */
    List<RegistryProbe> probes() {
        return probes;
    }

    /** The findings, given the answers to the probes. */
    List<Finding> findings(List<Optional<RegistryException>> answers, Doctor.Credentials credentials) {
        List<HostStatus.Wait> waits =
                new ArrayList<>(host.map(HostStatus::waits).orElse(List.of()));
        List<Finding> findings = new ArrayList<>();
        if (probes.isEmpty()) {
            host.flatMap(HostStatus::problem)
                    .filter(problem -> waits.stream().noneMatch(wait -> problem.contains(wait.why())))
                    .ifPresent(problem -> findings.add(wrong(problem, "it is not asked now; see until when")));
        } else {
            findings.add(registry(answers, waits, credentials));
            probes.get(0)
                    .image()
                    .flatMap(credentials::mirrorProblem)
                    .ifPresent(problem -> findings.add(note(
                            "a mirror had no answer, the next one or the registry was asked: " + problem,
                            "repair the mirror, or correct registries[].mirrors; if it has only some of the images, this"
                                    + " is as it should be")));
            for (int i = 0; i < probes.size(); i++) {
                Optional<Image> image = probes.get(i).image();
                if (image.isPresent() && answers.get(i).isPresent() && answersOthers(answers)) {
                    findings.add(image(image.get(), answers.get(i).get(), credentials));
                }
            }
        }
        if (unresolved.size() > MOST) {
            findings.add(note(
                    Phrases.count(
                            unresolved.size() - MOST,
                            "more image has no digest and was not tried",
                            "more images have no digest and were not tried"),
                    ""));
        }
        waits.stream().limit(MOST_WAITS).forEach(wait -> findings.add(wait(wait)));
        return findings;
    }

    private Finding wrong(String words, String remedy) {
        return Finding.wrong(CHECK, registry + ": " + words, remedy);
    }

    private Finding note(String words, String remedy) {
        return Finding.note(CHECK, registry + ": " + words, remedy);
    }

    /** The finding about the registry itself; what it covers is removed from {@code waits}. */
    private Finding registry(
            List<Optional<RegistryException>> answers, List<HostStatus.Wait> waits, Doctor.Credentials credentials) {
        Optional<RegistryException> failure =
                answers.stream().flatMap(Optional::stream).findFirst();
        Optional<Image> first = probes.get(0).image();
        String credential = first.map(credentials::describe).orElse("");
        if (failure.isPresent() && !answersOthers(answers)) {
            Optional<HostStatus.Wait> wait =
                    waits.stream().filter(one -> one.namespace().isEmpty()).findFirst();
            wait.ifPresent(waits::remove);
            return wrong(
                    Remedies.of(failure.get())
                            + first.map(image -> secrets(image, failure.get(), credentials))
                                    .orElse("")
                            + wait.map(one -> "; it is not asked until " + Phrases.time(one.until()) + ", since "
                                            + Phrases.time(one.since()))
                                    .orElse(""),
                    remedy(failure.get(), credential));
        }
        if (first.isEmpty()) {
            return seen
                    ? note(
                            "it answers, but no watched workload uses an image from it",
                            "compare the host in the settings with the images of the workloads, and check that their"
                                    + " namespaces are labelled")
                    : note(
                            "it answers; it is not known whether a workload uses an image from it: " + Doctor.UNSEEN,
                            "");
        }
        String route = credentials.route(first.get());
        return failure.isPresent()
                ? partly(answers)
                : Finding.ok(
                        CHECK,
                        registry + ": answers for " + first.get().reference() + ", read with " + credential
                                + (route.isEmpty() ? "" : ", " + route));
    }

    /** Some images fail. */
    private Finding partly(List<Optional<RegistryException>> answers) {
        long failed = answers.stream().flatMap(Optional::stream).count();
        long good = unresolved.isEmpty()
                ? images.size() - failed
                : images.size() - unresolved.size() + answers.size() - failed;
        String words = "answers, but for " + good + " of " + images.size() + " images";
        return good == 0 ? note(words, "") : Finding.ok(CHECK, registry + ": " + words);
    }

    /** True if the failure concerns an image, while the registry itself answers. */
    private boolean answersOthers(List<Optional<RegistryException>> answers) {
        return host.filter(HostStatus::healthy).isPresent()
                || answers.stream()
                        .anyMatch(answer -> answer.isEmpty()
                                || answer.get() instanceof NotFoundException
                                || (answer.get() instanceof DeniedException
                                        && !answer.get().isTransient()));
    }

    private Finding image(Image image, RegistryException failure, Doctor.Credentials credentials) {
        return Finding.wrong(
                "image",
                image.reference() + " for namespace " + image.namespace() + ": " + Remedies.of(failure)
                        + secrets(image, failure, credentials),
                remedy(failure, credentials.describe(image)));
    }

    /** What is wrong with the pull secrets, if one of them might give access to the image. */
    private static String secrets(Image image, RegistryException failure, Doctor.Credentials credentials) {
        boolean refused = failure instanceof UnauthorizedException
                || failure instanceof DeniedException
                || failure instanceof NotFoundException;
        List<String> problems = refused ? credentials.problems(image) : List.of();
        return problems.isEmpty() ? "" : "; " + String.join("; ", problems);
    }

    private Finding wait(HostStatus.Wait wait) {
        String words = "is not asked"
                + wait.namespace()
                        .map(name -> " with the pull secrets of namespace " + name)
                        .orElse("")
                + " until " + Phrases.time(wait.until()) + ", since " + Phrases.time(wait.since()) + ": " + wait.why();
        return switch (wait.cause()) {
            case RATE_LIMITED ->
                wrong(
                        words,
                        "wait; ask less often (registries[].interval, registries[].budget), or configure a credential if"
                                + " anonymous requests are limited: " + settings.credentialNames());
            case REQUEST_BUDGET ->
                note(
                        "the budget is too small to ask for all images in each interval, since "
                                + Phrases.time(wait.since()) + "; the next is asked at " + Phrases.time(wait.until()),
                        "a larger registries[].budget, or a longer interval");
            default -> wrong(words, "fix what the reason says; the registry is then asked again automatically");
        };
    }

    /** Suggests pull secrets where no credential is required. */
    private String orPullSecrets() {
        if (!settings.credentialsAreOptional()) {
            return "";
        }
        return pullSecrets
                ? "; or configure none, and give the workloads a pull secret that the agent is allowed to read"
                        + " (rbac.pullSecrets in the chart's values; URUNNER_CONF_PULL_SECRETS is true)"
                : "; or configure none, and use the workloads' pull secrets (rbac.pullSecrets=true in the chart's"
                        + " values, with scope 'cluster' rbac.readAllSecrets=true; or URUNNER_CONF_PULL_SECRETS=true)";
    }

    private String remedy(RegistryException e, String credential) {
        String used = credential.isEmpty() ? "" : " (in use: " + credential + ")";
        if (e.isTransient() && (e instanceof UnauthorizedException || e instanceof DeniedException)) {
            return "check what answers at this address: it does not refuse as a registry does, but like a gateway or proxy";
        }
        if (e instanceof UnauthorizedException) {
            return "give the agent a valid credential for this registry: " + settings.credentialNames()
                    + orPullSecrets() + used;
        }
        if (e instanceof DeniedException) {
            return "allow the credential to pull this repository, or configure another one: "
                    + settings.credentialNames() + orPullSecrets() + used;
        }
        if (e instanceof NotFoundException) {
            return "push the tag, or correct the workload's image; some registries return this to a credential without"
                    + " access" + used;
        }
        if (e instanceof RateLimitedException) {
            return "wait, or configure a credential if anonymous pulls are limited: " + settings.credentialNames()
                    + used;
        }
        if (e.getCause() instanceof CredentialException) {
            return "correct the credential's settings, or wait until its issuer answers: " + settings.credentialNames()
                    + used;
        }
        if (e.getCause() instanceof SSLException) {
            return "add the registry's certificate authority in registries[].tls.ca, or give the registry a certificate that is"
                    + " valid for this host; registries[].plainHttp is for plain HTTP";
        }
        if (e.status().isPresent()) {
            return "check that there is a registry at this address, and what its log says";
        }
        return "check that the registry runs, that host and port are right, and that the agent's network can reach it";
    }
}
