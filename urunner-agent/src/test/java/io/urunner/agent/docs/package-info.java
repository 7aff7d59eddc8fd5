/** The documents, as tests read them. */
@org.jspecify.annotations.NullMarked
package io.urunner.agent.docs;
