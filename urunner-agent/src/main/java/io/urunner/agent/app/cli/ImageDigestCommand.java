package io.urunner.agent.app.cli;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.util.List;
import picocli.CommandLine.Command;

@Command(name = "digest", description = "Print the digest that an image has now.")
final class ImageDigestCommand extends OneImageAction {
    private record Document(ImageReference reference, Digest digest, String mediaType, long size) {}

    ImageDigestCommand(CommandContext context) {
        super(context);
    }

    @Override
    int run(RegistryClient client, ImageReference image) throws RegistryException, InterruptedException {
        Descriptor found = descriptor(client, image);
        print(
                new Document(image, found.digest(), found.mediaType(), found.size()),
                List.of(found.digest().toString()));
        return ExitCode.OK;
    }
}
