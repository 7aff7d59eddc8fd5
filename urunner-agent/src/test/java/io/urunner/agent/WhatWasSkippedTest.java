package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WhatWasSkippedTest {
    private static final Instant BEGUN = Instant.parse("2026-11-23T12:00:00Z");

    @TempDir
    private Path modules;

    @Test
    void skippedTestsOfAllModulesAreCountedByReason() throws Exception {
        report("a/target/failsafe-reports/TEST-a.AIT.xml", BEGUN, "no registry: at all", "no registry: there");
        report("b/target/surefire-reports/TEST-b.BTest.xml", BEGUN.plusSeconds(1), "Assumption failed: no right");
        report("b/target/surefire-reports/TEST-b.OldTest.xml", BEGUN.minusSeconds(1), "of the build before");
        report("b/target/surefire-reports/TEST-b.GoodTest.xml", BEGUN);

        assertThat(WhatWasSkipped.table(modules, BEGUN))
                .contains("    2  no registry\n    1  no right\n", ".ci/provision-tests", "docs/testing.md")
                .doesNotContain("before");
    }

    @Test
    void nothingIsPrintedIfNothingWasSkipped() throws Exception {
        report("b/target/surefire-reports/TEST-b.GoodTest.xml", BEGUN);
        assertThat(WhatWasSkipped.table(modules, BEGUN)).isEmpty();
    }

    /** Writes a report in the format of Maven's plugins. */
    private void report(String name, Instant at, String... reasons) throws IOException {
        StringBuilder tests = new StringBuilder("<testcase name=\"good\" classname=\"x\" time=\"0\"/>");
        for (String reason : reasons) {
            tests.append("""
                    <testcase name="one" classname="x" time="0.0">
                      <skipped type="org.opentest4j.TestAbortedException"><![CDATA[org.opentest4j.TestAbortedException: %s
                    	at org.junit.jupiter.api.Assumptions.abort(Assumptions.java:316)
                    ]]></skipped>
                    </testcase>
                    """.formatted(reason));
        }
        Path file = modules.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "<testsuite name=\"x\">" + tests + "</testsuite>");
        Files.setLastModifiedTime(file, FileTime.from(at));
    }
}
