package io.urunner.agent;

import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.State;
import io.urunner.kube.Workload;
import java.time.Duration;

/**
 * Is notified of what the agent does, for metrics, Events and the demo. Called on the agent's loop: an implementation
 * must not block. The agent writes its log itself.
 */
public interface AgentListener {
    /**
     * A pass over the references of one registry is over.
     *
     * @param host the registry
     * @param took how long it took
     */
    default void passed(String host, Duration took) {}

    /**
     * A registry was asked for a reference.
     *
     * @param host the registry
     * @param reference the reference
     * @param outcome {@code found}, or what went wrong, in one of a few fixed words
     * @param took how long it took
     */
    default void resolved(String host, String reference, String outcome, Duration took) {}

    /**
     * A reference has a new digest.
     *
     * @param reference the reference
     * @param from the digest before
     * @param to the digest now
     */
    default void moved(String reference, String from, String to) {}

    /**
     * A rollout was started. Not called for one that was under way before this agent acted.
     *
     * @param workload the workload as it was when planned
     * @param rollout which one
     */
    default void rolloutStarted(Workload workload, Rollout rollout) {}

    /**
     * A rollout ended, or was given up on. Not called for one that was over before this agent acted.
     *
     * @param rollout which one
     * @param outcome how it ended
     */
    default void rolloutEnded(Rollout rollout, Outcome outcome) {}

    /**
     * This agent starts acting, or stands by from now on. Called once at the start, and with every change.
     *
     * @param acts whether it acts
     */
    default void leading(boolean acts) {}

    /**
     * A reference that a workload uses has a new digest. Not called by an agent that stands by.
     *
     * @param workload the workload
     * @param reference the reference
     * @param from the digest before
     * @param to the digest now
     */
    default void moved(Workload workload, String reference, String from, String to) {}

    /** What people should know about a workload besides its decision. */
    enum Notice {
        /** A hold ended by itself, or somebody ended it. */
        HOLD_ENDED,
        /** Somebody put the tag back into a workload that is held at a digest. */
        HOLD_DISTURBED,
        /** The first restart possibly does not bring the new image, because nodes that have the old one do not pull. */
        PULL_POLICY
    }

    /**
     * Something that people should know about a workload, once. Not called by an agent that stands by.
     *
     * @param workload the workload as it was when planned
     * @param notice what kind
     * @param words the text, for people
     * @param maybeTold whether this was already so at this agent's first look, so that the agent that acted before may
     *     have reported it
     */
    default void noticed(Workload workload, Notice notice, String words, boolean maybeTold) {}

    /**
     * A workload's decision has changed. Not called by an agent that stands by, nor for what the workload or the store show
     * to have been so before this agent acted.
     *
     * @param workload the workload as it was when planned
     * @param decision the decision
     * @param maybeTold whether this was already so at this agent's first look, so that the agent that acted before may
     *     have reported it
     */
    default void decided(Workload workload, Decision decision, boolean maybeTold) {}

    /**
     * A workload's state has changed, and in one of the two states its pods are not what they should be. Not called by an
     * agent that stands by, nor for what was so before this agent saw it.
     *
     * @param workload the workload as it was when planned
     * @param before the state before
     * @param now the state now
     */
    default void stateChanged(Workload workload, State before, State now) {}

    /** What was about to be done over and over, endlessly and without a new reason. */
    enum Runaway {
        /** The same request to a registry. */
        REQUEST,
        /** The plan of a workload, on the same facts. */
        PLAN,
        /** The patch of a workload. */
        PATCH
    }

    /**
     * Something was about to be done over and over, and was stopped. This is a defect of the agent, or somebody immediately
     * undoes what it does.
     *
     * @param what what was stopped
     */
    default void stopped(Runaway what) {}

    /** What namespaces take turns in. */
    enum Served {
        /** A question for the digest of a reference. */
        QUESTION,
        /** The content of an image that was fetched. */
        CONTENT,
        /** A workload that was planned. */
        PLAN,
        /** A workload that was changed. */
        PATCH,
        /** An Event. */
        EVENT
    }

    /**
     * Something was done for a namespace in its turn.
     *
     * @param what what was done
     * @param namespace the namespace; an empty string for the agent's own work
     */
    default void served(Served what, String namespace) {}
}
