package io.urunner.agent.app.cli;

import io.urunner.agent.text.Remedies;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.Platform;
import io.urunner.registry.ProtocolViolationException;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.Repository;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Command;

@Command(name = "tree", description = "Show what belongs to an image: platforms, layers, and what refers to them.")
final class ImageTreeCommand extends OneImageAction {
    /** How deep and how large a tree may be; an image has less. */
    private static final int DEEPEST = 8;

    private static final int MOST = 2_000;

    private static final int MOST_LINES = 20_000;

    /** A registry that does not answer, or denies access, is not asked for the rest. */
    private static final int MOST_FAILURES = 3;

    private record Document(ImageReference reference, boolean complete, Part image) {}

    private record Part(
            String role,
            Digest digest,
            String mediaType,
            long size,
            Optional<String> platform,
            Optional<String> artifactType,
            boolean repeated,
            Optional<String> problem,
            List<Part> parts) {}

    /** What was read: if it is met again, it refers to itself, or several share it. */
    private final Set<Digest> seen = new HashSet<>();

    private int levels;
    private int read;
    private int shown;
    private int failures;
    private boolean complete = true;

    ImageTreeCommand(CommandContext context) {
        super(context);
    }

    @Override
    int run(RegistryClient client, ImageReference image) throws RegistryException, InterruptedException {
        ManifestOrIndex content = content(client, image);
        Part root = part(client, image.toRepository(), "image", content.descriptor(), Optional.of(content));
        List<String> lines = new ArrayList<>(List.of(image.toString()));
        draw(root, "", lines);
        print(new Document(image, complete, root), lines);
        if (!complete) {
            context.err().println("urunner: the tree is incomplete; its lines with '!' say why");
        }
        return complete ? ExitCode.OK : ExitCode.HINDERED;
    }

    /** A manifest and all below it; what cannot be read is a line that says why, beside the rest. */
    private Part part(
            RegistryClient client,
            Repository repository,
            String role,
            Descriptor entry,
            Optional<ManifestOrIndex> known)
            throws InterruptedException {
        Digest digest = entry.digest();
        if (seen.contains(digest)) {
            return end(role, entry, true, Optional.empty());
        }
        List<Part> parts = new ArrayList<>();
        Descriptor its = entry;
        Optional<String> type = Optional.empty();
        Optional<String> problem = Optional.empty();
        try {
            levels++;
            if (++read > MOST || levels > DEEPEST || failures == MOST_FAILURES) {
                problem = Optional.of(
                        failures == MOST_FAILURES
                                ? "not read after " + MOST_FAILURES + " failures of the registry"
                                : "not read: more than " + MOST + " manifests or " + DEEPEST + " levels");
            } else {
                seen.add(digest);
                ManifestOrIndex content = known.isPresent() ? known.get() : client.manifest(repository.digest(digest));
                its = content.descriptor();
                type = role.equals("referrer") ? content.artifactType() : type;
                below(client, repository, content, parts);
                if (shown <= MOST_LINES) {
                    for (Descriptor each : client.referrers(repository, digest, Optional.empty())
                            .all()) {
                        if (isFull(parts, "referrer", each)) {
                            break;
                        }
                        parts.add(part(client, repository, "referrer", each, Optional.empty()));
                    }
                }
            }
        } catch (RegistryException e) {
            problem = Optional.of(Remedies.of(e));
            failures += e instanceof NotFoundException || e instanceof ProtocolViolationException ? 0 : 1;
        } finally {
            levels--;
        }
        complete &= problem.isEmpty();
        return new Part(role, digest, its.mediaType(), its.size(), platform(entry), type, false, problem, parts);
    }

    private void below(RegistryClient client, Repository repository, ManifestOrIndex content, List<Part> parts)
            throws InterruptedException {
        boolean first = true;
        for (Descriptor each : content.parts()) {
            boolean reads = !(content instanceof Manifest) && MediaType.MANIFESTS.contains(each.mediaType());
            String role = "entry";
            if (content instanceof Manifest) {
                role = first ? "config" : "layer";
            } else if (reads) {
                role = each.isAttestation() ? "attestation" : "image";
            }
            if (isFull(parts, role, each)) {
                return;
            }
            parts.add(
                    reads
                            ? part(client, repository, role, each, Optional.empty())
                            : end(role, each, false, Optional.empty()));
            first = false;
        }
    }

    /** Whether there is no room for another part. The first one without room is a line that says so. */
    private boolean isFull(List<Part> parts, String role, Descriptor next) {
        if (++shown == MOST_LINES + 1) {
            complete = false;
            String problem = "not shown, like all that follows: more than " + MOST_LINES + " lines";
            parts.add(end(role, next, false, Optional.of(problem)));
        }
        return shown > MOST_LINES;
    }

    private static Optional<String> platform(Descriptor entry) {
        return entry.platform().map(Platform::toString);
    }

    /** A part below which nothing is shown. */
    private static Part end(String role, Descriptor entry, boolean repeated, Optional<String> problem) {
        return new Part(
                role,
                entry.digest(),
                entry.mediaType(),
                entry.size(),
                repeated ? platform(entry) : Optional.empty(),
                Optional.empty(),
                repeated,
                problem,
                List.of());
    }

    private void draw(Part part, String indent, List<String> lines) {
        String digest = part.digest().toString();
        lines.add(indent + part.role() + " "
                + (form().wide() ? digest : digest.substring(0, Math.min(19, digest.length())))
                + " " + CopyProgress.size(part.size())
                + part.platform().map(platform -> " " + platform).orElse("")
                + part.artifactType().map(type -> " " + type).orElse("")
                + (form().wide() ? " " + part.mediaType() : "")
                + (part.repeated() ? " (see above)" : "")
                + part.problem().map(problem -> " ! " + problem).orElse(""));
        part.parts().forEach(each -> draw(each, indent + "  ", lines));
    }
}
