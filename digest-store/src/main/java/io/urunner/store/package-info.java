/**
 * Remembers which digests a tag has had and which rollouts followed. References, workloads and digests are opaque texts
 * here. Start with {@link io.urunner.store.DigestStore}.
 */
@NullMarked
package io.urunner.store;

import org.jspecify.annotations.NullMarked;
