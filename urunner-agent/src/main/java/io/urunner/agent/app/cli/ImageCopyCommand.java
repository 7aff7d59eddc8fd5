package io.urunner.agent.app.cli;

import io.urunner.agent.app.cli.ImageLocation.Kind;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.copy.Copy;
import io.urunner.registry.copy.CopyResult;
import io.urunner.registry.copy.CopyResult.Outcome;
import io.urunner.registry.copy.ImageStore;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "copy",
        description = {
            "Copy an image with all platforms, between registries and files.",
            "What a registry or folder has is not transferred: to continue an interrupted copy, run it again."
        })
final class ImageCopyCommand extends ImageAction {
    private record Document(
            String from, String to, Digest digest, boolean dryRun, long transferredBytes, List<Item> items) {}

    private record Item(Digest digest, String mediaType, long size, String outcome) {}

    @Parameters(index = "0", paramLabel = "FROM", description = "The image: " + ImageLocation.FORM)
    private String from = "";

    @Parameters(index = "1", paramLabel = "TO", description = "Where to copy it, in one of the same forms.")
    private String to = "";

    @Option(
            names = "--platform",
            split = ",",
            paramLabel = "OS/ARCH",
            description = "Only this platform, without the index. Of several, separated by commas, an index of these is"
                    + " written, which has another digest.")
    private List<String> platforms = List.of();

    @Option(names = "--referrers", description = "Also copy what refers to the image: signatures, SBOMs.")
    private boolean referrers;

    @Option(names = "--digest-tags", description = "Also copy tags made of its digests, such as cosign's.")
    private boolean digestTags;

    @Option(names = "--dry-run", description = "Print what would be copied, and write nothing.")
    private boolean dryRun;

    @Option(
            names = "--jobs",
            paramLabel = "NUMBER",
            defaultValue = "4",
            description = "How many blobs to copy at a time, 1 to 32; the default is ${DEFAULT-VALUE}.")
    private int jobs = 4;

    ImageCopyCommand(CommandContext context) {
        super(context);
    }

    @Override
    void check() {
        parse(from, ImageLocation::parse);
        parse(to, ImageLocation::parse);
        platforms.forEach(platform -> parse(platform, Platform::parse));
        if (jobs < 1 || jobs > 32) {
            throw wrong("--jobs: " + jobs + " is not between 1 and 32");
        }
    }

    @Override
    int run(RegistryClient client) throws RegistryException, IOException, CommandException, InterruptedException {
        ImageLocation source = ImageLocation.parse(from);
        ImageLocation target = ImageLocation.parse(to);
        CopyProgress progress = new CopyProgress(context.wiring().terminal(), context.err(), form(), dryRun);
        ExecutorService threads = Executors.newFixedThreadPool(jobs, task -> new Thread(task, "urunner-copy"));
        Thread stop = interruptWhenAsked(Thread.currentThread());
        CopyResult result;
        try (ImageStore reading = source.toRead(client);
                ImageStore writing = target.toWrite(client)) {
            if (target.kind().equals(Optional.of(Kind.DOCKER_ARCHIVE)) && isOfSeveral(reading, source)) {
                throw new CommandException(
                        "docker load reads only images of one platform; choose a platform: --platform OS/ARCH",
                        ExitCode.HINDERED);
            }
            Copy.Builder copy = Copy.from(reading, source.name())
                    .platforms(platforms.stream().map(Platform::parse).toList())
                    .executor(threads, jobs)
                    .listener(progress);
            if (referrers) {
                copy.referrers();
            }
            if (digestTags) {
                copy.digestTags();
            }
            if (dryRun) {
                copy.dryRun();
            }
            result = copy.to(writing, target.targetName()).run();
        } finally {
            stop.interrupt();
            threads.shutdownNow();
            progress.end();
        }
        print(document(result), List.of(summary(result)));
        return ExitCode.OK;
    }

    /** Whether an index would be copied: known before anything is transferred. */
    private boolean isOfSeveral(ImageStore reading, ImageLocation source)
            throws RegistryException, IOException, InterruptedException {
        return platforms.size() != 1 && reading.manifest(source.name()) instanceof Index;
    }

    /** Ctrl-C ends the copy in order: unfinished files are removed, and the bar, too. */
    private Thread interruptWhenAsked(Thread copying) {
        Thread stop = new Thread(
                () -> {
                    try {
                        context.termination().await();
                        copying.interrupt();
                    } catch (InterruptedException e) {
                        // The copy has ended.
                        Thread.currentThread().interrupt();
                    }
                },
                "urunner-stop");
        stop.setDaemon(true);
        stop.start();
        return stop;
    }

    private String summary(CopyResult result) {
        return to + " " + result.image().digest() + (dryRun ? " would be copied: " : " copied: ")
                + result.count(Outcome.COPIED) + " transferred (" + CopyProgress.size(result.bytes(Outcome.COPIED))
                + "), " + result.count(Outcome.MOUNTED) + " mounted, " + result.count(Outcome.PRESENT)
                + " already there"
                + (result.count(Outcome.LEFT_OUT) == 0 ? "" : ", " + result.count(Outcome.LEFT_OUT) + " left out");
    }

    private Document document(CopyResult result) {
        return new Document(
                from,
                to,
                result.image().digest(),
                dryRun,
                result.bytes(Outcome.COPIED),
                result.items().stream()
                        .map(item -> new Item(
                                item.content().digest(),
                                item.content().mediaType(),
                                item.content().size(),
                                CopyProgress.word(item.outcome())))
                        .toList());
    }
}
