package io.urunner.kube;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * Certificates and private keys as kubeconfigs carry them. The JDK reads keys in PKCS#8 only, while many clusters hand out
 * PKCS#1 (RFC 8017) and SEC 1 (RFC 5915) keys: these are wrapped into a PKCS#8 envelope (RFC 5208).
 */
final class Pem {
    private static final Pattern KEY =
            Pattern.compile("-----BEGIN ((?:RSA |EC )?)PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END");
    private static final byte[] VERSION = {0x02, 0x01, 0x00};
    private static final byte[] RSA = {
        0x30, 0x0d, 0x06, 0x09, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00
    };
    private static final byte[] EC = {0x06, 0x07, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x02, 0x01};

    private Pem() {}

    static TrustManager[] trust(byte[] authorities) throws GeneralSecurityException, IOException {
        KeyStore store = emptyStore();
        int number = 0;
        for (Certificate certificate : certificates(authorities)) {
            store.setCertificateEntry("ca-" + number++, certificate);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory.getTrustManagers();
    }

    static KeyManager[] identity(byte[] certificates, byte[] key) throws GeneralSecurityException, IOException {
        char[] noPassword = new char[0];
        KeyStore store = emptyStore();
        store.setKeyEntry(
                "client",
                privateKey(key),
                noPassword,
                certificates(certificates).toArray(Certificate[]::new));
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, noPassword);
        return factory.getKeyManagers();
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(byte[] pem) throws GeneralSecurityException {
        Collection<? extends Certificate> found =
                CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(pem));
        if (found.isEmpty()) {
            throw new GeneralSecurityException("there is no certificate in it");
        }
        return found;
    }

    static PrivateKey privateKey(byte[] pem) throws GeneralSecurityException {
        Matcher key = KEY.matcher(new String(pem, StandardCharsets.US_ASCII));
        if (!key.find()) {
            throw new GeneralSecurityException("there is no unencrypted private key in PEM form in it");
        }
        byte[] der = Base64.getMimeDecoder().decode(key.group(2));
        return switch (key.group(1)) {
            case "RSA " -> KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(envelope(RSA, der)));
            case "EC " ->
                KeyFactory.getInstance("EC")
                        .generatePrivate(new PKCS8EncodedKeySpec(envelope(tagged(0x30, EC, curve(der)), der)));
            default -> anyAlgorithm(new PKCS8EncodedKeySpec(der));
        };
    }

    private static PrivateKey anyAlgorithm(PKCS8EncodedKeySpec key) throws GeneralSecurityException {
        GeneralSecurityException refused = new GeneralSecurityException("its private key is of no known algorithm");
        for (String algorithm : new String[] {"RSA", "EC", "EdDSA"}) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(key);
            } catch (InvalidKeySpecException otherAlgorithm) {
                refused.addSuppressed(otherAlgorithm);
            }
        }
        throw refused;
    }

    private static byte[] envelope(byte[] algorithm, byte[] key) {
        return tagged(0x30, VERSION, algorithm, tagged(0x04, key));
    }

    /** The curve of a SEC 1 key: the object identifier in its context-specific field 0, behind the key itself. */
    private static byte[] curve(byte[] der) throws GeneralSecurityException {
        // SEQUENCE, INTEGER 1, OCTET STRING key, [0] OBJECT IDENTIFIER curve
        int at = (der[1] & 0x80) == 0 ? 2 : 2 + (der[1] & 0x7f);
        at += 3;
        at += 2 + der[at + 1];
        if (at + 4 > der.length || der[at] != (byte) 0xa0) {
            throw new GeneralSecurityException("its EC private key does not name its curve");
        }
        return Arrays.copyOfRange(der, at + 2, at + 2 + der[at + 1]);
    }

    private static byte[] tagged(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        int length = content.size();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (length < 0x80) {
            out.write(length);
        } else if (length < 0x100) {
            out.write(0x81);
            out.write(length);
        } else {
            out.write(0x82);
            out.write(length >> 8);
            out.write(length & 0xff);
        }
        out.writeBytes(content.toByteArray());
        return out.toByteArray();
    }
}
