package io.urunner.kube;

import java.util.Optional;

/**
 * What keeps a watch from seeing something now. It goes away by itself when the cause does.
 *
 * @param resource what cannot be seen, for example {@code pods}; empty if the API server as a whole cannot be,
 *     because it is away or takes no credential of ours
 * @param namespace where; empty for the namespaces themselves
 * @param permission whether a permission is missing; else the API server cannot be reached or refuses otherwise
 * @param message the problem in words, for example {@code may not list pods in namespace shop: …}
 */
public record WatchProblem(String resource, Optional<String> namespace, boolean permission, String message) {}
