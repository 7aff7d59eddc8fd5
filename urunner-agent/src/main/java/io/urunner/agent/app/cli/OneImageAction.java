package io.urunner.agent.app.cli;

import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command that looks at one image in a registry, or at that of one platform in an index. */
abstract class OneImageAction extends ImageAction {
    @Option(
            names = "--platform",
            paramLabel = "OS/ARCH",
            description = "The image of this platform in an index, for example linux/arm64 or linux/arm/v7.")
    private @Nullable String platform;

    @Parameters(paramLabel = "IMAGE", description = "An image reference, for example nginx:latest.")
    private String name = "";

    OneImageAction(CommandContext context) {
        super(context);
    }

    @Override
    final void check() {
        image(name);
        platform();
    }

    private Optional<Platform> platform() {
        return Optional.ofNullable(platform).map(text -> parse(text, Platform::parse));
    }

    @Override
    final int run(RegistryClient client) throws RegistryException, IOException, CommandException, InterruptedException {
        return run(client, image(name));
    }

    /**
     * Does the work, and returns the exit code.
     *
     * @param image the image as it was named
     */
    abstract int run(RegistryClient client, ImageReference image)
            throws RegistryException, IOException, CommandException, InterruptedException;

    /** What an image is, or that of the chosen platform. */
    final Descriptor descriptor(RegistryClient client, ImageReference image)
            throws RegistryException, InterruptedException {
        return platform().isEmpty()
                ? client.resolve(image)
                : content(client, image).descriptor();
    }

    /** The manifest or index of an image, or the manifest of the chosen platform. */
    final ManifestOrIndex content(RegistryClient client, ImageReference image)
            throws RegistryException, InterruptedException {
        Optional<Platform> chosen = platform();
        return chosen.isEmpty() ? client.manifest(image) : client.manifest(image, chosen.get());
    }
}
