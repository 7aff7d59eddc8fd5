package io.urunner.agent.app.cli;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "digest", description = "Print the digest that an image has now.")
final class ImageDigestCommand extends ImageAction {
    private record Document(ImageReference reference, Digest digest, String mediaType, long size) {}

    @Mixin
    private final PlatformOption platform = new PlatformOption();

    @Parameters(paramLabel = "IMAGE", description = "An image reference, for example nginx:latest.")
    private String name = "";

    ImageDigestCommand(CommandContext context) {
        super(context);
    }

    @Override
    void check() {
        image(name);
        platform.of(this);
    }

    @Override
    int run(RegistryClient client) throws RegistryException, InterruptedException {
        ImageReference image = image(name);
        Descriptor found = client.resolve(on(client, image, platform.of(this)));
        print(
                new Document(image, found.digest(), found.mediaType(), found.size()),
                List.of(found.digest().toString()));
        return ExitCode.OK;
    }
}
