package io.urunner.agent.plan;

import io.urunner.kube.Container;

/** Why a container still runs the old image after a restart, and what helps. */
final class StillOld {
    private StillOld() {}

    static String causeAndRemedy(Container container) {
        if (container.image().indexOf('@') >= 0) {
            return "its image names the digest, so the runtime reports another digest of the same content;"
                    + " compare the image on a node with the registry's";
        }
        return switch (container.pullPolicy()) {
            case "Always" ->
                "the runtime reports another digest of the same content, or the nodes pull through a mirror that is behind;"
                        + " compare the image on a node with the registry's";
            case "Never" ->
                "imagePullPolicy is Never, so the nodes run what was loaded onto them;"
                        + " load the new image there, or set imagePullPolicy: Always";
            default ->
                "imagePullPolicy is " + container.pullPolicy() + ", so nodes that have the tag do not pull it again;"
                        + " set imagePullPolicy: Always, or annotate the workload with urunner.io/if-not-always: pin";
        };
    }
}
