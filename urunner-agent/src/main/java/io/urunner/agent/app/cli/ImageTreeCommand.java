package io.urunner.agent.app.cli;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.Repository;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;

@Command(name = "tree", description = "Show what belongs to an image: platforms, layers, and what refers to them.")
final class ImageTreeCommand extends OneImageAction {
    /** How deep and how large a tree may be; an image has less. */
    private static final int DEEPEST = 8;

    private static final int MOST = 2_000;

    private record Document(ImageReference reference, Part image) {}

    private record Part(
            String role,
            Digest digest,
            String mediaType,
            long size,
            Optional<String> platform,
            Optional<String> artifactType,
            List<Part> parts) {}

    private int read;

    ImageTreeCommand(CommandContext context) {
        super(context);
    }

    @Override
    int run(RegistryClient client, ImageReference image)
            throws RegistryException, CommandException, InterruptedException {
        ManifestOrIndex content = content(client, image);
        Part root = part(client, image.toRepository(), "image", content.descriptor(), content, 1);
        List<String> lines = new ArrayList<>(List.of(image.toString()));
        draw(root, "", lines);
        print(new Document(image, root), lines);
        return ExitCode.OK;
    }

    private Part part(
            RegistryClient client,
            Repository repository,
            String role,
            Descriptor entry,
            ManifestOrIndex content,
            int depth)
            throws RegistryException, CommandException, InterruptedException {
        if (++read > MOST || depth > DEEPEST) {
            throw new CommandException(
                    "the image has more than " + MOST + " manifests or " + DEEPEST + " levels", ExitCode.HINDERED);
        }
        List<Part> parts = new ArrayList<>();
        if (content instanceof Index index) {
            for (Descriptor each : index.manifests()) {
                parts.add(
                        MediaType.MANIFESTS.contains(each.mediaType())
                                ? below(client, repository, each.isAttestation() ? "attestation" : "image", each, depth)
                                : leaf("entry", each));
            }
        } else if (content instanceof Manifest manifest) {
            parts.add(leaf("config", manifest.config()));
            manifest.layers().forEach(layer -> parts.add(leaf("layer", layer)));
        }
        for (Descriptor each :
                client.referrers(repository, entry.digest(), Optional.empty()).all()) {
            parts.add(below(client, repository, "referrer", each, depth));
        }
        return new Part(
                role,
                entry.digest(),
                content.mediaType(),
                content.descriptor().size(),
                entry.platform().map(Platform::toString),
                role.equals("referrer") ? content.artifactType() : Optional.empty(),
                parts);
    }

    private Part below(RegistryClient client, Repository repository, String role, Descriptor entry, int depth)
            throws RegistryException, CommandException, InterruptedException {
        ManifestOrIndex content = client.manifest(repository.digest(entry.digest()));
        return part(client, repository, role, entry, content, depth + 1);
    }

    private static Part leaf(String role, Descriptor entry) {
        return new Part(
                role, entry.digest(), entry.mediaType(), entry.size(), Optional.empty(), Optional.empty(), List.of());
    }

    private void draw(Part part, String indent, List<String> lines) {
        String digest = part.digest().toString();
        lines.add(indent + part.role() + " "
                + (form().wide() ? digest : digest.substring(0, Math.min(19, digest.length())))
                + " " + CopyProgress.size(part.size())
                + part.platform().map(platform -> " " + platform).orElse("")
                + part.artifactType().map(type -> " " + type).orElse("")
                + (form().wide() ? " " + part.mediaType() : ""));
        part.parts().forEach(each -> draw(each, indent + "  ", lines));
    }
}
