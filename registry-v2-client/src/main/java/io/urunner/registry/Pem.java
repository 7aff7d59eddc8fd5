package io.urunner.registry;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Certificates and keys from PEM files (RFC 7468), for {@link HostOptions}. */
public final class Pem {
    private static final String KEY_BEGIN = "-----BEGIN PRIVATE KEY-----";
    private static final String KEY_END = "-----END PRIVATE KEY-----";

    private Pem() {}

    /**
     * Reads all certificates in a file, for example a bundle of authorities.
     *
     * @param file the file
     * @return its certificates, at least one
     * @throws IOException if the file cannot be read or contains none
     */
    public static List<X509Certificate> certificates(Path file) throws IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            for (var certificate : CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(file)))) {
                certificates.add((X509Certificate) certificate);
            }
        } catch (CertificateException e) {
            throw new IOException("cannot read certificates from " + file + ": " + e.getMessage(), e);
        }
        if (certificates.isEmpty()) {
            throw new IOException("there is no certificate in " + file);
        }
        return List.copyOf(certificates);
    }

    /**
     * Reads a client certificate with its key.
     *
     * @param chain the file with the certificate and those that lead to its authority
     * @param key the file with the unencrypted key in PKCS #8 form ({@code BEGIN PRIVATE KEY})
     * @return the client certificate
     * @throws IOException if a file cannot be read or contains something else
     */
    public static ClientCertificate clientCertificate(Path chain, Path key) throws IOException {
        return new ClientCertificate(privateKey(key), certificates(chain));
    }

    private static PrivateKey privateKey(Path file) throws IOException {
        String text = Files.readString(file, StandardCharsets.US_ASCII);
        int begin = text.indexOf(KEY_BEGIN);
        int end = text.indexOf(KEY_END);
        if (begin < 0 || end < begin) {
            throw new IOException("there is no unencrypted PKCS #8 key (" + KEY_BEGIN + ") in " + file
                    + "; openssl pkcs8 -topk8 -nodes converts other forms");
        }
        PKCS8EncodedKeySpec spec;
        try {
            spec = new PKCS8EncodedKeySpec(
                    Base64.getMimeDecoder().decode(text.substring(begin + KEY_BEGIN.length(), end)));
        } catch (IllegalArgumentException e) {
            throw new IOException("the key in " + file + " is not base64", e);
        }
        for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (InvalidKeySpecException e) {
                // The next algorithm may fit: the JDK offers no way to read from the form which one it is.
            } catch (GeneralSecurityException e) {
                throw new IOException("this Java runtime lacks " + algorithm + " keys", e);
            }
        }
        throw new IOException("the key in " + file + " is neither RSA, EC nor EdDSA");
    }
}
