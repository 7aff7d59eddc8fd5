package io.urunner.agent.loop;

import io.urunner.agent.text.Phrases;
import io.urunner.kube.KubeAccess.Permission;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.event.Level;

/**
 * Logs a problem once when it begins, once when it changes, and once when it is over. What concerns one namespace takes no
 * more than its share of the log. On the loop.
 */
public final class StateLog {
    /** How many lines per minute are logged about one namespace. */
    static final int LINES = 200;

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final Logger log;
    private final Ration lines;
    private final Map<String, String> kinds = new HashMap<>();

    public StateLog(Logger log, Loop loop) {
        this.log = log;
        lines = new Ration(
                LINES,
                MINUTE,
                loop,
                (owner, count) -> log.atWarn()
                        .addKeyValue(LogField.EVENT, "left_out")
                        .addKeyValue(LogField.SUBJECT, owner)
                        .log("{}: {} left out in the last minute", owner, Phrases.count(count, "line")));
    }

    /** Whether one more line about a namespace may be logged; to be called for every such line. */
    public boolean mayTell(String namespace) {
        return lines.take("namespace " + namespace);
    }

    /** Not all Events of a namespace were written. */
    public void eventsLeftOut(String namespace, int count) {
        log.atWarn()
                .addKeyValue(LogField.EVENT, "left_out")
                .addKeyValue(LogField.SUBJECT, "events in namespace " + namespace)
                .log("namespace {}: {} left out in the last minute", namespace, Phrases.count(count, "event"));
    }

    /** The namespace of a workload, or of a subject that ends with one; for other subjects, what they have in common. */
    private static String owner(String subject) {
        int namespace = subject.lastIndexOf(" namespace ");
        if (namespace > 0) {
            return subject.substring(namespace + 1);
        }
        int slash = subject.indexOf('/');
        int space = subject.indexOf(' ');
        return slash > 0 && (space < 0 || slash < space)
                ? "namespace " + subject.substring(0, slash)
                : space < 0 ? subject : subject.substring(0, space);
    }

    /**
     * Something is wrong.
     *
     * @param subject what has the problem, for example {@code registry ghcr.io}
     * @param kind a word that stays the same as long as the problem does
     * @param message what is wrong, for people
     * @return whether this is news
     */
    public boolean problem(String subject, String kind, String message) {
        return problem(List.of(), subject, kind, message);
    }

    /**
     * Something is wrong, perhaps because a permission is missing. The kind then includes its verb: once it is granted, the
     * next one may be missing.
     */
    public void problem(String subject, Optional<Permission> missing, String otherwise, String message) {
        problem(
                subject,
                missing.map(permission -> "not allowed to " + permission.verb()).orElse(otherwise),
                message);
    }

    /** Something that concerns these namespaces is wrong. */
    public boolean problem(Collection<String> namespaces, String subject, String kind, String message) {
        return tell(Level.WARN, namespaces, subject, kind, message);
    }

    /** Something is as the settings want it, but may be unexpected. Returns whether this is news. */
    public boolean note(String subject, String kind, String message) {
        return tell(Level.INFO, List.of(), subject, kind, message);
    }

    private boolean tell(Level level, Collection<String> namespaces, String subject, String kind, String message) {
        boolean news = !kind.equals(kinds.put(subject, kind));
        if (news && take(namespaces, subject)) {
            log.atLevel(level)
                    .addKeyValue(LogField.EVENT, "problem")
                    .addKeyValue(LogField.SUBJECT, subject)
                    .addKeyValue(LogField.CAUSE, kind)
                    .log("{}: {}", subject, message);
        }
        return news;
    }

    /** It has recovered, or never had a problem. */
    public void well(String subject) {
        well(List.of(), subject);
    }

    public void well(Collection<String> namespaces, String subject) {
        if (kinds.remove(subject) != null && take(namespaces, subject)) {
            log.atInfo()
                    .addKeyValue(LogField.EVENT, "well")
                    .addKeyValue(LogField.SUBJECT, subject)
                    .log("{}: recovered", subject);
        }
    }

    /** Charges the namespace that has used least: what one does to itself hides nothing from another. */
    private boolean take(Collection<String> namespaces, String subject) {
        return lines.take(namespaces.stream()
                .map(namespace -> "namespace " + namespace)
                .min(Comparator.comparingInt(lines::taken))
                .orElseGet(() -> owner(subject)));
    }

    /** All subjects with this prefix, except these, have recovered. */
    public void keepOnly(String prefix, Collection<String> subjects) {
        kinds.keySet().stream()
                .filter(subject -> subject.startsWith(prefix) && !subjects.contains(subject))
                .toList()
                .forEach(this::well);
    }

    /** These subjects are no longer checked. */
    public void forget(Predicate<String> subjects) {
        kinds.keySet().removeIf(subjects);
    }
}
