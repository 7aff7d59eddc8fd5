package io.urunner.agent.app.assembly;

import io.urunner.registry.EnvironmentProxySelector;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Mirror;
import io.urunner.registry.RegistryClient;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Describes how images are reached: from which mirror they were last read, past which others, and through which proxy. */
record Routes(RegistryClient client) {
    /** The words for an image, or nothing if its registry is reached directly; they name nothing but what is configured. */
    String to(ImageReference image) {
        Optional<String> mirror = client.mirror(image);
        Optional<String> passedOver = client.mirrorsPassedOver(image);
        String asked = mirror.map(url -> Mirror.of(url).host()).orElse(image.registry());
        Optional<String> source = mirror.map(url -> "from the mirror " + url)
                .or(() -> passedOver.map(none -> "from the registry itself"));
        Optional<String> past = passedOver.map(which -> "past mirrors: " + which);
        Optional<String> proxy =
                client.proxy(asked).map(through -> "through the proxy " + EnvironmentProxySelector.shown(through));
        return Stream.of(source, proxy, past).flatMap(Optional::stream).collect(Collectors.joining(", "));
    }
}
