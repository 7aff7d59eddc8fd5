/** The tests of the Helm chart. */
@org.jspecify.annotations.NullMarked
package io.urunner.agent.chart;
