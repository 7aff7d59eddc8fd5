package io.urunner.kube;

import io.urunner.kube.KubeAccess.Permission;
import java.util.Optional;

/**
 * What keeps a watch from seeing something now. It goes away by itself when its cause does.
 *
 * @param resource what cannot be seen, for example {@code pods}; empty if nothing can, because the API server cannot be
 *     reached or does not accept the credential
 * @param namespace where; empty for the namespaces themselves
 * @param missing the permission that is missing; empty if the API server cannot be reached, or refuses for another reason
 * @param message the problem in words, for example {@code not allowed to list pods in namespace shop: …}
 */
public record WatchProblem(String resource, Optional<String> namespace, Optional<Permission> missing, String message) {}
