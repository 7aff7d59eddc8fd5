package io.urunner.agent.plan;

import io.urunner.agent.text.Durations;
import io.urunner.agent.text.Suggestion;
import io.urunner.agent.text.Values;
import io.urunner.kube.Workload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * When and how a workload is rolled out. Settings define the defaults; annotations {@code urunner.io/<name>} of a workload
 * override them one by one.
 *
 * @param firstSight what is done with a workload that runs an old digest and that we never rolled out
 * @param cooldown the minimum time between two rollouts of a workload
 * @param settle how long a tag must have a digest before it is rolled out
 * @param windows when rollouts may start; empty means always
 * @param containers the names of the containers to follow; empty means all
 * @param ifNotAlways what is done with a container whose {@code imagePullPolicy} is not {@code Always}
 * @param shadow whether decisions are only reported
 */
public record Policy(
        FirstSight firstSight,
        Duration cooldown,
        Duration settle,
        List<Window> windows,
        Set<String> containers,
        IfNotAlways ifNotAlways,
        boolean shadow) {
    /** The defaults: restart at first sight, at once, at any time, all containers. */
    public static final Policy DEFAULT = new Policy(
            FirstSight.RESTART, Duration.ZERO, Duration.ZERO, List.of(), Set.of(), IfNotAlways.RESTART, false);

    private static final String PREFIX = "urunner.io/";
    /** What the agent itself writes, wherever it is copied. */
    private static final Set<String> OURS = Set.of(Workload.STATE, Workload.DIGESTS);

    public Policy {
        if (cooldown.isNegative() || settle.isNegative()) {
            throw new IllegalArgumentException("cooldown and settle time must not be negative");
        }
        windows = List.copyOf(windows);
        containers = Set.copyOf(containers);
    }

    /** What is done with a workload that runs an old digest and that we never rolled out. */
    public enum FirstSight {
        /** Roll it out. */
        RESTART,
        /** Accept what runs, and follow the tag from here. */
        ADOPT;

        /** The name in settings and annotations. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What is done with a container whose {@code imagePullPolicy} is not {@code Always}. */
    public enum IfNotAlways {
        /** Restart as usual, after a warning: nodes that have the image do not pull it. */
        RESTART,
        /** Pin the image to {@code tag@digest}, which every node pulls. */
        PIN,
        /** Leave the container alone. */
        SKIP;

        /** The name in settings and annotations. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * A policy as read for one workload.
     *
     * @param policy the policy, as far as it could be read
     * @param problems what is wrong in the annotations, for people; while there is any, the workload is blocked
     */
    public record Reading(Policy policy, List<String> problems) {
        public Reading {
            problems = List.copyOf(problems);
        }
    }

    /**
     * Returns this policy overridden by a workload's annotations: {@code urunner.io/first-sight}, {@code cooldown},
     * {@code settle}, {@code window}, {@code containers}, {@code if-not-always}, {@code shadow}. Any other
     * name under {@code urunner.io/} is a problem as well: it would not have the intended effect.
     *
     * @param annotations the workload's annotations
     * @param containers the names of the containers that the workload has
     * @return the policy and what is wrong
     */
    public Reading override(Map<String, String> annotations, Set<String> containers) {
        Annotations read = new Annotations(annotations);
        Policy policy = new Policy(
                read.get("first-sight", text -> Values.choice(FirstSight.class, text), firstSight),
                read.get("cooldown", Durations::parse, cooldown),
                read.get("settle", Durations::parse, settle),
                read.get("window", Window::parse, windows),
                read.get("containers", text -> names(text, containers), this.containers),
                read.get("if-not-always", text -> Values.choice(IfNotAlways.class, text), ifNotAlways),
                read.get("shadow", Values::bool, shadow));
        read.refuseOthers();
        return new Reading(policy, read.problems);
    }

    private static Set<String> names(String text, Set<String> known) {
        Set<String> names = new TreeSet<>();
        for (String part : text.split(",", -1)) {
            if (!part.isBlank()) {
                names.add(part.strip());
            }
        }
        Set<String> unknown = new TreeSet<>(names);
        unknown.removeAll(known);
        if (names.isEmpty() || !unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    "'" + text + "' must name containers of the workload, separated by commas"
                            + (unknown.isEmpty() ? "" : ": it has no " + String.join(", ", unknown))
                            + "; it has " + String.join(", ", new TreeSet<>(known)));
        }
        return names;
    }

    private static final class Annotations {
        private final Map<String, String> annotations;
        private final List<String> problems = new ArrayList<>();
        private final Set<String> known = new TreeSet<>();

        Annotations(Map<String, String> annotations) {
            this.annotations = annotations;
        }

        <T> T get(String name, Function<String, T> parser, T inherited) {
            known.add(name);
            return Optional.ofNullable(annotations.get(PREFIX + name))
                    .map(text -> {
                        try {
                            return parser.apply(text);
                        } catch (IllegalArgumentException e) {
                            problems.add("annotation " + PREFIX + name + ": " + e.getMessage());
                            return inherited;
                        }
                    })
                    .orElse(inherited);
        }

        void refuseOthers() {
            annotations.keySet().stream()
                    .filter(name -> name.startsWith(PREFIX) && !OURS.contains(name))
                    .map(name -> name.substring(PREFIX.length()))
                    .filter(name -> !known.contains(name))
                    .sorted()
                    .forEach(name -> problems.add("annotation " + PREFIX + name
                            + ": unknown name"
                            + Suggestion.nearest(name, known)
                                    .map(meant -> "; did you mean " + PREFIX + meant + "?")
                                    .orElse("; known names are " + String.join(", ", known))));
        }
    }
}
