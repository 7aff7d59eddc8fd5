package io.urunner.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** How commands read a workload and the form of what they print. */
class ArgumentsTest {
    @Command(name = "tell")
    private static final class Tell {
        @Parameters(arity = "0..1", converter = WorkloadArgument.class)
        private WorkloadId workload;

        @Mixin
        private final Output output = new Output();
    }

    private static Tell parse(String... arguments) {
        Tell tell = new Tell();
        new CommandLine(tell).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(arguments);
        return tell;
    }

    @ParameterizedTest
    @ValueSource(strings = {"shop/StatefulSet/db", "shop/statefulsets/db", "shop/sts/db", "shop/STS/db"})
    void aKindIsWrittenAsPeopleWriteIt(String text) {
        assertThat(parse(text).workload).isEqualTo(new WorkloadId("shop", WorkloadKind.STATEFUL_SET, "db"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"web", "shop/web", "shop/Pod/web", "shop/deploy/web/more"})
    void somethingElseIsRefusedWithTheForm(String text) {
        assertThatExceptionOfType(ParameterException.class)
                .isThrownBy(() -> parse(text))
                .withMessageContaining("Deployment");
    }

    @Test
    void theOutputIsATableOrJson() {
        assertThat(printed("shop/deploy/web")).isEqualTo("NAME\nweb\n");
        assertThat(printed("--output", "text")).isEqualTo("NAME\nweb\n");
        assertThat(printed("-o", "JSON")).contains("\"name\" : \"web\"");
        assertThatExceptionOfType(ParameterException.class)
                .isThrownBy(() -> parse("--output", "yaml"))
                .withMessageContaining("TEXT, JSON");
    }

    private static String printed(String... arguments) {
        StringWriter out = new StringWriter();
        parse(arguments)
                .output
                .print(
                        new PrintWriter(out, true),
                        () -> {
                            Table table = new Table("NAME");
                            table.row("web");
                            return table;
                        },
                        () -> JsonNodeFactory.instance.objectNode().put("name", "web"));
        return out.toString();
    }
}
