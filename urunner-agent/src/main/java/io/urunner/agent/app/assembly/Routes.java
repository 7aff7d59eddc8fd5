package io.urunner.agent.app.assembly;

import io.urunner.registry.EnvironmentProxySelector;
import io.urunner.registry.Mirror;
import io.urunner.registry.RegistryClient;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Describes how registries are reached: through which proxy, and from which mirror they were last read. */
record Routes(RegistryClient client) {
    /** The words for a registry, or nothing if it is reached directly; they name nothing but what is configured. */
    String to(String registry) {
        Optional<String> mirror = client.mirror(registry);
        String asked = mirror.map(url -> Mirror.of(url).host()).orElse(registry);
        Optional<String> source = mirror.map(url -> "from the mirror " + url)
                .or(() -> client.mirrorProblem(registry).map(none -> "from the registry itself, past its mirrors"));
        Optional<String> proxy =
                client.proxy(asked).map(through -> "through the proxy " + EnvironmentProxySelector.shown(through));
        return Stream.of(source, proxy).flatMap(Optional::stream).collect(Collectors.joining(", "));
    }
}
