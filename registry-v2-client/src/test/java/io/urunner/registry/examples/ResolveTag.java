package io.urunner.registry.examples;

import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;

/** Prints what images resolve to now: {@code ResolveTag nginx ghcr.io/team/app:v1}. */
final class ResolveTag {
    private ResolveTag() {}

    public static void main(String... images) throws InterruptedException {
        try (RegistryClient client = RegistryClient.builder().build()) {
            for (String image : images) {
                try {
                    var descriptor = client.resolve(ImageReference.parse(image));
                    System.out.println(image + " is " + descriptor.digest());
                } catch (RegistryException e) {
                    System.out.println(e.getMessage() + (e.isTransient() ? " (try again later)" : ""));
                }
            }
        }
    }
}
