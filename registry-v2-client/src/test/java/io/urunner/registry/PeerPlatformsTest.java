package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of platforms by other clients; each table says where it is from, and where we decide otherwise. */
class PeerPlatformsTest {
    @ParameterizedTest
    @CsvFileSource(resources = "peers/platforms.csv", delimiter = '|', quoteCharacter = '`')
    void aPlatformIsRead(String text, String normal) {
        String read;
        try {
            Platform platform = Platform.parse(text);
            read = platform.toString();
            assertThat(Platform.parse(read)).isEqualTo(platform);
        } catch (IllegalArgumentException e) {
            read = "refused";
        }
        assertThat(read).isEqualTo(normal);
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/platforms-equal.csv", delimiter = '|')
    void platformsAreEqual(String one, String other, String equal) {
        Platform platform = Platform.parse(one);
        assertThat(platform.equals(Platform.parse(other))).isEqualTo(equal.equals("yes"));
        assertThat(platform.hashCode() == Platform.parse(other).hashCode()).isEqualTo(equal.equals("yes"));
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/platforms-run.csv", delimiter = '|')
    void aMachineRunsAnImage(String machine, String image, String runs) {
        assertThat(selected(machine, List.of(image)).isPresent()).isEqualTo(runs.equals("yes"));
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/platforms-chosen.csv", delimiter = '|', nullValues = "none")
    void anImageIsChosen(String machine, String images, String chosen) {
        assertThat(selected(machine, List.of(images.split(" ", -1))))
                .isEqualTo(Optional.ofNullable(chosen).map(Platform::parse));
    }

    private static Optional<Platform> selected(String machine, List<String> images) {
        List<Descriptor> entries = new ArrayList<>();
        for (String image : images) {
            Digest digest = Digest.of(new byte[] {(byte) entries.size()});
            entries.add(new Descriptor(MediaType.OCI_MANIFEST, digest, 1).withPlatform(Platform.parse(image)));
        }
        return Index.of(entries, Map.of()).select(Platform.parse(machine)).flatMap(Descriptor::platform);
    }
}
