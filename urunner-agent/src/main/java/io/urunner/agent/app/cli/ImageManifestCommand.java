package io.urunner.agent.app.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "manifest", description = "Print the manifest or the index of an image, as the registry has it.")
final class ImageManifestCommand extends ImageAction {
    private record Document(ImageReference reference, Digest digest, String mediaType, long size, JsonNode manifest) {}

    @Mixin
    private final PlatformOption platform = new PlatformOption();

    @Parameters(paramLabel = "IMAGE", description = "An image reference, for example nginx:latest.")
    private String name = "";

    ImageManifestCommand(CommandContext context) {
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
        ManifestOrIndex content = client.manifest(on(client, image, platform.of(this)));
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
