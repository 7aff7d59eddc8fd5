package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.junit.jupiter.api.Test;

class DigestTest {
    private static final byte[] ABC = "abc".getBytes(StandardCharsets.UTF_8);
    private static final String SHA256 = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    private static final String SHA512 = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    @Test
    void contentHasTheDigestsOfTheStandard() {
        assertThat(Digest.of(ABC)).hasToString(SHA256);
        assertThat(Digest.of(Digest.SHA512, ABC)).hasToString(SHA512);
        assertThat(Digest.of(new byte[0]))
                .hasToString("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    @Test
    void contentIsVerifiedAsAWholeInPiecesAndAsAStream() throws Exception {
        for (String text : new String[] {SHA256, SHA512}) {
            Digest digest = Digest.parse(text);
            assertThat(digest.matches(ABC)).isTrue();
            assertThat(digest.matches(new byte[] {'a', 'b'})).isFalse();
            MessageDigest hasher = digest.hasher();
            hasher.update((byte) 'a');
            hasher.update(new byte[] {'b', 'c'});
            assertThat(digest.matches(hasher)).isTrue();
            assertThat(digest.matches(new ByteArrayInputStream(ABC))).isTrue();
            assertThat(digest.matches(new ByteArrayInputStream(new byte[100_000])))
                    .isFalse();
        }
    }

    @Test
    void theTextReadsBack() {
        assertThat(Digest.parse(SHA256).algorithm()).isEqualTo("sha256");
        assertThat(Digest.parse(SHA256).hex()).hasSize(64);
        assertThat(Digest.parse(SHA512)).hasToString(SHA512);
    }

    @Test
    void anUnknownAlgorithmIsRejected() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Digest.hasher("md5"))
                .withMessageContaining("md5");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Digest.of("sha1", ABC))
                .withMessageContaining("sha1");
        assertThatIllegalArgumentException().isThrownBy(() -> Digest.parse("sha384:" + "a".repeat(96)));
    }
}
