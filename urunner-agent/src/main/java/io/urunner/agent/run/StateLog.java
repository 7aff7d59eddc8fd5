package io.urunner.agent.run;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.slf4j.Logger;

/** Says what is wrong once when it begins, once when it becomes something else, and once when it is over. On the loop. */
final class StateLog {
    private final Logger log;
    private final Map<String, String> kinds = new HashMap<>();

    StateLog(Logger log) {
        this.log = log;
    }

    /**
     * Something is wrong.
     *
     * @param subject with what, for example {@code registry ghcr.io}
     * @param kind a word that stays the same while the trouble does
     * @param message what is wrong, for people
     * @return whether that is news
     */
    boolean problem(String subject, String kind, String message) {
        boolean news = !kind.equals(kinds.put(subject, kind));
        if (news) {
            log.atWarn()
                    .addKeyValue(LogField.EVENT, "problem")
                    .addKeyValue(LogField.SUBJECT, subject)
                    .addKeyValue(LogField.CAUSE, kind)
                    .log("{}: {}", subject, message);
        }
        return news;
    }

    void problem(String subject, Resolution.Problem problem) {
        problem(subject, problem.kind().words(), problem.message());
    }

    /** It is well again, or always was. */
    void well(String subject) {
        if (kinds.remove(subject) != null) {
            log.atInfo()
                    .addKeyValue(LogField.EVENT, "well")
                    .addKeyValue(LogField.SUBJECT, subject)
                    .log("{}: well again", subject);
        }
    }

    /** Of the subjects that begin so, all but these are well again. */
    void keepOnly(String prefix, Collection<String> subjects) {
        kinds.keySet().stream()
                .filter(subject -> subject.startsWith(prefix) && !subjects.contains(subject))
                .toList()
                .forEach(this::well);
    }

    /** It is no longer looked at. */
    void forget(Predicate<String> subjects) {
        kinds.keySet().removeIf(subjects);
    }
}
