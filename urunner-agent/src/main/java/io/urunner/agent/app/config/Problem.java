package io.urunner.agent.app.config;

/**
 * A problem with the configuration. It never contains a secret.
 *
 * @param where the variable, the line of the file or the flag
 * @param what the problem, and what to do
 */
public record Problem(String where, String what) {
    @Override
    public String toString() {
        return where + ": " + what;
    }
}
