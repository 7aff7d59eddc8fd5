package io.urunner.agent.app.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CloseStackTest {
    private final List<String> closed = new ArrayList<>();
    private final CloseStack stack = new CloseStack();

    @Test
    void the_last_is_closed_first_and_nothing_twice() {
        stack.add(() -> closed.add("first"));
        stack.add(() -> closed.add("second"));

        stack.close();
        stack.close();

        assertThat(closed).containsExactly("second", "first");
    }

    @Test
    void a_failure_does_not_prevent_closing_the_others_and_none_is_lost() {
        stack.add(() -> closed.add("first"));
        stack.add(() -> {
            throw new IllegalStateException("second");
        });
        stack.add(() -> {
            throw new IllegalStateException("third");
        });

        assertThatThrownBy(stack::close)
                .hasRootCauseMessage("third")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
        assertThat(closed).containsExactly("first");
    }
}
