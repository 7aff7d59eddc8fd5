package io.urunner.agent.app.cli;

import io.urunner.registry.Platform;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Chooses the image of one platform. */
final class PlatformOption {
    @Option(
            names = "--platform",
            paramLabel = "OS/ARCH",
            description = "The image of this platform in an index, for example linux/arm64 or linux/arm/v7.")
    private @Nullable String platform;

    Optional<Platform> of(ImageAction action) {
        return Optional.ofNullable(platform).map(text -> action.parse(text, Platform::parse));
    }
}
