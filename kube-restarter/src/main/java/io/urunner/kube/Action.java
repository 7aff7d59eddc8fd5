package io.urunner.kube;

import io.urunner.kube.KubeAccess.Permission;
import java.util.Optional;

/**
 * What a request is for.
 *
 * @param words for messages, for example {@code patch deployments in namespace shop (web)}
 * @param permission the permission that it needs, where that is one for objects
 */
record Action(String words, Optional<Permission> permission) {
    Action(String words) {
        this(words, Optional.empty());
    }

    static Action of(String verb, ApiResource resource, Optional<String> namespace, Optional<String> name) {
        return new Action(
                verb + " " + resource.plural()
                        + namespace.map(where -> " in namespace " + where).orElse("")
                        + name.map(which -> " (" + which + ")").orElse(""),
                Optional.of(new Permission(verb, resource.group(), resource.plural(), namespace, name)));
    }

    @Override
    public String toString() {
        return words;
    }
}
