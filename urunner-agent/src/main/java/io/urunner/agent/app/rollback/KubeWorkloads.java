package io.urunner.agent.app.rollback;

import io.urunner.agent.text.Printable;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeConnection;
import io.urunner.kube.KubeEvents;
import io.urunner.kube.KubeException;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Pod;
import io.urunner.kube.Restart;
import io.urunner.kube.Restarter;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** The cluster behind an API server. */
public final class KubeWorkloads implements Workloads {
    private final Restarter restarter;
    private final KubeAccess access;
    private final KubeEvents events;
    private final Consumer<Workload> seen;

    /**
     * Speaks to one API server.
     *
     * @param connection to which one; stays the caller's to close
     * @param instance who writes Events, for example the name of the pod
     * @param clock the time
     * @param seen told of every workload that was read
     */
    public KubeWorkloads(KubeConnection connection, String instance, InstantSource clock, Consumer<Workload> seen) {
        this.seen = seen;
        restarter = new Restarter(connection);
        access = new KubeAccess(connection);
        events = new KubeEvents(connection, "urunner", instance, clock);
    }

    @Override
    public Optional<Workload> read(WorkloadId id) throws KubeException {
        Optional<Workload> found = restarter.read(id);
        found.ifPresent(seen);
        return found;
    }

    @Override
    public List<WorkloadId> named(String name) throws KubeException {
        return access.workloads(Optional.empty(), name);
    }

    @Override
    public List<PastTemplate> pastTemplates(WorkloadId id) throws KubeException {
        return restarter.pastTemplates(id);
    }

    @Override
    public Set<String> nodePlatforms() throws KubeException {
        return access.nodePlatforms();
    }

    @Override
    public PatchResult restart(Workload planned, Restart restart) throws KubeException {
        return restarter.restart(planned, restart);
    }

    @Override
    public PatchResult remember(Workload planned, WorkloadState state) throws KubeException {
        return restarter.remember(planned, state);
    }

    @Override
    public void deletePod(String namespace, Pod pod) throws KubeException {
        restarter.deletePod(namespace, pod);
    }

    @Override
    public void tell(Workload workload, String reason, String message) throws KubeException {
        events.write(workload, KubeEvents.Type.NORMAL, reason, Printable.line(message));
    }
}
