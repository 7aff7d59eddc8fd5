package io.urunner.kube;

import java.util.Collection;

/**
 * Identifies a workload.
 *
 * @param namespace its namespace
 * @param kind its kind
 * @param name its name
 */
public record WorkloadId(String namespace, WorkloadKind kind, String name) implements Comparable<WorkloadId> {
    /**
     * Reads {@code NAMESPACE/KIND/NAME}, for example {@code shop/Deployment/web}.
     *
     * @param text the text
     * @return the id
     * @throws IllegalArgumentException if the text is malformed; the message says how to write it
     */
    public static WorkloadId parse(String text) {
        return parse(text, WorkloadKind.BUILT_IN);
    }

    /**
     * Reads {@code NAMESPACE/KIND/NAME}.
     *
     * @param text the text
     * @param kinds the kinds that it may name
     * @return the id
     * @throws IllegalArgumentException if the text is malformed; the message says how to write it
     */
    public static WorkloadId parse(String text, Collection<WorkloadKind> kinds) {
        String[] parts = text.split("/", -1);
        if (parts.length != 3 || parts[0].isEmpty() || parts[2].isEmpty()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a workload: write NAMESPACE/KIND/NAME, for example shop/Deployment/web");
        }
        return new WorkloadId(parts[0], WorkloadKind.parse(parts[1], kinds), parts[2]);
    }

    @Override
    public int compareTo(WorkloadId that) {
        return toString().compareTo(that.toString());
    }

    /** {@code NAMESPACE/KIND/NAME}. */
    @Override
    public String toString() {
        return namespace + "/" + kind.kind() + "/" + name;
    }
}
