package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LinkHeaderTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            nullValues = "none",
            value = {
                "</v2/a/tags/list?last=x&n=5>; rel=\"next\" | /v2/a/tags/list?last=x&n=5",
                "</v2/a>; rel=next | /v2/a",
                "</v2/a>;rel=next | /v2/a",
                "</v2/a> ; rel = \"next\" | /v2/a",
                "</v2/a>; REL=\"NEXT\" | /v2/a",
                "</v2/a>; rel=\"prev next\" | /v2/a",
                "</v2/a>; rel=\"prev\" | none",
                "</v2/a>; rel=\"nextish\" | none",
                "</v2/a> | /v2/a",
                "</v2/a>; title=\"x\" | /v2/a",
                "</v2/a>; rel | /v2/a",
                "</v2/a>; rel= | none",
                "</v2/a>; title=\"a, <b>; rel=next\"; rel=prev | none",
                "</v2/a>; title=\"x\"; rel=\"next\" | /v2/a",
                "</v2/a>; rel=prev; rel=next | none",
                "</p>; rel=\"prev\", </n>; rel=\"next\" | /n",
                "</n>; rel=\"next\", </p>; rel=\"prev\" | /n",
                "<https://reg.example/v2/a?n=1,2>; rel=\"next\" | https://reg.example/v2/a?n=1,2",
                "<>; rel=next | ``",
                "</v2/a; rel=next | refused",
                "/v2/a; rel=next | refused",
                "rel=next | refused",
                "</p>; rel=prev, </n | refused",
                "</p>; rel=prev, /n; rel=next | none",
                "<<</a>; rel=next | <</a",
                "`` | none",
            })
    void findsTheNextPage(String header, String expected) {
        String next;
        try {
            next = Listings.nextLink(List.of(header)).orElse(null);
        } catch (Violation e) {
            next = "refused";
        }
        assertThat(next).isEqualTo(expected);
    }
}
