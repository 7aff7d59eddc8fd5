package io.urunner.registry.dockerconfig;

import io.urunner.registry.auth.Credential;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A Kubernetes Secret with credentials for registries, of the type {@code kubernetes.io/dockerconfigjson} or the older
 * {@code kubernetes.io/dockercfg}. Immutable; it never prints its content.
 */
public final class PullSecret {
    private static final String CONFIG_TYPE = "kubernetes.io/dockerconfigjson";
    private static final String CONFIG_KEY = ".dockerconfigjson";
    private static final String LEGACY_TYPE = "kubernetes.io/dockercfg";
    private static final String LEGACY_KEY = ".dockercfg";

    /** Of a secret with very many wrong entries, the first ones say enough. */
    private static final int MOST_PROBLEMS = 10;

    private final String name;
    private final Map<String, Credential> entries;
    private final List<String> problems;

    private PullSecret(String name, Map<String, Credential> entries, List<String> problems) {
        this.name = name;
        this.entries = entries;
        this.problems = List.copyOf(problems);
    }

    /**
     * Reads a Secret. What cannot be read in it is a {@linkplain #problems() problem}. An entry that cannot be read
     * makes the kubelet refuse the whole Secret; here the others are used all the same, because whoever repairs the
     * entry is helped more by a digest than by a second error.
     *
     * @param name the Secret's name, for messages
     * @param type its {@code type}
     * @param data its {@code data}, decoded from base64
     * @return the pull secret
     */
    public static PullSecret parse(String name, String type, Map<String, byte[]> data) {
        var entries = new LinkedHashMap<String, Credential>();
        var problems = new ArrayList<String>();
        String key = keyOf(type);
        byte[] content = data.getOrDefault(key, new byte[0]);
        if (key.isEmpty()) {
            problems.add("the secret " + name + " is not a pull secret: its type is " + type + ", not " + CONFIG_TYPE);
        } else if (content.length == 0) {
            problems.add("the pull secret " + name + " has no " + key);
        } else {
            try {
                ConfigJson json =
                        key.equals(CONFIG_KEY) ? ConfigJson.withoutHelpers(content) : ConfigJson.legacy(content);
                for (Map.Entry<String, Entry> each : json.auths.entrySet()) {
                    read(name, each.getKey(), each.getValue(), entries, problems);
                }
            } catch (IllegalArgumentException e) {
                problems.add("the pull secret " + name + " cannot be read: " + e.getMessage());
            }
        }
        return new PullSecret(name, entries, problems);
    }

    /** Reads an entry; one that cannot be read is a problem, and the others are used all the same. */
    private static void read(
            String name, String registry, Entry entry, Map<String, Credential> entries, List<String> problems) {
        try {
            entries.put(registry, entry.kubelet().orElseGet(Credential.Anonymous::new));
        } catch (IllegalArgumentException e) {
            if (problems.size() < MOST_PROBLEMS) {
                problems.add("the pull secret " + name + " cannot be read for " + PullSecretKey.shown(registry) + ": "
                        + e.getMessage());
            }
        }
    }

    private static String keyOf(String type) {
        return switch (type) {
            case CONFIG_TYPE -> CONFIG_KEY;
            case LEGACY_TYPE -> LEGACY_KEY;
            default -> "";
        };
    }

    /**
     * Returns the Secret's name.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * Returns why this Secret, or an entry of it, cannot be used.
     *
     * @return sentences for people, without a secret; empty if there are no problems
     */
    public List<String> problems() {
        return problems;
    }

    /** The credentials by key as written; an entry without user and password is also tried, anonymously. */
    Map<String, Credential> entries() {
        return entries;
    }

    @Override
    public String toString() {
        return "pull secret " + name;
    }
}
