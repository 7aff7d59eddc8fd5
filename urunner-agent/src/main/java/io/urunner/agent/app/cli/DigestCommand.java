package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.text.Remedies;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "digest",
        description = {
            "Print the current digests of images' tags: for each a line with reference, digest and media type.",
            "Credentials come from the configuration; for other registries from docker login or podman login. Those of an"
                    + " agent in a cluster are used only with --agent-namespace."
        })
final class DigestCommand implements Callable<Integer> {
    private record Document(List<Image> images) {}

    private record Image(
            ImageReference reference, Optional<Digest> digest, Optional<String> mediaType, Optional<String> problem) {}

    private final CommandContext context;

    @Mixin
    private final Output output = new Output();

    @Mixin
    private final Reach reach = new Reach();

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "Image references, for example nginx:latest.")
    private List<String> images = List.of();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    DigestCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws ConfigurationException, CommandException, InterruptedException {
        List<ImageReference> references = new ArrayList<>();
        for (String image : images) {
            try {
                references.add(ImageReference.parse(image));
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
            }
        }
        int code = ExitCode.OK;
        Form form = output.form(context);
        List<Image> resolved = new ArrayList<>();
        try (Reach.With with = reach.ifNamed(context);
                Wiring.Registries registries = context.wiring()
                        .registries(
                                settings.loadWithoutDefaultRegistry(with.context()),
                                with.context().environment())) {
            for (ImageReference reference : references) {
                try {
                    Descriptor found = registries.client().resolve(reference);
                    resolved.add(new Image(
                            reference, Optional.of(found.digest()), Optional.of(found.mediaType()), Optional.empty()));
                    if (!form.structured()) {
                        context.out().println(reference + " " + found.digest() + " " + found.mediaType());
                        context.out().flush();
                    }
                } catch (RegistryException e) {
                    resolved.add(new Image(reference, Optional.empty(), Optional.empty(), Optional.of(Remedies.of(e))));
                    context.err().println("urunner: " + Remedies.of(e));
                    code = ExitCode.HINDERED;
                }
            }
        }
        if (form.structured()) {
            context.out().print(form.print(new Document(resolved)));
        }
        return code;
    }
}
