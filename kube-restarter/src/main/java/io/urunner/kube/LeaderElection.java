package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.KubeAccess.Permission;
import io.urunner.kube.KubeConnection.Answer;
import io.urunner.kube.KubeConnection.Call;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Elects one of several instances with a Lease of {@code coordination.k8s.io/v1}: the holder leads. A leader that
 * disappears is replaced within 18 s, one that closes within 2 s. Clocks are not compared: a waiting instance measures by
 * itself how long the Lease has not been renewed. Single use. Thread-safe.
 */
public final class LeaderElection implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderElection.class);

    /** How long a Lease that is not renewed is valid. */
    private static final Duration LEASE = Duration.ofSeconds(15);
    /** How long this instance leads without a renewal: it stops well before another one takes over. */
    private static final Duration OWN_DEADLINE = Duration.ofSeconds(10);

    /** A check and a renewal without a response time out, and can be retried, before this instance stops leading. */
    private static final Duration ANSWER = Duration.ofSeconds(4);

    private static final int PERIOD_MILLIS = 1_500;

    private final KubeConnection connection;
    private final String namespace;
    private final String name;
    private final String identity;
    private final InstantSource clock;
    private final LongSupplier nanos;
    private final Executor worker;
    private final Listener listener;

    private boolean started;
    private boolean closed;
    private boolean told;
    private long renewedAt;
    private String seenRecord = "";
    private long seenAt;
    private Optional<String> holder = Optional.empty();
    private Optional<Problem> problem = Optional.empty();

    /** Is notified of the election, one call after another. */
    public interface Listener {
        /** This instance now leads. */
        void elected();

        /** This instance no longer leads; another one may. */
        void deposed();
    }

    /**
     * Creates an election that has not started.
     *
     * @param connection a connection to the cluster; the caller closes it
     * @param namespace the Lease's namespace
     * @param name the Lease's name
     * @param identity this instance, unique among all, for example the name of the pod
     * @param clock the time, for the Lease
     * @param nanos elapsed time
     * @param worker runs one short request every 1.5 s, and the listener; not the connection's executor
     * @param listener who is notified
     */
    public LeaderElection(
            KubeConnection connection,
            String namespace,
            String name,
            String identity,
            InstantSource clock,
            LongSupplier nanos,
            Executor worker,
            Listener listener) {
        this.connection = connection;
        this.namespace = namespace;
        this.name = name;
        this.identity = identity;
        this.clock = clock;
        this.nanos = nanos;
        this.worker = worker;
        this.listener = listener;
    }

    /**
     * Starts taking part in the election; returns at once.
     *
     * @throws IllegalStateException if it has already been started
     */
    public void start() {
        synchronized (this) {
            if (started) {
                throw new IllegalStateException("the election has already been started");
            }
            started = true;
        }
        next(0);
    }

    /**
     * Whether this instance leads: it holds the Lease and has renewed it recently. Ask before each action.
     *
     * @return true if it leads
     */
    public synchronized boolean leads() {
        return told && !closed && nanos.getAsLong() - renewedAt < OWN_DEADLINE.toNanos();
    }

    /**
     * Returns who leads, as far as this instance knows.
     *
     * @return the identity
     */
    public synchronized Optional<String> leader() {
        return holder;
    }

    /**
     * Why the Lease cannot be read or written now.
     *
     * @param message the problem in words
     * @param missing the permission that is missing; empty if that is not the reason
     */
    public record Problem(String message, Optional<Permission> missing) {}

    /**
     * Returns why the Lease cannot be read or written now.
     *
     * @return the problem; empty if there is none
     */
    public synchronized Optional<Problem> problem() {
        return problem;
    }

    private void next(int millis) {
        connection.later(
                () -> {
                    try {
                        worker.execute(this::round);
                    } catch (RejectedExecutionException e) {
                        LOG.debug("the election stops with its executor");
                    }
                },
                millis);
    }

    private void round() {
        synchronized (this) {
            if (closed) {
                return;
            }
        }
        try {
            campaign();
        } catch (KubeException e) {
            failed(new Problem(KubeConnection.words(e), e.missing()));
        } catch (RuntimeException | Error e) {
            LOG.error("cannot check the Lease {}/{}; this is a defect", namespace, name, e);
            failed(new Problem(e.toString(), Optional.empty()));
        }
        try {
            tell();
        } finally {
            next(PERIOD_MILLIS);
        }
    }

    private synchronized void failed(Problem found) {
        problem = Optional.of(found);
    }

    /** Reads the Lease once, and writes it once if it is ours or free. */
    private void campaign() throws KubeException {
        Action doing = ApiResource.LEASES.action("get", namespace, name);
        long asked = nanos.getAsLong();
        Answer answer = connection.send(Call.get(path()).wanting(ObservedJson.LEASE), doing, ANSWER);
        if (answer.status() == 404) {
            write("POST", ApiResource.LEASES.path(Optional.of(namespace)), lease(null, identity), asked);
            return;
        }
        if (answer.status() != 200) {
            throw connection.refused(doing, answer);
        }
        if (answer.body().has(JsonSieve.CUT)) {
            throw new KubeException(
                    "cannot " + doing + ": it is too large to be written back: "
                            + answer.body().path(JsonSieve.CUT).asText(),
                    KubeException.TOO_LARGE);
        }
        JsonNode spec = answer.body().path("spec");
        String found = spec.path("holderIdentity").asText("");
        boolean free;
        synchronized (this) {
            problem = Optional.empty();
            holder = Optional.of(found).filter(text -> !text.isEmpty());
            String version =
                    answer.body().path("metadata").path("resourceVersion").asText();
            if (!version.equals(seenRecord)) {
                seenRecord = version;
                seenAt = asked;
            }
            int seconds = spec.path("leaseDurationSeconds").asInt((int) LEASE.toSeconds());
            free = found.isEmpty()
                    || asked - seenAt >= Duration.ofSeconds(seconds).toNanos();
        }
        if (found.equals(identity) || free) {
            write("PUT", path(), lease(answer.body(), identity), asked);
        } else {
            lost();
        }
    }

    private String path() throws KubeException {
        return ApiResource.LEASES.path(namespace, name);
    }

    private void write(String method, String to, ObjectNode lease, long asked) throws KubeException {
        Action doing = ApiResource.LEASES.action(method.equals("POST") ? "create" : "update", namespace, name);
        synchronized (this) {
            if (closed) {
                return;
            }
        }
        Answer answer = connection.send(
                new Call(method, to + "?fieldManager=urunner", KubeConnection.JSON_TYPE, lease.toString()),
                doing,
                ANSWER);
        if (answer.status() == 200 || answer.status() == 201) {
            synchronized (this) {
                problem = Optional.empty();
                holder = Optional.of(identity);
                renewedAt = asked;
                seenRecord =
                        answer.body().path("metadata").path("resourceVersion").asText();
                seenAt = asked;
            }
        } else if (answer.status() == 409) {
            // Somebody else was faster, or an earlier write of ours took effect although its response was lost.
            LOG.debug("the Lease {}/{} has changed in the meantime", namespace, name);
        } else {
            throw connection.refused(doing, answer);
        }
    }

    private synchronized void lost() {
        renewedAt = nanos.getAsLong() - OWN_DEADLINE.toNanos();
    }

    /** Notifies the listener of a change. */
    private void tell() {
        boolean leading;
        synchronized (this) {
            leading = !closed
                    && holder.equals(Optional.of(identity))
                    && nanos.getAsLong() - renewedAt < OWN_DEADLINE.toNanos();
            if (leading == told) {
                return;
            }
            told = leading;
        }
        if (leading) {
            listener.elected();
        } else {
            listener.deposed();
        }
    }

    private ObjectNode lease(@Nullable JsonNode before, String newHolder) {
        ObjectNode lease = before == null ? KubeConnection.JSON.createObjectNode() : before.<ObjectNode>deepCopy();
        if (before == null) {
            lease.put("apiVersion", "coordination.k8s.io/v1").put("kind", "Lease");
            lease.putObject("metadata").put("name", name).put("namespace", namespace);
        }
        ObjectNode metadata = (ObjectNode) lease.get("metadata");
        metadata.remove("managedFields");
        ObjectNode spec = lease.withObject("/spec");
        String now = clock.instant().truncatedTo(ChronoUnit.MICROS).toString();
        if (!spec.path("holderIdentity").asText("").equals(newHolder)) {
            spec.put("acquireTime", micros(now));
            spec.put("leaseTransitions", spec.path("leaseTransitions").asInt() + 1);
        }
        spec.put("holderIdentity", newHolder)
                .put("leaseDurationSeconds", newHolder.isEmpty() ? 1 : (int) LEASE.toSeconds());
        spec.put("renewTime", micros(now));
        return lease;
    }

    /** The type MicroTime needs six decimals. */
    private static String micros(String instant) {
        int dot = instant.indexOf('.');
        String fraction = dot < 0 ? "" : instant.substring(dot + 1, instant.length() - 1);
        return (dot < 0 ? instant.substring(0, instant.length() - 1) : instant.substring(0, dot)) + "."
                + (fraction + "000000").substring(0, 6) + "Z";
    }

    /**
     * Hands over: releases the Lease if it is held, and stops. Stop acting first. Idempotent; blocks for one request.
     */
    @Override
    public void close() {
        boolean held;
        synchronized (this) {
            held = !closed && holder.equals(Optional.of(identity));
            closed = true;
        }
        if (held) {
            try {
                release();
            } catch (KubeException e) {
                LOG.warn(
                        "cannot release the Lease {}/{}, which expires by itself: {}", namespace, name, e.getMessage());
            }
        }
        tell();
    }

    private void release() throws KubeException {
        Action doing = new Action("release the lease " + name + " in namespace " + namespace);
        for (int attempt = 0; attempt < 2; attempt++) {
            Answer answer = connection.send(Call.get(path()).wanting(ObservedJson.LEASE), doing, ANSWER);
            if (answer.status() != 200
                    || answer.body().has(JsonSieve.CUT)
                    || !answer.body()
                            .path("spec")
                            .path("holderIdentity")
                            .asText()
                            .equals(identity)) {
                return;
            }
            Answer written = connection.send(
                    new Call(
                            "PUT",
                            path() + "?fieldManager=urunner",
                            KubeConnection.JSON_TYPE,
                            lease(answer.body(), "").toString()),
                    doing,
                    ANSWER);
            if (written.status() != 409) {
                return;
            }
        }
    }
}
