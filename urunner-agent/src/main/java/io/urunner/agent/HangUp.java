package io.urunner.agent;

import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGHUP. The JDK has no other way to hear it than a class that is not of the platform's API ({@code sun.misc.Signal}, in
 * the module {@code jdk.unsupported}), so it is looked up: where it or the signal is missing, there is no SIGHUP.
 */
final class HangUp {
    private static final Logger LOG = LoggerFactory.getLogger(HangUp.class);

    private HangUp() {}

    /** Runs something at every SIGHUP, on a thread of the JVM's, instead of ending the process. */
    static void listen(Runnable heard) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object listener = Proxy.newProxyInstance(
                    HangUp.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            heard.run();
                        }
                        return null;
                    });
            Object hangUp = signal.getConstructor(String.class).newInstance("HUP");
            signal.getMethod("handle", signal, handler).invoke(null, hangUp, listener);
        } catch (ReflectiveOperationException e) {
            LOG.debug("SIGHUP is not heard here", e);
        }
    }
}
