package io.urunner.store;

import io.urunner.store.DigestStore.Batch;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TrackedContainer;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The process that is killed: writes batch after batch, and prints the number of each one when it is committed. */
final class KilledWriter {
    static final int REFERENCES = 12;

    private KilledWriter() {}

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(
                new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.US_ASCII);
        try (DigestStore store = DigestStores.sqlite(Path.of(arguments[0]), "blue")) {
            for (int n = Integer.parseInt(arguments[1]); ; n++) {
                store.write(batch(n));
                out.println(n);
            }
        }
    }

    static String reference(int i) {
        return "registry.example/team/app-" + i + ":latest";
    }

    /** Every reference moves, every container is remembered, one rollout is requested: all of it or nothing. */
    static Batch batch(int n) {
        List<Sighting> sightings = new ArrayList<>();
        Map<TrackedContainer, String> remembered = new HashMap<>();
        for (int i = 0; i < REFERENCES; i++) {
            sightings.add(Batches.seen(reference(i), Batches.digest(n), Batches.minute(n)));
            remembered.put(new TrackedContainer("shop/Deployment/app-" + i, "main", reference(i)), Batches.digest(n));
        }
        return new Batch(
                sightings,
                Map.of(),
                remembered,
                Set.of(),
                List.of(Batches.requested(String.valueOf(n), Batches.minute(n), Batches.digest(n))));
    }
}
