package io.urunner.agent.app.assembly;

import io.urunner.agent.app.doctor.Doctor;
import io.urunner.agent.tags.RegistryProbe.Image;
import io.urunner.agent.workloads.PodCredentials;
import java.util.List;

/** What can be told of the credentials with which a registry is asked for a namespace. */
record ShownCredentials(FallbackCredentials all, PodCredentials pods, boolean pullSecrets)
        implements Doctor.Credentials {
    @Override
    public String describe(Image image) {
        return all.withPods(pods.of(image.namespace()))
                .describe(image.reference().registry(), image.reference().repository());
    }

    @Override
    public List<String> problems(Image image) {
        return pullSecrets
                ? all.onlyPods(pods.of(image.namespace()))
                        .problems(
                                image.reference().registry(), image.reference().repository())
                : List.of();
    }
}
