package io.urunner.registry.examples;

import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.copy.Copy;
import io.urunner.registry.copy.CopyResult;
import java.io.IOException;

/** Copies an image with all its platforms: {@code CopyImage nginx:1.27 registry.example/mirror/nginx:1.27}. */
final class CopyImage {
    private CopyImage() {}

    public static void main(String... arguments) throws RegistryException, IOException, InterruptedException {
        ImageReference from = ImageReference.parse(arguments[0]);
        ImageReference to = ImageReference.parse(arguments[1]);
        try (RegistryClient client = RegistryClient.builder().build()) {
            CopyResult copied = Copy.from(client, from).to(client, to).run();
            System.out.println("copied " + copied.image().digest() + " to " + to);
        }
    }
}
