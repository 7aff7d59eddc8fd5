package io.urunner.kube;

import java.net.URI;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/** The configuration for an API server that speaks plain HTTP on loopback. */
final class PlainHttp {
    private PlainHttp() {}

    static KubeConfiguration at(int port) {
        return at(port, Optional::empty);
    }

    static KubeConfiguration at(int port, KubeConfiguration.Authorization authorization) {
        try {
            return new KubeConfiguration(
                    URI.create("http://127.0.0.1:" + port),
                    Optional.empty(),
                    SSLContext.getDefault(),
                    null,
                    authorization);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
