package io.urunner.kube;

/**
 * A container of a pod template.
 *
 * @param name its name, unique among the containers and init containers of the template
 * @param image its image, as written
 * @param pullPolicy {@code Always}, {@code IfNotPresent} or {@code Never}, with the default that the API server fills in
 * @param init whether it is an init container
 */
public record Container(String name, String image, String pullPolicy, boolean init) {}
