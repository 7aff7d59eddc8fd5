package io.urunner.agent.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class TurnsTest {
    private final Turns<String> turns = new Turns<>(1_000);

    private void add(String namespace, String... items) {
        for (String item : items) {
            turns.add(item, List.of(namespace));
        }
    }

    private List<String> rest() {
        return rest(item -> true);
    }

    private List<String> rest(Predicate<String> mayBeTaken) {
        List<String> all = new ArrayList<>();
        Optional<Turns.Turn<String>> next = turns.next(mayBeTaken);
        while (next.isPresent()) {
            all.add(next.get().item());
            next = turns.next(mayBeTaken);
        }
        return all;
    }

    @Test
    void oneNamespaceIsServedInOrder() {
        add("a", "a1", "a2", "a3");

        assertThat(rest()).containsExactly("a1", "a2", "a3");
        assertThat(turns.isEmpty()).isTrue();
        assertThat(turns.next()).isEmpty();
    }

    @Test
    void namespacesTakeTurns() {
        add("a", "a1", "a2", "a3");
        add("b", "b1");
        add("c", "c1", "c2");

        assertThat(rest()).containsExactly("a1", "b1", "c1", "a2", "c2", "a3");
    }

    @Test
    void theNamespaceServedLongestAgoComesFirstEvenIfItHadNothingInBetween() {
        add("a", "a1", "a2", "a3");
        add("b", "b1");
        assertThat(turns.next()).contains(new Turns.Turn<>("a1", "a"));
        assertThat(turns.next()).contains(new Turns.Turn<>("b1", "b"));
        assertThat(turns.next()).contains(new Turns.Turn<>("a2", "a"));

        add("b", "b2");

        assertThat(rest()).containsExactly("b2", "a3");
    }

    @Test
    void reappearingWinsNoExtraTurns() {
        add("patient", "p1", "p2", "p3");
        add("flapping", "f");
        List<String> served = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            served.add(turns.next().orElseThrow().namespace());
            turns.remove("f");
            add("flapping", "f");
        }

        assertThat(served).containsExactly("patient", "flapping", "patient", "flapping", "patient", "flapping");
    }

    @Test
    void aCrowdDelaysAnotherNamespaceByOneItem() {
        for (int i = 0; i < 1_000; i++) {
            add("crowd", "c" + i);
        }
        turns.next();
        add("quiet", "q");

        assertThat(turns.next()).contains(new Turns.Turn<>("q", "quiet"));
    }

    @Test
    void anItemOfSeveralNamespacesIsServedOnceWithTheFirstOfThem() {
        add("crowd", "c1", "c2", "c3");
        turns.add("shared", List.of("crowd", "quiet"));

        assertThat(turns.next()).contains(new Turns.Turn<>("c1", "crowd"));
        assertThat(turns.next()).contains(new Turns.Turn<>("shared", "quiet"));
        assertThat(rest()).containsExactly("c2", "c3");
    }

    @Test
    void aWaitingItemKeepsItsPlaceWhenItsNamespacesChange() {
        add("a", "a1", "a2");
        add("b", "b1");
        turns.add("a1", List.of("a", "c"));
        turns.add("b1", List.of("a"));

        assertThat(turns.size()).isEqualTo(3);
        assertThat(rest()).containsExactly("a1", "a2", "b1");
        assertThat(turns.isEmpty()).isTrue();
    }

    @Test
    void itemsWithoutANamespaceTakeTurnsToo() {
        add("a", "a1", "a2");
        turns.add("own", List.of());

        assertThat(rest()).containsExactly("a1", "own", "a2");
    }

    @Test
    void aRemovedItemIsNotServed() {
        add("a", "a1", "a2");
        turns.add("shared", List.of("a", "b"));

        assertThat(turns.remove("a1")).isTrue();
        assertThat(turns.remove("shared")).isTrue();
        assertThat(turns.remove("a1")).isFalse();

        assertThat(turns.contains("a1")).isFalse();
        assertThat(turns.all()).containsExactly("a2");
        assertThat(rest()).containsExactly("a2");
    }

    @Test
    void anItemThatMustNotBeTakenStaysAndHoldsBackNobody() {
        add("a", "paused1", "paused2", "a1");
        add("b", "b1");

        assertThat(rest(item -> !item.startsWith("paused"))).containsExactlyInAnyOrder("a1", "b1");
        assertThat(rest()).containsExactly("paused1", "paused2");
    }

    @Test
    void theSearchForAnItemIsBoundedAndContinuesWithTheNextCall() {
        Turns<Integer> many = new Turns<>(100_000);
        for (int i = 0; i < 10_000; i++) {
            many.add(i, List.of("crowd"));
        }
        many.add(-1, List.of("crowd"));
        List<Integer> looked = new ArrayList<>();
        Predicate<Integer> last = item -> {
            looked.add(item);
            return item < 0;
        };

        assertThat(many.next(last)).isEmpty();
        assertThat(looked).hasSizeLessThanOrEqualTo(2_000);

        int calls = 1;
        while (many.next(last).isEmpty()) {
            calls++;
        }
        assertThat(calls).isLessThan(20);
        assertThat(looked).doesNotHaveDuplicates();
    }

    @Test
    void aCrowdOfBlockedNamespacesIsSkipped() {
        for (int i = 0; i < 3_000; i++) {
            add("n" + i, "paused" + i);
        }
        add("last", "a1");

        assertThat(turns.next(item -> item.equals("a1"))).contains(new Turns.Turn<>("a1", "last"));
    }

    @Test
    void tooManyItemsOfOneNamespaceAreRefusedOnlyToIt() {
        Turns<String> few = new Turns<>(2);
        Collection<String> crowd = List.of("crowd");
        assertThat(few.add("c1", crowd)).isTrue();
        assertThat(few.add("c2", crowd)).isTrue();

        assertThat(few.add("c3", crowd)).isFalse();
        assertThat(few.contains("c3")).isFalse();
        assertThat(few.add("shared", List.of("crowd", "quiet"))).isTrue();
        assertThat(few.add("c1", crowd)).as("already waits").isTrue();
        assertThat(few.size()).isEqualTo(3);

        few.next();
        assertThat(few.add("c3", crowd)).isTrue();
    }

    @Test
    void clearingRemovesTheItemsAndKeepsTheTurns() {
        add("a", "a1");
        turns.next();
        add("a", "a2");
        turns.clear();
        assertThat(turns.all()).isEmpty();
        assertThat(turns.next()).isEmpty();

        add("a", "a3");
        add("b", "b1");
        assertThat(rest()).containsExactly("b1", "a3");
    }
}
