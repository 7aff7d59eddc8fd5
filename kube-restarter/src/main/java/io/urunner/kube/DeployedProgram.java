package io.urunner.kube;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A Deployment that runs a program in one container, and where that gets its settings. Immutable.
 *
 * @param namespace its namespace
 * @param name its name
 * @param labels the labels that select its pods
 * @param variables where its environment variables come from, in order: later ones win
 * @param mounts the files that it gets from Secrets and ConfigMaps
 * @param port the port of its container that is named {@code http}, if there is one
 * @param serviceAccount the account that it uses
 */
public record DeployedProgram(
        String namespace,
        String name,
        Map<String, String> labels,
        List<Variables> variables,
        List<Mount> mounts,
        Optional<Integer> port,
        KubeAccess.Account serviceAccount) {
    public DeployedProgram {
        labels = Map.copyOf(labels);
        variables = List.copyOf(variables);
        mounts = List.copyOf(mounts);
    }

    /** What holds settings. */
    public enum Kind {
        /** A Secret. */
        SECRET,
        /** A ConfigMap. */
        CONFIG_MAP
    }

    /**
     * A Secret or ConfigMap in the namespace of the program.
     *
     * @param kind which of the two
     * @param name its name
     * @param optional whether the program can do without it
     */
    public record Source(Kind kind, String name, boolean optional) {}

    /** Environment variables. */
    public sealed interface Variables {}

    /**
     * A variable with a literal value.
     *
     * @param name its name
     * @param value its value
     */
    public record Written(String name, String value) implements Variables {}

    /**
     * A variable from a key.
     *
     * @param name its name
     * @param source where the key is
     * @param key the key
     */
    public record FromKey(String name, Source source, String key) implements Variables {}

    /**
     * A variable for each key.
     *
     * @param source where the keys are
     * @param prefix the prefix of their names
     */
    public record FromAll(Source source, String prefix) implements Variables {}

    /**
     * Files, one for each key.
     *
     * @param folder where they are
     * @param source where the keys are
     */
    public record Mount(String folder, Source source) {}
}
