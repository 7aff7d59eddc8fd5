package io.urunner.agent.plan;

/** How a rollout ended, judged by what its pods run. */
public sealed interface Outcome {
    /**
     * Returns the outcome as the store and the metrics name it, for example {@code succeeded}.
     *
     * @return the name
     */
    String name();

    /**
     * Returns the details, for people.
     *
     * @return the text
     */
    String words();

    /**
     * Every wanted pod is available and runs what was rolled out.
     *
     * @param words what was rolled out
     */
    record Succeeded(String words) implements Outcome {
        @Override
        public String name() {
            return "succeeded";
        }
    }

    /**
     * The pods are available, but still run the old image.
     *
     * @param words the cause and the remedy
     */
    record StillOldImage(String words) implements Outcome {
        @Override
        public String name() {
            return "still old image";
        }
    }

    /**
     * It failed.
     *
     * @param words what the pods or the controllers say
     * @param quarantine whether the containers are at fault, so that their digests must not be rolled out elsewhere
     */
    record Failed(String words, boolean quarantine) implements Outcome {
        @Override
        public String name() {
            return "failed";
        }
    }

    /**
     * It did not end in time.
     *
     * @param words what it was waiting for
     */
    record TimedOut(String words) implements Outcome {
        @Override
        public String name() {
            return "timed out";
        }
    }

    /**
     * Another change came in between.
     *
     * @param words which change
     */
    record Superseded(String words) implements Outcome {
        @Override
        public String name() {
            return "superseded";
        }
    }
}
