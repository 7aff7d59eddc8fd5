package io.urunner.registry;

import java.net.URI;
import java.util.Locale;
import okhttp3.HttpUrl;

/**
 * A host that has content of a registry, such as a pull-through cache. Immutable.
 *
 * <p>The meaning is that of a host in containerd's {@code hosts.toml}: each request carries the registry's name as the
 * parameter {@code ns} (OCI distribution specification, "Registry Proxying"), so that one mirror can serve several
 * registries. In place of {@code override_path}, the path says where the API is: one with the segment {@code v2}, such as
 * {@code /v2/proxy-project} (Harbor) or {@code /v2/group/dependency_proxy/containers} (GitLab), is the root of the API
 * itself; after any other, {@code /v2/} follows.
 *
 * @param url its address, http or https, without user, query and fragment
 * @param resolves whether its answer counts for what a tag points to (in containerd, the capability to resolve). If not,
 *     it is only asked for content by digest
 */
public record Mirror(URI url, boolean resolves) {
    private static final String SEGMENT = "v2";

    /**
     * Creates a mirror.
     *
     * @throws IllegalArgumentException if it is not the address of a mirror
     */
    public Mirror {
        HttpUrl parsed = HttpUrl.get(url);
        if (parsed == null
                || url.getRawUserInfo() != null
                || url.getRawQuery() != null
                || url.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "a mirror is an http or https URL without user, password, query and fragment;"
                            + " configure its credentials as those of a registry");
        }
    }

    /**
     * Reads a mirror's address.
     *
     * @param url its URL
     * @return a mirror whose answers count for tags, too
     * @throws IllegalArgumentException if it is not the address of a mirror
     */
    public static Mirror of(String url) {
        return new Mirror(URI.create(url.strip()), true);
    }

    /**
     * Returns the same mirror, only for content by digest: what a tag points to is asked of the registry.
     *
     * @return the mirror
     */
    public Mirror forContentOnly() {
        return new Mirror(url, false);
    }

    private HttpUrl parsed() {
        return HttpUrl.get(url.toString());
    }

    /**
     * Returns its name as a host: credentials and options are looked up by it.
     *
     * @return {@code host[:port]}, in lower case
     */
    public String host() {
        return Addresses.authority(parsed()).toLowerCase(Locale.ROOT);
    }

    boolean isPlain() {
        return !parsed().isHttps();
    }

    /** The root of its API, a path that starts and ends with a slash. */
    String root() {
        HttpUrl parsed = parsed();
        String path = parsed.encodedPath().replaceFirst("/*$", "/");
        return parsed.pathSegments().contains(SEGMENT) ? path : path + SEGMENT + "/";
    }

    /** What comes before a repository's name there. */
    String prefix() {
        String root = root();
        return root.startsWith(RegistryClient.ROOT) ? root.substring(RegistryClient.ROOT.length()) : "";
    }

    /** The address. */
    @Override
    public String toString() {
        return url.toString();
    }
}
