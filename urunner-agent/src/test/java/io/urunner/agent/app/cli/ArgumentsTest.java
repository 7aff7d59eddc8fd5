package io.urunner.agent.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.urunner.agent.plan.State;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** How commands parse a workload, a selection of many, and the form of their output. */
class ArgumentsTest {
    private static final WorkloadId DB = new WorkloadId("shop", WorkloadKind.STATEFUL_SET, "db");

    @Command(name = "tell")
    private static final class Tell {
        @Parameters(arity = "0..1", converter = WorkloadName.Converter.class)
        private WorkloadName workload;

        @Mixin
        private final Selection selection = new Selection();

        @Mixin
        private final Output output = new Output();
    }

    private static Tell parse(String... arguments) {
        Tell tell = new Tell();
        new CommandLine(tell).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(arguments);
        return tell;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "shop/StatefulSet/db",
                "shop/statefulsets/db",
                "shop/sts/db",
                "shop/STS/db",
                "shop/statefulset.apps/db",
                "shop/statefulsets.v1.apps/db"
            })
    void kindsAreAcceptedInTheirUsualSpellings(String text) throws Exception {
        assertThat(parse(text).workload.in(Optional.empty(), Optional.of("other")))
                .isEqualTo(DB);
        assertThat(parse(text).workload.in(Optional.of("shop"), Optional.empty()))
                .isEqualTo(DB);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sts/db", "statefulsets.apps/db"})
    void aNamespaceMayComeFromTheOptionOrTheContext(String text) throws Exception {
        assertThat(parse(text).workload.in(Optional.of("shop"), Optional.of("other")))
                .isEqualTo(DB);
        assertThat(parse(text).workload.in(Optional.empty(), Optional.of("shop")))
                .isEqualTo(DB);
        assertThatThrownBy(() -> parse(text).workload.in(Optional.empty(), Optional.empty()))
                .hasMessageContaining("in which namespace is StatefulSet db?")
                .hasMessageContaining("-n NAMESPACE");
    }

    @Test
    void contradictingNamespacesAreRefused() {
        assertThatThrownBy(() -> parse("shop/sts/db").workload.in(Optional.of("pay"), Optional.empty()))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("shop")
                .hasMessageContaining("pay");
    }

    @Test
    void aSingleNameIsANamespace() {
        assertThat(parse("shop").workload).isEqualTo(new WorkloadName(Optional.of("shop"), Optional.empty(), ""));
        assertThatThrownBy(() -> parse("shop").workload.in(Optional.empty(), Optional.empty()))
                .hasMessageContaining("[NAMESPACE/]KIND/NAME");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "shop/",
                "/deploy/web",
                "Shop",
                "shop/web",
                "shop/Pod/web",
                "shop/deploy/web/more",
                "shop/deploy/w eb",
                "shop/deploy/web\n"
            })
    void anythingElseIsRefusedWithTheExpectedForm(String text) {
        assertThatExceptionOfType(ParameterException.class)
                .isThrownBy(() -> parse(text))
                .withMessageContaining("KIND/NAME");
    }

    @Test
    void statesAreWrittenInAnyOfTheirForms() {
        assertThat(parse("--state", "failed,PARTLY_OLD", "--state", "up to date")
                        .selection
                        .states())
                .containsExactlyInAnyOrder(State.Kind.FAILED, State.Kind.PARTLY_OLD, State.Kind.UP_TO_DATE);
        assertThat(parse().selection.states()).isEmpty();
        assertThatExceptionOfType(ParameterException.class)
                .isThrownBy(() -> parse("--state", "well"))
                .withMessageContaining("'well' is not a state")
                .withMessageContaining("still-old");
    }

    @Test
    void requestsReachTheAgentUnchanged() {
        View view = new View(
                new Form(Form.Format.YAML, 120),
                Optional.of(DB),
                Optional.of("shop"),
                Set.of(State.Kind.FAILED, State.Kind.STILL_OLD),
                true);

        assertThat(View.of(parameters(view.query()))).isEqualTo(view);
        View all = new View(new Form(Form.Format.WIDE, 80), Optional.empty(), Optional.empty(), Set.of(), false);
        assertThat(View.of(parameters(all.query()))).isEqualTo(all);
    }

    private static Map<String, String> parameters(String query) {
        return Stream.of(query.split("&", -1))
                .map(each -> each.split("=", -1))
                .collect(Collectors.toMap(each -> each[0], each -> URLDecoder.decode(each[1], StandardCharsets.UTF_8)));
    }

    @Test
    void requestsFromStrangersAreBounded() {
        assertThat(View.of(Map.of("width", "999999999")).form().width()).isEqualTo(80);
        assertThat(View.of(Map.of("width", "99999")).form().width()).isEqualTo(1000);
        assertThat(View.of(Map.of("width", "1")).form().width()).isEqualTo(40);
        assertThat(View.of(Map.of("width", "-1")).form().width()).isEqualTo(80);
        assertThat(View.of(Map.of()).form().format()).isEqualTo(Form.Format.JSON);
        for (Map<String, String> wrong : List.of(
                Map.of("output", "xml"),
                Map.of("state", "well"),
                Map.of("state", "failed,".repeat(1000)),
                Map.of("namespace", "x".repeat(2000)),
                Map.of("workload", "x"))) {
            assertThatThrownBy(() -> View.of(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void theWidthIsThatOfTheTerminal() {
        assertThat(Form.of(Form.Format.TEXT, Map.of()).width()).isEqualTo(80);
        assertThat(Form.of(Form.Format.TEXT, Map.of("COLUMNS", "132")).width()).isEqualTo(132);
        for (String none : List.of("", "0", "wide", "-3", "99999999999")) {
            assertThat(Form.of(Form.Format.TEXT, Map.of("COLUMNS", none)).width())
                    .isEqualTo(80);
        }
    }
}
