package io.urunner.agent;

import io.urunner.agent.loop.SystemTime;
import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Policy;
import io.urunner.agent.tags.WatchedRegistry;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.WatchScope;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryPrefix;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.Retention;
import io.urunner.store.DigestStores;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Builds an agent. The caller closes what it passes in, after the agent. Not thread-safe.
 *
 * <p>Defaults: a pass every 30 seconds, all namespaces that have the label {@code urunner=enable}, {@link
 * Policy#DEFAULT}, {@link Limits#NONE}, no Lease, no history, no pull secrets, no listener.
 */
public final class AgentBuilder {
    private static final Duration INTERVAL = Duration.ofSeconds(30);

    private final List<Registry> registries = new ArrayList<>();
    final KubeConfiguration kubernetes;
    final List<AgentListener> listeners = new ArrayList<>();
    WatchScope scope = WatchScope.cluster();
    boolean pullSecrets;
    DigestStore store = DigestStores.none();
    Duration interval = INTERVAL;
    Policy policy = Policy.DEFAULT;
    Limits limits = Limits.NONE;
    Retention retention = Retention.DEFAULT;
    String instance = "urunner";
    Optional<Lease> lease = Optional.empty();
    InstantSource clock = SystemTime.CLOCK;
    LongSupplier ticker = SystemTime.TICKER;

    private record Registry(RegistryPrefix prefix, RegistryClient client, RegistryOptions options) {
        WatchedRegistry watched(AgentBuilder agent, PodCredentials pods) {
            return WatchedRegistry.builder(prefix, client, agent.clock)
                    .interval(options.interval().orElse(agent.interval))
                    .concurrency(options.concurrency())
                    .budget(options.budget())
                    .pullSecrets(namespace -> agent.pullSecrets
                            ? Optional.of(pods.of(namespace).behind(client.credentials()))
                            : Optional.empty())
                    .build();
        }
    }

    AgentBuilder(KubeConfiguration kubernetes) {
        this.kubernetes = Objects.requireNonNull(kubernetes, "kubernetes");
    }

    /**
     * Watches a registry, or a part of one.
     *
     * @param prefix which images it covers: {@code host[:port]}, or that and the beginning of their repositories, as in
     *     {@code registry.example/team}; if two prefixes match an image, the longer one counts
     * @param client asks the registry, with its credentials
     * @return this builder
     * @throws IllegalArgumentException if this is not a prefix
     */
    public AgentBuilder registry(String prefix, RegistryClient client) {
        return registry(prefix, client, RegistryOptions.DEFAULTS);
    }

    /**
     * Watches a registry, or a part of one, with options of its own.
     *
     * @param prefix which images it covers, as for {@link #registry(String, RegistryClient)}
     * @param client asks the registry, with its credentials. The agent retries by itself: build the client with
     *     {@code attempts(1)}, so that a failing registry is not asked more often than the agent's back-off allows
     * @param options how it is asked
     * @return this builder
     * @throws IllegalArgumentException if this is not a prefix, or it is already watched
     */
    public AgentBuilder registry(String prefix, RegistryClient client, RegistryOptions options) {
        RegistryPrefix parsed = RegistryPrefix.parse(prefix);
        if (registries.stream().anyMatch(registry -> registry.prefix.equals(parsed))) {
            throw new IllegalArgumentException(parsed + " is already watched");
        }
        registries.add(new Registry(parsed, Objects.requireNonNull(client, "client"), options));
        return this;
    }

    /**
     * Sets the time between two passes over the references of a registry.
     *
     * @param time the time, one second or more
     * @return this builder
     * @throws IllegalArgumentException if it is shorter
     */
    public AgentBuilder interval(Duration time) {
        RegistryOptions.checkInterval(time);
        interval = time;
        return this;
    }

    /**
     * Remembers digests and rollouts in a store, beyond the life of this process. Without one, rollouts work just
     * the same, but there is no history.
     *
     * @param history the store
     * @return this builder
     */
    public AgentBuilder store(DigestStore history) {
        store = Objects.requireNonNull(history, "store");
        return this;
    }

    /**
     * Sets how much of the history is kept.
     *
     * @param kept how much
     * @return this builder
     */
    public AgentBuilder retention(Retention kept) {
        retention = kept;
        return this;
    }

    /**
     * Restricts the agent to some namespaces.
     *
     * @param namespaces which ones; they still need the label {@code urunner=enable}
     * @return this builder
     */
    public AgentBuilder scope(WatchScope namespaces) {
        scope = namespaces;
        return this;
    }

    /**
     * Asks for private images with the pull secrets of the pods that use them, each namespace with its own, where the
     * registry's client has no credential. Needs the permission to get Secrets and ServiceAccounts.
     *
     * @param read whether pull secrets are read
     * @return this builder
     */
    public AgentBuilder pullSecrets(boolean read) {
        pullSecrets = read;
        return this;
    }

    /**
     * Sets the policy for a workload whose annotations do not override it.
     *
     * @param defaults the policy
     * @return this builder
     */
    public AgentBuilder policy(Policy defaults) {
        policy = defaults;
        return this;
    }

    /**
     * Limits how many rollouts run at once.
     *
     * @param most the limits
     * @return this builder
     */
    public AgentBuilder limits(Limits most) {
        limits = most;
        return this;
    }

    /**
     * Makes this agent act only while it holds a Lease, as one of several agents.
     *
     * @param elected the Lease
     * @return this builder
     */
    public AgentBuilder lease(Lease elected) {
        lease = Optional.of(elected);
        return this;
    }

    /**
     * Names this agent in the Events that it writes.
     *
     * @param name its name among several, for example that of its pod; {@code urunner} by default
     * @return this builder
     */
    public AgentBuilder instance(String name) {
        instance = Objects.requireNonNull(name, "instance");
        return this;
    }

    /**
     * Adds a listener, which is notified of what happens.
     *
     * @param listener the listener, called on the agent's loop
     * @return this builder
     */
    public AgentBuilder listener(AgentListener listener) {
        listeners.add(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Sets the time.
     *
     * @param now the wall clock
     * @param nanoseconds elapsed time in nanoseconds, from an arbitrary origin; it never goes back
     * @return this builder
     */
    public AgentBuilder clock(InstantSource now, LongSupplier nanoseconds) {
        clock = now;
        ticker = nanoseconds;
        return this;
    }

    /** The registries to watch; {@code pods} holds the pull secrets, if they are read. */
    List<WatchedRegistry> registries(PodCredentials pods) {
        return registries.stream().map(registry -> registry.watched(this, pods)).toList();
    }

    /**
     * Creates the agent, which does nothing yet. Does no I/O.
     *
     * @return the agent; the caller closes it
     * @throws IllegalStateException if no registry is watched
     */
    public Agent build() {
        if (registries.isEmpty()) {
            throw new IllegalStateException("an agent watches at least one registry: call registry(…)");
        }
        return new Agent(this);
    }
}
