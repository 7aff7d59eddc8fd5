package io.urunner.registry;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;

/**
 * The certificate that a client presents in the TLS handshake. Immutable; it does not print its key.
 *
 * @param key the private key
 * @param chain its certificate first, then those that lead to an authority
 */
public record ClientCertificate(PrivateKey key, List<X509Certificate> chain) {
    public ClientCertificate {
        Objects.requireNonNull(key, "key");
        chain = List.copyOf(chain);
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("a client certificate needs at least one certificate");
        }
    }

    @Override
    public String toString() {
        return "client certificate of " + chain.get(0).getSubjectX500Principal();
    }
}
