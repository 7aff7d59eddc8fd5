package io.urunner.agent.app.cli;

import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.copy.ImageStore;
import io.urunner.registry.copy.Layouts;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * Where an image is, as users write it: a reference, or {@code KIND:PATH[:NAME]} for files.
 *
 * @param kind the kind of file; empty for a registry
 * @param path the file; empty for a registry
 * @param image the reference; empty for files
 * @param name the name in the store
 */
record ImageLocation(Optional<Kind> kind, Optional<Path> path, Optional<ImageReference> image, String name) {
    static final String FORM = "an image reference; or oci:FOLDER[:NAME], oci-archive:FILE[:NAME],"
            + " docker-archive:FILE[:NAME] for files.";

    /** The kinds of files. */
    enum Kind {
        OCI,
        OCI_ARCHIVE,
        DOCKER_ARCHIVE;

        private String prefix() {
            return toString().toLowerCase(Locale.ROOT).replace('_', '-') + ":";
        }
    }

    static ImageLocation parse(String text) {
        Optional<Kind> kind = Arrays.stream(Kind.values())
                .filter(each -> text.startsWith(each.prefix()))
                .findFirst();
        if (kind.isEmpty()) {
            ImageReference image = ImageReference.parse(text);
            return new ImageLocation(kind, Optional.empty(), Optional.of(image), image.tagOrDigest());
        }
        String rest = text.substring(kind.get().prefix().length());
        int colon = rest.indexOf(':');
        String path = colon < 0 ? rest : rest.substring(0, colon);
        if (path.isEmpty()) {
            throw new IllegalArgumentException(
                    "'" + text + "' names no file after " + kind.get().prefix());
        }
        try {
            return new ImageLocation(
                    kind, Optional.of(Path.of(path)), Optional.empty(), colon < 0 ? "" : rest.substring(colon + 1));
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("'" + path + "' is not a path: " + e.getReason(), e);
        }
    }

    /** The name that an image gets here: its tag, if the reference has one. */
    String targetName() {
        return image.flatMap(ImageReference::tag).orElse(name);
    }

    ImageStore toRead(RegistryClient client) throws IOException {
        return switch (kind.orElse(Kind.OCI)) {
            case OCI ->
                image.isPresent()
                        ? ImageStore.of(client, image.get().toRepository())
                        : Layouts.folder(path.orElseThrow());
            case OCI_ARCHIVE, DOCKER_ARCHIVE -> Layouts.readArchive(path.orElseThrow());
        };
    }

    /** The store to write to. */
    ImageStore toWrite(RegistryClient client) throws IOException {
        return switch (kind.orElse(Kind.OCI)) {
            case OCI -> toRead(client);
            case OCI_ARCHIVE -> Layouts.writeArchive(path.orElseThrow());
            case DOCKER_ARCHIVE -> Layouts.writeDockerArchive(path.orElseThrow());
        };
    }
}
