package io.urunner.agent.app.doctor;

import io.urunner.agent.AgentStatus;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeException;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WatchScope;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Checks which namespaces are labelled, and finds labels with a value that has no effect. */
final class Labels {
    private static final String CHECK = "namespaces";
    /** At most this many wrong labels are reported one by one. */
    private static final int TOLD = 20;

    private static final Set<String> NO = Set.of("disable", "disabled", "false", "no", "off");
    private static final Set<String> YES = Set.of("enable", "enabled", "true", "yes", "on");

    private final KubeAccess access;
    private final WatchScope scope;

    Labels(KubeAccess access, WatchScope scope) {
        this.access = access;
        this.scope = scope;
    }

    /** The findings: one about the namespaces, and one for each wrong label. */
    List<Finding> check(AgentStatus status) {
        Optional<WatchProblem> blindness = status.blindness();
        if (blindness.isPresent()) {
            return List.of(Finding.wrong(
                    CHECK,
                    "it is not known which are labelled urunner=enable: "
                            + blindness.get().message(),
                    "see the finding 'cluster' or 'permission'"));
        }
        if (!status.synced() && status.namespaces().isEmpty()) {
            return List.of(Finding.wrong(
                    CHECK, "not synced with the cluster yet, so it is not known which are labelled", "ask again"));
        }
        List<Finding> findings = new ArrayList<>();
        namespaces().entrySet().stream()
                .filter(label -> !means(NO, label.getValue()))
                .limit(TOLD)
                .forEach(label -> findings.add(new Finding(
                        CHECK,
                        result(YES, label.getValue()),
                        "namespace " + label.getKey() + " has urunner=" + label.getValue()
                                + ", which is not urunner=enable, so it is not watched",
                        "kubectl label --overwrite namespace " + label.getKey() + " urunner=enable")));
        if (!status.namespaces().isEmpty()) {
            findings.add(
                    0,
                    Finding.ok(
                            CHECK,
                            status.namespaces().size() + " labelled: " + String.join(", ", status.namespaces())));
        } else if (findings.stream().noneMatch(finding -> finding.result() == Finding.Result.WRONG)) {
            findings.add(Finding.wrong(
                    CHECK,
                    "no namespace is labelled urunner=enable",
                    "kubectl label --overwrite namespace NAME urunner=enable"));
        }
        workloads(status.namespaces()).entrySet().stream()
                .filter(label -> !means(YES, label.getValue()))
                .limit(TOLD)
                .forEach(label -> findings.add(new Finding(
                        "workload",
                        result(NO, label.getValue()),
                        label.getKey() + " has urunner=" + label.getValue()
                                + ", which is not urunner=disable, so it is watched",
                        "kubectl -n " + label.getKey().namespace() + " label --overwrite "
                                + label.getKey().kind().resource() + " "
                                + label.getKey().name()
                                + " urunner=disable")));
        return findings;
    }

    /** Any other value may be meant for somebody else. */
    private static Finding.Result result(Set<String> meant, String value) {
        return means(meant, value) ? Finding.Result.WRONG : Finding.Result.NOTE;
    }

    private static boolean means(Set<String> words, String value) {
        return value.isEmpty() || words.contains(value.toLowerCase(Locale.ROOT));
    }

    /** The labels of namespaces without {@code urunner=enable}. A missing permission is reported elsewhere. */
    private Map<String, String> namespaces() {
        Map<String, String> found = new TreeMap<>();
        try {
            if (scope.namespaces().isEmpty()) {
                return access.namespacesLabelledOtherwise();
            }
            for (String namespace : scope.namespaces()) {
                access.labels(namespace)
                        .map(labels -> labels.getOrDefault("urunner", ""))
                        .filter(label -> !label.equals("enable"))
                        .ifPresent(label -> found.put(namespace, label));
            }
        } catch (KubeException e) {
            return found;
        }
        return found;
    }

    /** The labels of watched workloads. */
    private Map<WorkloadId, String> workloads(Collection<String> namespaces) {
        Map<WorkloadId, String> found = new TreeMap<>();
        for (WorkloadKind kind : scope.kinds()) {
            try {
                if (scope.namespaces().isEmpty() && !namespaces.isEmpty()) {
                    access.workloadsLabelledOtherwise(kind, Optional.empty()).forEach((id, label) -> {
                        if (namespaces.contains(id.namespace())) {
                            found.put(id, label);
                        }
                    });
                    continue;
                }
            } catch (KubeException e) {
                if (!e.forbidden()) {
                    return found;
                }
            }
            for (String namespace : namespaces) {
                try {
                    found.putAll(access.workloadsLabelledOtherwise(kind, Optional.of(namespace)));
                } catch (KubeException e) {
                    if (!e.forbidden()) {
                        return found;
                    }
                }
            }
        }
        return found;
    }
}
