package io.urunner.kube;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The names that objects can have, as the API server checks them. What is written where no such check is, as the name of a
 * pull secret in a pod template, may be anything: nothing is asked for that cannot be.
 */
public final class KubeName {
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern SUBDOMAIN =
            Pattern.compile("(?=.{1,253}\\z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*+");
    private static final int LONGEST_SHOWN = 64;

    private KubeName() {}

    /**
     * Whether a namespace can have this name: whether it is a DNS label.
     *
     * @param name the name
     * @return true if it can
     */
    public static boolean isOfNamespace(String name) {
        return LABEL.matcher(name).matches();
    }

    /**
     * Whether an object, such as a Secret or a Deployment, can have this name: whether it is a DNS subdomain.
     *
     * @param name the name
     * @return true if it can
     */
    public static boolean isOfObject(String name) {
        return name.length() <= 253 && SUBDOMAIN.matcher(name).matches();
    }

    /**
     * A name that somebody made up, for a message: in quotation marks, cut, and without what would not be visible.
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
            throw new KubeException(shown(name) + " cannot be the name of a namespace", KubeException.NO_NAME);
        }
        return name;
    }

    /** The name of an object as a segment of a path. */
    static String object(String resource, String name) throws KubeException {
        if (!isOfObject(name)) {
            throw new KubeException(
                    shown(name) + " cannot be a name among the " + resource
                            + ": these are lower case letters, digits, '-' and '.'",
                    KubeException.NO_NAME);
        }
        return name;
    }

    /** A value in a query. */
    static String encoded(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }
}
