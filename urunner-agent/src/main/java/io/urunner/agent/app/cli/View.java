package io.urunner.agent.app.cli;

import io.urunner.agent.app.explain.Explanation;
import io.urunner.agent.plan.State;
import io.urunner.kube.WorkloadId;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What {@code explain} and {@code doctor} show, and in which form. Immutable.
 *
 * @param form the form
 * @param workload the only workload that is asked for
 * @param namespace the only namespace that is asked for
 * @param states the states that are asked for; empty for all
 * @param problems whether to show only problems
 */
public record View(
        Form form,
        Optional<WorkloadId> workload,
        Optional<String> namespace,
        Set<State.Kind> states,
        boolean problems) {
    private static final String WORKLOAD = "workload";
    private static final String NAMESPACE = "namespace";
    private static final String STATE = "state";
    private static final String PROBLEMS = "problems";
    private static final int LONGEST = 1_000;

    public View {
        states = Set.copyOf(states);
    }

    /**
     * What a request to an agent asks for.
     *
     * @param query its parameters: {@code output}, {@code width}, {@code workload}, {@code namespace}, {@code state} (after
     *     commas) and {@code problems}
     * @return what is to be shown
     * @throws IllegalArgumentException if one of them is wrong, with the reason for people
     */
    public static View of(Map<String, String> query) {
        for (String name : List.of(WORKLOAD, NAMESPACE, STATE)) {
            if (query.getOrDefault(name, "").length() > LONGEST) {
                throw new IllegalArgumentException(name + " has more than " + LONGEST + " characters");
            }
        }
        Set<State.Kind> states = EnumSet.noneOf(State.Kind.class);
        for (String state : query.getOrDefault(STATE, "").split(",", -1)) {
            if (!state.isBlank()) {
                states.add(state(state));
            }
        }
        return new View(
                Form.of(query),
                Optional.ofNullable(query.get(WORKLOAD)).map(WorkloadId::parse),
                Optional.ofNullable(query.get(NAMESPACE)),
                states,
                query.getOrDefault(PROBLEMS, "").equals("true"));
    }

    /** The same as parameters of a request. */
    String query() {
        StringBuilder query = new StringBuilder(form.query());
        workload.ifPresent(id -> add(query, WORKLOAD, id.toString()));
        namespace.ifPresent(name -> add(query, NAMESPACE, name));
        if (!states.isEmpty()) {
            add(query, STATE, states.stream().map(View::name).sorted().collect(Collectors.joining(",")));
        }
        if (problems) {
            add(query, PROBLEMS, "true");
        }
        return query.toString();
    }

    private static void add(StringBuilder query, String name, String value) {
        query.append('&').append(name).append('=').append(URLEncoder.encode(value, StandardCharsets.UTF_8));
    }

    /** A state as users write it: {@code up-to-date}, {@code UP_TO_DATE}, {@code up to date}. */
    static State.Kind state(String text) {
        String wanted = text.strip().toLowerCase(Locale.ROOT).replaceAll("[ _]", "-");
        return Arrays.stream(State.Kind.values())
                .filter(kind -> name(kind).equals(wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + text + "' is not a state: use one of "
                        + Arrays.stream(State.Kind.values()).map(View::name).collect(Collectors.joining(", "))));
    }

    private static String name(State.Kind kind) {
        return kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The requested workloads: problems first, those that need nothing last. */
    List<Explanation.Entry> of(List<Explanation.Entry> entries) {
        return entries.stream()
                .filter(entry -> workload.isEmpty()
                        || workload.get().equals(entry.status().id()))
                .filter(entry -> namespace.isEmpty()
                        || namespace.get().equals(entry.status().id().namespace()))
                .filter(entry -> states.isEmpty()
                        || states.contains(entry.status().state().kind()))
                .filter(entry -> !problems || entry.status().state().ill())
                .sorted(Comparator.comparingInt(
                                (Explanation.Entry entry) -> rank(entry.status().state()))
                        .thenComparing(entry -> entry.status().id()))
                .toList();
    }

    private static int rank(State state) {
        if (state.ill()) {
            return 0;
        }
        return switch (state.kind()) {
            case UP_TO_DATE -> 2;
            case NOT_WATCHED -> 3;
            default -> 1;
        };
    }
}
