package io.urunner.agent.app.assembly;

import io.urunner.agent.PullSecretSource;
import io.urunner.agent.RegistryProbe.Image;
import io.urunner.agent.app.doctor.Doctor;
import io.urunner.registry.EnvironmentProxySelector;
import io.urunner.registry.RegistryClient;
import java.util.List;
import java.util.function.Function;

/** Describes the credentials with which a registry is asked for a namespace. */
record ShownCredentials(FallbackCredentials all, Function<String, PullSecretSource> pullSecrets, RegistryClient client)
        implements Doctor.Credentials {
    @Override
    public String describe(Image image) {
        return all.withPods(pullSecrets.apply(image.namespace()))
                .describe(image.reference().registry(), image.reference().repository());
    }

    @Override
    public String route(Image image) {
        String registry = image.reference().registry();
        return client.mirror(registry)
                .map(mirror -> "from the mirror " + mirror)
                .or(() -> client.proxy(registry)
                        .map(proxy -> "through the proxy " + EnvironmentProxySelector.shown(proxy)))
                .orElse("");
    }

    @Override
    public List<String> problems(Image image) {
        return pullSecrets
                .apply(image.namespace())
                .behind(all)
                .problems(image.reference().registry(), image.reference().repository());
    }
}
