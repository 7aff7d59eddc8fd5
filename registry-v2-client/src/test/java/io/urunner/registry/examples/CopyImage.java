package io.urunner.registry.examples;

import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.Repository;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;

/** Copies an image with all its platforms: {@code CopyImage nginx:1.27 registry.example/mirror/nginx:1.27}. */
final class CopyImage {
    private CopyImage() {}

    public static void main(String... arguments) throws RegistryException, IOException, InterruptedException {
        ImageReference from = ImageReference.parse(arguments[0]);
        ImageReference to = ImageReference.parse(arguments[1]);
        try (RegistryClient client = RegistryClient.builder().build()) {
            Descriptor copied = copy(client, from, to);
            System.out.println("copied " + copied.digest() + " to " + to);
        }
    }

    /** What a manifest refers to must exist first: blobs, then manifests, then the index, then the tag. */
    private static Descriptor copy(RegistryClient client, ImageReference from, ImageReference to)
            throws RegistryException, IOException, InterruptedException {
        ManifestOrIndex content = client.manifest(from);
        if (content instanceof Manifest manifest) {
            var blobs = new ArrayList<>(manifest.layers());
            blobs.add(manifest.config());
            for (Descriptor blob : blobs) {
                copyBlob(client, from.toRepository(), to.toRepository(), blob);
            }
        } else if (content instanceof Index index) {
            for (Descriptor entry : index.manifests()) {
                copy(
                        client,
                        from.toRepository().digest(entry.digest()),
                        to.toRepository().digest(entry.digest()));
            }
        }
        return client.pushManifest(to, content);
    }

    private static void copyBlob(RegistryClient client, Repository from, Repository to, Descriptor blob)
            throws RegistryException, IOException, InterruptedException {
        if (client.hasBlob(to, blob.digest())) {
            return;
        }
        Path file = Files.createTempFile("blob", "");
        try (InputStream content = client.blob(from, blob)) {
            Files.copy(content, file, StandardCopyOption.REPLACE_EXISTING);
            client.pushBlob(to, blob, () -> Files.newInputStream(file));
        } finally {
            Files.delete(file);
        }
    }
}
