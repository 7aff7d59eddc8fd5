package io.urunner.kube;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Validates the names of objects as the API server does. Where it does not check a name, such as that of a pull secret in a
 * pod template, the name may be anything: no request is sent for one that is not valid.
 */
public final class KubeName {
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern SUBDOMAIN =
            Pattern.compile("(?=.{1,253}\\z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*+");
    private static final int LONGEST_SHOWN = 64;

    private KubeName() {}

    /**
     * Whether a name is valid for a namespace: a DNS label.
     *
     * @param name the name
     * @return true if it is
     */
    public static boolean isOfNamespace(String name) {
        return LABEL.matcher(name).matches();
    }

    /**
     * Whether a name is valid for an object such as a Secret or a Deployment: a DNS subdomain.
     *
     * @param name the name
     * @return true if it is
     */
    public static boolean isOfObject(String name) {
        return name.length() <= 253 && SUBDOMAIN.matcher(name).matches();
    }

    /**
     * Makes a name from outside safe for a message: quoted, truncated, and without unprintable characters.
     *
     * @param name the name
     * @return the name for people
     */
    public static String shown(String name) {
        String visible =
                name.substring(0, Math.min(name.length(), LONGEST_SHOWN)).replaceAll("[^ -~]", "?");
        return "'" + visible + (name.length() > LONGEST_SHOWN ? "…" : "") + "'";
    }

    /** The namespace as a segment of a path. */
    static String namespace(String name) throws KubeException {
        if (!isOfNamespace(name)) {
            throw new KubeException(shown(name) + " is not a valid name for a namespace", KubeException.NO_NAME);
        }
        return name;
    }

    /** The name of an object as a segment of a path. */
    static String object(String resource, String name) throws KubeException {
        if (!isOfObject(name)) {
            throw new KubeException(
                    shown(name) + " is not a valid name for " + resource
                            + ": use lower-case letters, digits, '-' and '.'",
                    KubeException.NO_NAME);
        }
        return name;
    }

    /** A value in a query. */
    static String encoded(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }
}
