package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of names by other clients; each table says where it is from, and where we decide otherwise. */
class PeerReferencesTest {
    private static final String REFUSED = "refused";

    /** Without a tag, some of theirs have none, and ours has the one that a pull would use. */
    private static final String DEFAULT_TAG = ":latest";

    @ParameterizedTest
    @CsvFileSource(
            resources = {
                "peers/references-containers-image.csv",
                "peers/references-distribution.csv",
                "peers/references-go-containerregistry.csv",
                "peers/references-grammar.csv",
                "peers/references-jib.csv",
                "peers/references-oras-go.csv",
                "peers/references-oras-java.csv",
                "peers/references-regclient.csv",
            },
            delimiter = '|')
    void aReferenceIsRead(String input, String expected) {
        boolean bare = !expected.equals(REFUSED)
                && !expected.contains("@")
                && expected.lastIndexOf(':') <= expected.lastIndexOf('/');
        assertThat(read(input, ImageReference::parse)).isEqualTo(bare ? expected + DEFAULT_TAG : expected);
    }

    @ParameterizedTest
    @CsvFileSource(
            resources = {
                "peers/registries-go-containerregistry.csv",
                "peers/registries-grammar.csv",
                "peers/registries-regclient.csv",
            },
            delimiter = '|')
    void aRegistryIsRead(String input, String expected) {
        assertThat(read(input, RegistryPrefix::parse)).isEqualTo(expected);
    }

    private static String read(String input, Function<String, ?> parser) {
        try {
            return parser.apply(input).toString();
        } catch (IllegalArgumentException e) {
            return REFUSED;
        }
    }
}
