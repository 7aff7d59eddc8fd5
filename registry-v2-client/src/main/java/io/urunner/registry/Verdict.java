package io.urunner.registry;

/** How much a refusal says, and so for how long it is remembered. */
enum Verdict {
    /** The registry or its token server refused a credential that was shown to it: that changes only if somebody acts. */
    FINAL,

    /** The registry or its token server refused, but no credential was shown, or it was the first time. */
    UNCONFIRMED,

    /** Something refused that does not speak as a registry does, such as the page of a gateway: that may pass. */
    NONE
}
