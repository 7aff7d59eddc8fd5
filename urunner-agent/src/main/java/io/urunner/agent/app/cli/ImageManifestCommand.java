package io.urunner.agent.app.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Command;

@Command(name = "manifest", description = "Print the manifest or the index of an image, as the registry has it.")
final class ImageManifestCommand extends OneImageAction {
    private record Document(ImageReference reference, Digest digest, String mediaType, long size, JsonNode manifest) {}

    ImageManifestCommand(CommandContext context) {
        super(context);
    }

    @Override
    int run(RegistryClient client, ImageReference image) throws RegistryException, InterruptedException {
        ManifestOrIndex content = content(client, image);
        String text = new String(content.content(), StandardCharsets.UTF_8);
        if (form().structured()) {
            context.out()
                    .print(form().print(new Document(
                            image,
                            content.digest(),
                            content.mediaType(),
                            content.descriptor().size(),
                            Json.parse(text))));
        } else {
            context.out().print(text.endsWith("\n") ? text : text + "\n");
        }
        return ExitCode.OK;
    }
}
