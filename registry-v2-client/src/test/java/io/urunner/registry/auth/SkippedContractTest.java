package io.urunner.registry.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.urunner.registry.testing.CredentialPluginContract;
import io.urunner.registry.testing.TestNetwork;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

/** The contract of plugins if a plugin's own test cannot run. */
class SkippedContractTest {
    @Test
    void skipsASubjectThatIsNotAvailableOnThisMachine() {
        Events tests = EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(WithoutSubject.class))
                .execute()
                .testEvents();
        assertThat(tests.failed().list()).isEmpty();
        assertThat(tests.aborted().count())
                .isPositive()
                .isEqualTo(tests.finished().count());
    }

    static final class WithoutSubject extends CredentialPluginContract {
        @Override
        protected Subject subject(TestNetwork testNetwork) {
            Assumptions.abort("nothing to try it with");
            throw new AssertionError("not reached");
        }
    }
}
