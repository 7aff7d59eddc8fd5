package io.urunner.agent.e2e;

import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceAccessMode;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One tenant, one registry, one stranger cannot stop the agent for everybody. */
class SecurityIT {
    /** Who has it for himself measures times that others would change. */
    private static final String MACHINE = "the machine";

    @TempDir
    private static Path folder;

    private static Cluster cluster;
    private static DockerRegistry registry;

    @BeforeAll
    static void start() {
        cluster = Cluster.connect();
        registry = DockerRegistry.start();
    }

    @AfterAll
    static void stop() throws Exception {
        for (AutoCloseable part : new AutoCloseable[] {registry, cluster}) {
            if (part != null) {
                part.close();
            }
        }
    }

    /** Each against an agent of its own, and several agents at once. */
    @ParameterizedTest
    @EnumSource(Attack.class)
    @Execution(ExecutionMode.CONCURRENT)
    @ResourceLock(value = MACHINE, mode = ResourceAccessMode.READ)
    @Timeout(value = 6, unit = TimeUnit.MINUTES)
    void tenantAIsServedWhile(Attack attack) throws Exception {
        withstands(attack.name().toLowerCase(Locale.ROOT), EnumSet.of(attack));
    }

    @Test
    @ResourceLock(MACHINE)
    @Timeout(value = 6, unit = TimeUnit.MINUTES)
    void tenantAIsServedWhileAllAttackAtOnce() throws Exception {
        // A budget is shared between all: with so many tenants A's part would be less than A needs.
        withstands("all", EnumSet.complementOf(EnumSet.of(Attack.MANY_REFERENCES_AND_A_BUDGET)));
    }

    private static void withstands(String name, Set<Attack> attacks) throws Exception {
        try (AttackScene scene = new AttackScene(cluster, registry, folder.resolve(name), attacks)) {
            scene.isWithstood();
        }
    }
}
