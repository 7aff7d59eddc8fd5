package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageIdTest {
    private static final String HEX = "0123456789abcdef".repeat(4);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "registry.example:5000/team/app@sha256:%s",
                "docker.io/library/nginx@sha256:%s",
                "sha256:%s",
                "%s",
                "docker-pullable://registry.example/app@sha256:%s",
                "docker://sha256:%s"
            })
    void theDigestIsReadFromTheFormOfEveryRuntime(String form) {
        assertThat(ImageId.digest(form.formatted(HEX))).contains("sha256:" + HEX);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "registry.example/app:latest", "sha256:12", "nginx", "%sff", "docker://%sg", "md5:%s"})
    void otherFormsHaveNoDigest(String form) {
        assertThat(ImageId.digest(form.formatted(HEX))).isEqualTo(Optional.empty());
    }

    @org.junit.jupiter.api.Test
    void sha512IsReadToo() {
        assertThat(ImageId.digest("app@sha512:" + HEX + HEX)).contains("sha512:" + HEX + HEX);
    }
}
