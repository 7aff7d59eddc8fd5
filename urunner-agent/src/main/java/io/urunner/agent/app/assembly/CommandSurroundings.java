package io.urunner.agent.app.assembly;

import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.Wiring;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.rollback.KubeWorkloads;
import io.urunner.agent.app.rollback.Surroundings;
import io.urunner.agent.loop.SystemTime;
import io.urunner.agent.plan.Intervention;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeConnection;
import io.urunner.kube.Workload;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/** The cluster, the registries and the store, for a command that works without an agent. */
final class CommandSurroundings implements Wiring.ByHand {
    private final Surroundings surroundings;
    private final CloseStack parts;

    private CommandSurroundings(Surroundings surroundings, CloseStack parts) {
        this.surroundings = surroundings;
        this.parts = parts;
    }

    static CommandSurroundings open(
            Configuration configuration, Map<String, String> environment, int attempts, Duration patience)
            throws CommandException {
        Settings settings = configuration.settings();
        CloseStack parts = new CloseStack();
        try {
            ScheduledExecutorService answers = Executors.newScheduledThreadPool(2, task -> {
                Thread thread = new Thread(task, "urunner-kubernetes");
                thread.setDaemon(true);
                return thread;
            });
            parts.add(answers::shutdownNow);
            KubeConnection connection = parts.add(new KubeConnection(
                    AgentAssembly.kubernetes(configuration, environment, true), answers, "urunner", patience));
            PodCredentials pods = new PodCredentials(SystemTime.CLOCK);
            if (settings.kubernetes().pullSecrets()) {
                pods.connect(new KubeAccess(connection));
            }
            RegistryAccess registries = parts.add(RegistryAccess.open(
                    configuration, environment, SystemTime.CLOCK, attempts, pods, RegistryObserver.NONE));
            return new CommandSurroundings(
                    new Surroundings(
                            new KubeWorkloads(
                                    connection,
                                    AgentAssembly.instance(environment),
                                    SystemTime.CLOCK,
                                    workload -> pods.uses(workload, references(workload))),
                            registries.client(),
                            parts.add(AgentAssembly.store(settings)),
                            SystemTime.CLOCK,
                            SystemTime.TICKER,
                            SystemTime::sleep),
                    parts);
        } catch (CommandException | RuntimeException e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    private static List<ImageReference> references(Workload workload) {
        return Intervention.followed(workload).stream()
                .map(Intervention.Followed::reference)
                .toList();
    }

    @Override
    public Surroundings surroundings() {
        return surroundings;
    }

    @Override
    public void close() {
        parts.close();
    }
}
