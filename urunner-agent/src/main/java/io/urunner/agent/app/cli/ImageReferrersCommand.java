package io.urunner.agent.app.cli;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "referrers", description = "List what refers to an image, such as signatures and SBOMs.")
final class ImageReferrersCommand extends OneImageAction {
    private record Document(ImageReference reference, Digest digest, List<Content> referrers) {}

    @Option(names = "--type", paramLabel = "TYPE", description = "Only artifacts of this type.")
    private @Nullable String type;

    ImageReferrersCommand(CommandContext context) {
        super(context);
    }

    @Override
    int run(RegistryClient client, ImageReference image) throws RegistryException, InterruptedException {
        Digest digest = descriptor(client, image).digest();
        List<Descriptor> referrers = client.referrers(image.toRepository(), digest, Optional.ofNullable(type))
                .all();
        if (form().structured()) {
            List<Content> contents = referrers.stream().map(Content::of).toList();
            context.out().print(form().print(new Document(image, digest, contents)));
        } else if (referrers.isEmpty()) {
            context.err().println("urunner: nothing refers to " + digest);
        } else {
            // No table: a digest that is broken into two lines cannot be copied.
            referrers.forEach(each -> context.out()
                    .println(each.digest() + "  " + CopyProgress.size(each.size()) + "  "
                            + each.artifactType().orElse(each.mediaType())));
        }
        return ExitCode.OK;
    }
}
