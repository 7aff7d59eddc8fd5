package io.urunner.agent.app.assembly;

import io.urunner.agent.PullSecretSource;
import io.urunner.agent.RegistryProbe.Image;
import io.urunner.agent.app.doctor.Doctor;
import io.urunner.registry.RegistryClient;
import java.util.List;
import java.util.Optional;
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
        return new Routes(client).to(image.reference());
    }

    @Override
    public Optional<String> mirrorProblem(Image image) {
        return client.mirrorProblem(image.reference().registry());
    }

    @Override
    public List<String> problems(Image image) {
        return pullSecrets
                .apply(image.namespace())
                .behind(all)
                .problems(image.reference().registry(), image.reference().repository());
    }
}
