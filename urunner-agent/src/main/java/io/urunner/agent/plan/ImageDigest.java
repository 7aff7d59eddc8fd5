package io.urunner.agent.plan;

/**
 * A digest that a reference has or had.
 *
 * @param reference the reference, in canonical form
 * @param digest the digest
 */
public record ImageDigest(String reference, String digest) {
    /** {@code reference@digest}, the digest shortened for people. */
    @Override
    public String toString() {
        return reference + "@" + Brief.digest(digest);
    }
}
