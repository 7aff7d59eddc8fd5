/** What the tests of the Helm chart share. */
@org.jspecify.annotations.NullMarked
package io.urunner.agent.chart;
