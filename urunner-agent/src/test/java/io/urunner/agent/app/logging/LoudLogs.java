package io.urunner.agent.app.logging;

import io.urunner.agent.app.config.Settings.LogFormat;
import io.urunner.agent.app.config.Settings.LogLevel;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Every test of the agent logs all that there is to log, into its own output: {@link LogsHoldNoSecret} reads it. */
public final class LoudLogs implements BeforeAllCallback {
    @Override
    public void beforeAll(ExtensionContext context) {
        Logging.configure(LogLevel.DEBUG, LogFormat.TEXT, true);
    }
}
