package io.urunner.agent.app.process;

import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles signals of the operating system. The JDK's only way to do so is a class outside the platform's API ({@code
 * sun.misc.Signal}, in the module {@code jdk.unsupported}), so it is looked up by reflection: if it or the signal is
 * missing, the signal has its default effect on the JVM.
 */
public final class Signals {
    private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

    private Signals() {}

    /**
     * Runs an action at every signal of a name ({@code HUP}), on a thread of the JVM, instead of terminating the
     * process.
     */
    public static void listen(String name, Runnable heard) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object listener = Proxy.newProxyInstance(
                    Signals.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            heard.run();
                        }
                        return null;
                    });
            Object named = signal.getConstructor(String.class).newInstance(name);
            signal.getMethod("handle", signal, handler).invoke(null, named, listener);
        } catch (ReflectiveOperationException e) {
            LOG.debug("SIG{} cannot be handled here", name, e);
        }
    }
}
