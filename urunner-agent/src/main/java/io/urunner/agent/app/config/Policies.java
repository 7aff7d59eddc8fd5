package io.urunner.agent.app.config;

import io.urunner.agent.plan.Policy;
import io.urunner.agent.plan.Window;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The policies of workloads without annotations {@code urunner.io/<name>}, which override them.
 *
 * @param firstSight what to do with a workload that runs an old digest and that was never rolled out by us
 * @param cooldown the minimum time between two rollouts of a workload
 * @param settle how long a tag must keep a digest before it is rolled out
 * @param window when rollouts may start; empty for always
 * @param containers the names of the containers to follow; empty for all
 * @param ifNotAlways what to do with a container whose {@code imagePullPolicy} is not {@code Always}
 * @param shadow whether decisions are only reported
 */
public record Policies(
        @Setting(
                variable = "URUNNER_CONF_FIRST_SIGHT",
                fallback = "restart",
                meaning =
                        "a workload that runs an old digest and that URunner never rolled out: `restart` it, or `adopt` what runs")
        Policy.FirstSight firstSight,

        @Setting(
                variable = "URUNNER_CONF_COOLDOWN",
                fallback = "0",
                meaning = "minimum time between two rollouts of a workload")
        Duration cooldown,

        @Setting(
                variable = "URUNNER_CONF_SETTLE",
                fallback = "0",
                meaning = "how long a tag must keep a digest before it is rolled out")
        Duration settle,

        @Setting(
                variable = "URUNNER_CONF_WINDOW",
                meaning =
                        "when rollouts may start, for example `Mon-Fri 20:00-06:00 Europe/Rome`; separate several with `;`")
        Optional<String> window,

        @Setting(
                variable = "URUNNER_CONF_CONTAINERS",
                meaning = "names of the containers to follow, separated by commas; all if not set")
        List<String> containers,

        @Setting(
                variable = "URUNNER_CONF_IF_NOT_ALWAYS",
                fallback = "restart",
                meaning =
                        "a container whose `imagePullPolicy` is not `Always`: `restart` it, `pin` its image to the digest, or `skip` it")
        Policy.IfNotAlways ifNotAlways,

        @Setting(
                variable = "URUNNER_CONF_SHADOW",
                fallback = "false",
                meaning = "decide and report, but change nothing")
        boolean shadow) {
    public Policies {
        containers = List.copyOf(containers);
        windows(window);
    }

    /**
     * The same for the planner.
     *
     * @return the policy
     */
    public Policy toPolicy() {
        return new Policy(firstSight, cooldown, settle, windows(window), Set.copyOf(containers), ifNotAlways, shadow);
    }

    private static List<Window> windows(Optional<String> text) {
        try {
            return text.map(Window::parse).orElse(List.of());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("window " + e.getMessage(), e);
        }
    }
}
