package io.urunner.agent.run;

/**
 * The names of the fields that events of the log have beside their message, the same in all of them. {@code docs/logs.md}
 * lists them, with the events.
 */
final class LogField {
    /** What happened, in one of a few fixed words. */
    static final String EVENT = "event";

    static final String WORKLOAD = "workload";
    static final String REFERENCE = "reference";
    static final String FROM = "from";
    static final String TO = "to";
    static final String DECISION = "decision";
    static final String OUTCOME = "outcome";
    /** What something is wrong with, or well again. */
    static final String SUBJECT = "subject";

    static final String CAUSE = "cause";
    static final String LEASE = "lease";

    private LogField() {}
}
