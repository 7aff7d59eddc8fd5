/** Reads the documents for tests. */
@org.jspecify.annotations.NullMarked
package io.urunner.agent.docs;
