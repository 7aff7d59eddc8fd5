package io.urunner.agent.app.cli;

import io.urunner.agent.plan.State;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options that select workloads. */
final class Selection {
    @Option(
            names = "--state",
            paramLabel = "STATE",
            split = ",",
            converter = StateConverter.class,
            description = {
                "Only those in this state: up-to-date, rolling-out, failed, still-old, partly-old, held, waiting, blocked,",
                "not-watched, unknown. Can be repeated."
            })
    private List<State.Kind> states = List.of();

    @Option(names = "--problems", description = "Only those that need attention.")
    private boolean problems;

    Set<State.Kind> states() {
        return states.isEmpty() ? Set.of() : EnumSet.copyOf(states);
    }

    boolean problems() {
        return problems;
    }

    static final class StateConverter implements ITypeConverter<State.Kind> {
        @Override
        public State.Kind convert(String text) {
            try {
                return View.state(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }
}
