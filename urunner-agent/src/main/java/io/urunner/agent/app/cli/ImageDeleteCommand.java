package io.urunner.agent.app.cli;

import io.urunner.agent.text.Remedies;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "delete",
        description = {
            "Delete tags, or manifests by digest with every tag that points to them.",
            "Without --yes nothing is deleted; the command only prints what it would delete."
        })
final class ImageDeleteCommand extends ImageAction {
    private record Document(List<Item> images) {}

    private record Item(ImageReference reference, Optional<Digest> digest, boolean deleted, Optional<String> problem) {}

    @Parameters(
            arity = "1..*",
            paramLabel = "IMAGE",
            description = "Image references with a tag or a digest, for example registry.example/app:old.")
    private List<String> names = List.of();

    @Option(names = "--yes", description = "Delete, instead of only printing what would be deleted.")
    private boolean yes;

    ImageDeleteCommand(CommandContext context) {
        super(context);
    }

    @Override
    void check() {
        for (String name : names) {
            ImageReference image = image(name);
            boolean named = image.digest().isPresent() || name.lastIndexOf(':') > name.lastIndexOf('/');
            if (!named) {
                throw wrong(
                        "'" + name + "' names neither a tag nor a digest; write " + name + ":latest if that is meant");
            }
        }
    }

    @Override
    int run(RegistryClient client) throws CommandException, InterruptedException {
        int code = ExitCode.OK;
        List<Item> items = new ArrayList<>();
        for (String name : names) {
            ImageReference image = image(name);
            Optional<Digest> digest = Optional.empty();
            Optional<String> problem = Optional.empty();
            try {
                // Not by `resolve`: a mirror is not where it is deleted.
                digest = client.find(image).map(Descriptor::digest);
                if (digest.isEmpty()) {
                    problem = Optional.of("there is no " + image + ", or the credentials do not show it");
                } else if (yes) {
                    delete(client, image);
                }
            } catch (RegistryException e) {
                problem = Optional.of(Remedies.of(e));
            }
            if (problem.isPresent()) {
                code = ExitCode.HINDERED;
                context.err().println("urunner: " + problem.get());
            } else if (!form().structured()) {
                context.out().println((yes ? "deleted " : "would delete ") + image + " " + digest.get());
            }
            items.add(new Item(image, digest, yes && problem.isEmpty(), problem));
        }
        if (form().structured()) {
            context.out().print(form().print(new Document(items)));
        }
        if (!yes) {
            throw new CommandException("nothing was deleted; add --yes to delete", ExitCode.WRONG_CONFIGURATION);
        }
        return code;
    }

    private static void delete(RegistryClient client, ImageReference image)
            throws RegistryException, InterruptedException {
        if (image.digest().isPresent()) {
            client.deleteManifest(image.toRepository(), image.digest().get());
        } else {
            client.deleteTag(image.toRepository(), image.tagOrDigest());
        }
    }
}
