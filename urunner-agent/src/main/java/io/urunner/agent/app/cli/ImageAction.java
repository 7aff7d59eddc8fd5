package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.text.Remedies;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What the commands for images have in common: a client with credentials, and how failures are reported. */
abstract class ImageAction implements Callable<Integer> {
    final CommandContext context;

    @Mixin
    private final Output output = new Output();

    @Mixin
    private final Reach reach = new Reach();

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    /** What an entry or a manifest is, for JSON. */
    record Content(
            Digest digest, String mediaType, long size, Optional<String> platform, Optional<String> artifactType) {
        static Content of(Descriptor descriptor) {
            return new Content(
                    descriptor.digest(),
                    descriptor.mediaType(),
                    descriptor.size(),
                    descriptor.platform().map(Platform::toString),
                    descriptor.artifactType());
        }
    }

    ImageAction(CommandContext context) {
        this.context = context;
    }

    @Override
    public final Integer call() throws ConfigurationException, CommandException, InterruptedException {
        check();
        try (Reach.With with = reach.ifNamed(context);
                Wiring.Registries registries = context.wiring()
                        .registries(
                                settings.loadWithoutDefaultRegistry(with.context()),
                                with.context().environment())) {
            return run(registries.client());
        } catch (RegistryException | IOException e) {
            throw new CommandException(Remedies.of(e), ExitCode.HINDERED, e);
        }
    }

    /** Checks the command line before anything is done. */
    abstract void check();

    /** Does the work, and returns the exit code. */
    abstract int run(RegistryClient client)
            throws RegistryException, IOException, CommandException, InterruptedException;

    final Form form() {
        return output.form(context);
    }

    /** Prints a document for machines, or lines for people. */
    final void print(Record document, Iterable<String> lines) {
        if (form().structured()) {
            context.out().print(form().print(document));
        } else {
            lines.forEach(context.out()::println);
        }
    }

    /** Parses a word of the command line. */
    final <T> T parse(String text, Function<String, T> parser) {
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    final ParameterException wrong(String reason) {
        return new ParameterException(spec.commandLine(), reason);
    }

    final ImageReference image(String text) {
        return parse(text, ImageReference::parse);
    }
}
