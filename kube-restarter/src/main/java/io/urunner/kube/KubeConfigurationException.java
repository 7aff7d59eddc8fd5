package io.urunner.kube;

/**
 * Configuration that is needed to reach the API server is missing or wrong. The message names the file or field, and says
 * how to fix it.
 */
public final class KubeConfigurationException extends Exception {
    private static final long serialVersionUID = 1;

    KubeConfigurationException(String message) {
        super(message);
    }

    KubeConfigurationException(String message, Throwable cause) {
        super(message, cause);
    }
}
