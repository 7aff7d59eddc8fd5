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
    void theLastIsClosedFirstAndNothingTwice() {
        stack.add(() -> closed.add("first"));
        stack.add(() -> closed.add("second"));

        stack.close();
        stack.close();

        assertThat(closed).containsExactly("second", "first");
    }

    @Test
    void aFailureDoesNotPreventClosingTheOthersAndNoneIsLost() {
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
