package io.urunner.registry.copy;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.MalformedManifestException;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Chooses platforms of an index. */
record PlatformChoice(ImageStore source, List<Platform> platforms) {
    /** The manifest that an attestation is about, as build tools annotate it. */
    private static final String SUBJECT = "vnd.docker.reference.digest";

    ManifestOrIndex of(ManifestOrIndex image) throws RegistryException, IOException, InterruptedException {
        if (platforms.isEmpty() || !(image instanceof Index index)) {
            return image;
        }
        Map<Digest, Descriptor> chosen = new LinkedHashMap<>();
        for (Platform platform : platforms) {
            Descriptor entry = find(index, platform);
            chosen.putIfAbsent(entry.digest(), entry);
        }
        if (platforms.size() == 1) {
            return source.manifest(chosen.keySet().iterator().next().toString());
        }
        List<Descriptor> entries = new ArrayList<>(chosen.values());
        Set<String> subjects = new HashSet<>();
        chosen.keySet().forEach(digest -> subjects.add(digest.toString()));
        for (Descriptor entry : index.manifests()) {
            if (entry.isAttestation() && subjects.contains(entry.annotations().getOrDefault(SUBJECT, ""))) {
                entries.add(entry);
            }
        }
        return index.withManifests(entries);
    }

    private Descriptor find(Index index, Platform platform)
            throws RegistryException, IOException, InterruptedException {
        try {
            return index.<Wrapped>find(platform, this::fetch)
                    .orElseThrow(() -> new IOException("the index " + index.digest() + " of " + source
                            + " has no image for " + platform + "; its entries are for " + known(index)));
        } catch (MalformedManifestException e) {
            throw new IOException("the index " + index.digest() + " of " + source + ": " + e.getMessage(), e);
        } catch (Wrapped e) {
            if (e.reason instanceof RegistryException reason) {
                throw reason;
            }
            throw (IOException) e.reason;
        }
    }

    private static List<String> known(Index index) {
        return index.images().stream()
                .flatMap(entry -> entry.platform().stream())
                .map(Platform::toString)
                .distinct()
                .limit(20)
                .toList();
    }

    private ManifestOrIndex fetch(Descriptor entry) throws Wrapped, InterruptedException {
        try {
            return source.manifest(entry.digest().toString());
        } catch (RegistryException | IOException e) {
            throw new Wrapped(e);
        }
    }

    /** A search throws only one kind of exception. */
    private static final class Wrapped extends Exception {
        private static final long serialVersionUID = 1L;

        private final Exception reason;

        Wrapped(Exception reason) {
            super(reason);
            this.reason = reason;
        }
    }
}
