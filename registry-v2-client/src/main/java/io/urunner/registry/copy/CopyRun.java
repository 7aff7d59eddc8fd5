package io.urunner.registry.copy;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.RegistryException;
import io.urunner.registry.copy.CopyResult.Item;
import io.urunner.registry.copy.CopyResult.Outcome;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One run of a copy. */
final class CopyRun {
    private static final Pattern DIGEST_TAG = Pattern.compile("(sha256|sha512)-([0-9a-f]{64})[._-].+");
    private static final List<String> NOT_DISTRIBUTED =
            List.of(".image.layer.nondistributable.", ".image.rootfs.foreign.diff.");

    private final Copy copy;
    private final Workers workers;
    private final CopyPlan plan;
    private final List<Item> items = Collections.synchronizedList(new ArrayList<>());

    CopyRun(Copy copy) {
        this.copy = copy;
        this.workers = new Workers(copy.target.isSequential() ? null : copy.executor, copy.tasks);
        this.plan = new CopyPlan(copy, workers);
    }

    CopyResult run() throws RegistryException, IOException, InterruptedException {
        ManifestOrIndex image = plan.image();
        String name = LayoutStore.isDigest(copy.to) ? image.digest().toString() : copy.to;
        plan.add(image);
        // The named one comes last, when everything that belongs to it is there.
        Map<String, ManifestOrIndex> named = new LinkedHashMap<>(copy.digestTags ? digestTags() : Map.of());
        named.put(name, image);
        List<ManifestOrIndex> all = plan.inOrder(named.values());
        Collection<Descriptor> blobs = plan.blobs(all);
        List<ManifestOrIndex> alone = new ArrayList<>();
        List<ManifestOrIndex> others = new ArrayList<>();
        long bytes = 0;
        for (ManifestOrIndex each : all) {
            bytes += each.descriptor().size();
            boolean parallel = each instanceof Manifest && each.subject().isEmpty() && !named.containsValue(each);
            (parallel ? alone : others).add(each);
        }
        for (Descriptor blob : blobs) {
            bytes += blob.size();
        }
        boolean done = false;
        try {
            copy.listener.planned(blobs.size() + all.size(), bytes);
            workers.forEach(blobs, this::blob);
            workers.forEach(alone, this::nameless);
            // Two writers of the referrers of one subject would only repeat each other's work.
            for (int i = 0; i < others.size(); i++) {
                ManifestOrIndex content = others.get(i);
                if (!named.containsValue(content)) {
                    nameless(content);
                } else if (!copy.dryRun && isListed(content, others.subList(i, others.size()))) {
                    // What refers to an image may list it, so it must be there before it has its name.
                    copy.target.pushManifest(content.digest().toString(), content);
                }
            }
            for (Map.Entry<String, ManifestOrIndex> each : named.entrySet()) {
                manifest(each.getKey(), each.getValue());
            }
            done = true;
        } finally {
            if (!done && copy.target instanceof ArchiveWriter archive) {
                archive.abandon();
            }
        }
        return new CopyResult(image.descriptor(), items);
    }

    private boolean isListed(ManifestOrIndex content, List<ManifestOrIndex> by) {
        for (ManifestOrIndex each : by) {
            for (Descriptor part : each.parts()) {
                if (part.digest().equals(content.digest())) {
                    return !plan.isPresent(content);
                }
            }
        }
        return false;
    }

    private Map<String, ManifestOrIndex> digestTags() throws RegistryException, IOException, InterruptedException {
        Map<String, ManifestOrIndex> tags = new LinkedHashMap<>();
        for (String tag : copy.source.tags()) {
            Matcher matcher = DIGEST_TAG.matcher(tag);
            if (matcher.matches() && plan.has(matcher.group(1), matcher.group(2))) {
                ManifestOrIndex content = copy.source.manifest(tag);
                tags.put(tag, content);
                plan.add(content);
            }
        }
        return tags;
    }

    private void nameless(ManifestOrIndex content) throws RegistryException, IOException, InterruptedException {
        manifest(content.digest().toString(), content);
    }

    private void manifest(String reference, ManifestOrIndex content)
            throws RegistryException, IOException, InterruptedException {
        boolean there = LayoutStore.isDigest(reference)
                ? plan.isPresent(content)
                : plan.isPresent(content)
                        && copy.target.find(reference).map(Descriptor::digest).equals(Optional.of(content.digest()));
        if (!there && !copy.dryRun) {
            try {
                copy.target.pushManifest(reference, content);
            } catch (RegistryException e) {
                // If the source also has it as a blob, a blob is right, too.
                if (CopyPlan.isKnown(content)
                        || !RegistryStore.isAnswer(e)
                        || !copy.source.hasBlob(content.descriptor())) {
                    throw e;
                }
                blob(content.descriptor());
                return;
            }
        }
        finish(content.descriptor(), there ? Outcome.PRESENT : Outcome.COPIED);
    }

    private void blob(Descriptor blob) throws RegistryException, IOException, InterruptedException {
        Outcome outcome = Outcome.COPIED;
        if (NOT_DISTRIBUTED.stream().anyMatch(blob.mediaType()::contains)) {
            outcome = Outcome.LEFT_OUT;
        } else if (copy.target.hasBlob(blob)) {
            outcome = Outcome.PRESENT;
        } else if (copy.dryRun ? copy.target.mounts(copy.source) : copy.target.mountBlob(blob, copy.source)) {
            outcome = Outcome.MOUNTED;
        } else if (!copy.dryRun) {
            transfer(blob);
        }
        finish(blob, outcome);
    }

    private void transfer(Descriptor blob) throws RegistryException, IOException, InterruptedException {
        SourceOfBlob content = new SourceOfBlob(copy, blob, workers);
        try {
            copy.target.pushBlob(blob, content);
        } catch (RegistryException | IOException e) {
            content.rethrow(e);
        }
    }

    private void finish(Descriptor content, Outcome outcome) {
        items.add(new Item(content, outcome));
        copy.listener.finished(content, outcome);
    }
}
