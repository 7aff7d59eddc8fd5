package io.urunner.agent.app.logging;

import io.urunner.agent.app.config.Settings.LogFormat;
import io.urunner.agent.app.config.Settings.LogLevel;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Every test of the agent logs at all levels into its own output, which {@link LogsHoldNoSecret} reads. */
public final class LoudLogs implements BeforeAllCallback {
    @Override
    public void beforeAll(ExtensionContext context) {
        Logging.configure(LogLevel.DEBUG, LogFormat.TEXT, true);
    }
}
