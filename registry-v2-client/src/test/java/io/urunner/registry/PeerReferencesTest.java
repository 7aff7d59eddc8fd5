package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of the library with which Docker and containerd read references; the table says where it is from. */
class PeerReferencesTest {
    /** Without a tag, theirs has none, and ours has the one that a pull would use. */
    private static final String DEFAULT_TAG = ":latest";

    @ParameterizedTest
    @CsvFileSource(resources = "peers/references.csv", delimiter = '|')
    void aReferenceIsReadAsByDocker(String input, String expected) {
        String read;
        try {
            read = ImageReference.parse(input).toString();
        } catch (IllegalArgumentException e) {
            read = "refused";
        }
        boolean bare = !expected.equals("refused")
                && !expected.contains("@")
                && expected.lastIndexOf(':') <= expected.lastIndexOf('/');
        assertThat(read).isEqualTo(bare ? expected + DEFAULT_TAG : expected);
    }
}
