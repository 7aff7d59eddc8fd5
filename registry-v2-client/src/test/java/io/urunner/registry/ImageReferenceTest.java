package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageReferenceTest {
    private static final String HEX = "0123456789abcdef".repeat(4);
    private static final Digest DIGEST = Digest.parse("sha256:" + HEX);

    /** Here {@code D} stands for a SHA-256 digest, {@code E} for a SHA-512 digest, {@code A*n} for n times the letter a. */
    @ParameterizedTest(name = "{0} is {1} / {2} : {3} @ {4}")
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
                    nginx                                | docker.io            | library/nginx        | latest | -
                    nginx:1.25                           | docker.io            | library/nginx        | 1.25   | -
                    nginx@D                              | docker.io            | library/nginx        | -      | D
                    nginx:1.25@D                         | docker.io            | library/nginx        | 1.25   | D
                    nginx@E                              | docker.io            | library/nginx        | -      | E
                    nginx:1@E                            | docker.io            | library/nginx        | 1      | E
                    """)
    void a_reference_has_these_parts(String text, String registry, String repository, String tag, String digest) {
        ImageReference reference = ImageReference.parse(expand(text));
        assertThat(reference.registry()).isEqualTo(registry);
        assertThat(reference.repository()).isEqualTo(repository);
        assertThat(reference.tag()).isEqualTo(Optional.ofNullable(tag));
        assertThat(reference.digest())
                .isEqualTo(Optional.ofNullable(digest)
                        .map(d -> Digest.parse(expand("@" + d).substring(1))));
    }

    @Test
    void the_canonical_text_reads_back_as_the_same_reference() {
        ImageReference reference = ImageReference.parse("reg.example:5000/a/b:t@" + DIGEST);
        assertThat(reference).hasToString("reg.example:5000/a/b:t@" + DIGEST);
        assertThat(ImageReference.parse(reference.toString())).isEqualTo(reference);
    }

    @Test
    void a_wrong_text_is_refused_with_the_reason() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImageReference.parse("reg.example/App"))
                .withMessageContaining("reg.example/App")
                .withMessageContaining("lower case");
    }

    private static String expand(String text) {
        return text.replace("@D", "@" + DIGEST).replace("@E", "@sha512:" + HEX + HEX);
    }
}
