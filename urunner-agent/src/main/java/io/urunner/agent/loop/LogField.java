package io.urunner.agent.loop;

/**
 * The names of the fields that log events have besides their message, the same in all of them. {@code docs/logs.md} lists
 * them, with the events.
 */
public final class LogField {
    /** What happened, in one of a few fixed words. */
    public static final String EVENT = "event";

    public static final String WORKLOAD = "workload";
    public static final String REFERENCE = "reference";
    public static final String FROM = "from";
    public static final String TO = "to";
    public static final String DECISION = "decision";
    public static final String OUTCOME = "outcome";
    /** What has a problem, or has recovered from one. */
    public static final String SUBJECT = "subject";

    static final String CAUSE = "cause";
    public static final String LEASE = "lease";

    private LogField() {}
}
