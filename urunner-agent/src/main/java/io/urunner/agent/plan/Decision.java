package io.urunner.agent.plan;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What is done with a workload now. */
public sealed interface Decision {
    /**
     * Returns the reason, for people.
     *
     * @return the text
     */
    String reason();

    /**
     * Returns the decision in a few words, for tables.
     *
     * @return the words
     */
    String words();

    /**
     * Every container runs what its tag says, or we have done what we can.
     *
     * @param reason the reason, for people
     * @param diagnosis set if it was restarted but still runs the old image: the cause and the remedy, reported once
     */
    record UpToDate(String reason, Optional<String> diagnosis) implements Decision {
        @Override
        public String words() {
            return diagnosis.isPresent() ? "still the old image" : "up to date";
        }
    }

    /**
     * Roll it out, with one patch of the version that the plan is based on.
     *
     * @param reason the reason, for people
     * @param changes the containers whose tag moved
     * @param patch the patch
     * @param warnings what to report before the rollout
     */
    record Restart(String reason, List<Change> changes, io.urunner.kube.Restart patch, List<String> warnings)
            implements Decision {
        public Restart {
            changes = List.copyOf(changes);
            warnings = List.copyOf(warnings);
        }

        @Override
        public String words() {
            return "restart";
        }
    }

    /**
     * The controllers are still starting pods: look again.
     *
     * @param reason the reason, for people
     */
    record InProgress(String reason) implements Decision {
        @Override
        public String words() {
            return "in progress";
        }
    }

    /**
     * Not now.
     *
     * @param cause the kind of reason
     * @param reason the reason, for people
     * @param since since when it has been waiting, if known
     * @param until the earliest time to decide again, if known
     */
    record Deferred(Deferral cause, String reason, Optional<Instant> since, Optional<Instant> until)
            implements Decision {
        @Override
        public String words() {
            return "deferred: " + cause.words();
        }
    }

    /**
     * Not until somebody or something changes that.
     *
     * @param cause the kind of reason
     * @param reason the reason, for people
     */
    record Blocked(Blockage cause, String reason) implements Decision {
        @Override
        public String words() {
            return "blocked: " + cause.words();
        }
    }

    /**
     * No container's tag is followed.
     *
     * @param reason the reason, for people
     */
    record NotWatched(String reason) implements Decision {
        @Override
        public String words() {
            return "not watched";
        }
    }

    /**
     * A container whose tag moved.
     *
     * @param container its name
     * @param reference its reference, in canonical form
     * @param from the digest before, if known
     * @param to the digest now
     */
    record Change(String container, String reference, Optional<String> from, String to) {}
}
