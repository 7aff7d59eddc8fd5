package io.urunner.agent.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The parser of shell commands for the tests of the documents. */
class ShellLineTest {
    private final Map<String, String> variables = new HashMap<>(Map.of("IMAGE", "registry.example/team/urunner"));

    private Optional<ShellLine> parse(String text) {
        return ShellLine.parse("page.md:1", text, variables);
    }

    @Test
    void quotesVariablesAndCommentsWorkAsInAShell() {
        assertThat(parse("helm --set image=$IMAGE:1 --set 'a[0]=$IMAGE' \"b $IMAGE\" c\\ d > out.yaml   # why"))
                .contains(new ShellLine(
                        "page.md:1",
                        List.of(
                                "helm",
                                "--set",
                                "image=registry.example/team/urunner:1",
                                "--set",
                                "a[0]=$IMAGE",
                                "b registry.example/team/urunner",
                                "c d"),
                        Optional.of("out.yaml")));
    }

    @Test
    void anAssignmentIsNotACommandAndTakesEffect() {
        assertThat(parse("export TAG=1.0.0   # the version")).isEmpty();
        assertThat(parse("# nothing")).isEmpty();
        assertThat(parse("helm --set image.tag=$TAG").orElseThrow().words())
                .containsExactly("helm", "--set", "image.tag=1.0.0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a | b", "a && b", "a; b", "a $(b)", "a `b`", "a < b", "a 'b", "a $UNSET"})
    void anythingButASimpleCommandIsRefused(String text) {
        assertThatThrownBy(() -> parse(text)).isInstanceOf(AssertionError.class).hasMessageContaining("page.md:1");
    }

    @Test
    void commandsThatRunInAPodAreFound() {
        assertThat(parse("kubectl -n urunner exec deploy/urunner -- urunner explain shop/deploy/web")
                        .flatMap(ShellLine::urunner))
                .contains(List.of("explain", "shop/deploy/web"));
        assertThatThrownBy(() -> parse("kubectl exec deploy/urunner -- sh").map(ShellLine::urunner))
                .hasMessageContaining("no other program");
    }

    @Test
    void helmGetValuesWithoutYamlIsRefused() {
        assertThatThrownBy(() -> HelmLine.of(
                        parse("helm get values urunner > values.yaml").orElseThrow()))
                .hasMessageContaining("-o yaml");
        assertThatThrownBy(() ->
                        HelmLine.of(parse("helm upgrade urunner chart --atomc").orElseThrow()))
                .hasMessageContaining("--atomc");
    }
}
