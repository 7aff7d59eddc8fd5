package io.urunner.agent.app.config;

/**
 * Something wrong with the configuration. It never holds a secret's value.
 *
 * @param where the variable, the line of the file or the flag
 * @param what what is wrong, and what to do
 */
public record Problem(String where, String what) {
    @Override
    public String toString() {
        return where + ": " + what;
    }
}
