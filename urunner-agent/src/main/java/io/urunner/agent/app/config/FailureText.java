package io.urunner.agent.app.config;

import io.urunner.agent.text.Printable;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.lang.reflect.InvocationTargetException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the code of others threw or says, made fit to be shown: one line, bounded, printable, without a secret. The secrets
 * that are known are taken out wherever they stand; of a text that nobody wrote for people, what looks like one as well.
 */
public final class FailureText {
    private static final int MOST = 300;
    /** What is longer is cut before it is looked at. */
    private static final int MOST_READ = 10_000;

    private static final int MOST_CAUSES = 10;
    private static final int SHORTEST_SECRET = 3;
    private static final int SHORTEST_LINE = 8;
    private static final String HIDDEN = "[secret]";

    private static final Pattern NAMED = Pattern.compile(
            "(?i)((?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|credentials?|authorization)[\"']?\\s*[:=]\\s*)"
                    + "(?:(?:basic|bearer)\\s+)?(?:\"[^\"]*\"|'[^']*'|[^\\s\"',;&}]+)");
    private static final Pattern SCHEME = Pattern.compile("(?i)\\b(basic|bearer)\\s+[^\\s\"',;]+");
    /** Letters and digits mixed, longer than words are: a key, a token, a digest. */
    private static final Pattern KEY =
            Pattern.compile("(?=[A-Za-z+=_-]{0,200}[0-9])(?=[0-9+=_-]{0,200}[A-Za-z])[A-Za-z0-9+=_-]{20,}");

    private FailureText() {}

    /**
     * The type and the text of what was thrown, of its last cause, and where it came from.
     *
     * @param failure what was thrown
     * @param secrets what must not be shown
     */
    static String of(Throwable failure, Collection<Secret> secrets) {
        List<Throwable> chain = chain(failure);
        Throwable first = chain.get(0);
        Throwable last = chain.get(chain.size() - 1);
        String text = one(first, secrets) + (first == last ? "" : "; caused by " + one(last, secrets)) + where(last);
        return text
                + chain.stream()
                        .map(FailureText::advice)
                        .filter(advice -> !advice.isEmpty())
                        .findFirst()
                        .orElse("");
    }

    /**
     * A text that is meant for people, in one line.
     *
     * @param text the text
     * @param most how many characters of it are shown
     * @param secrets what must not be shown
     */
    static String line(@Nullable String text, int most, Collection<Secret> secrets) {
        return bounded(masked(String.valueOf(text), secrets), most);
    }

    /**
     * A text that was written for nobody in particular, in one line, without what looks like a secret.
     *
     * @param text the text
     * @return what can be shown of it
     */
    public static String guarded(String text) {
        return bounded(guessed(masked(text, List.of())), MOST);
    }

    /** The secrets among values: what sources hold, and what credentials show. */
    static List<Secret> secretsOf(Collection<?> values) {
        List<Secret> secrets = new ArrayList<>();
        for (Object value : values) {
            if (value instanceof SecretSource source) {
                try {
                    secrets.add(source.read());
                } catch (CredentialException e) {
                    // What cannot be read was not told either.
                }
            } else if (value instanceof Credential.Basic basic) {
                secrets.add(basic.password());
                byte[] pair = (basic.user() + ":" + basic.password().reveal()).getBytes(StandardCharsets.UTF_8);
                secrets.add(Secret.of(Base64.getEncoder().withoutPadding().encodeToString(pair)));
            } else if (value instanceof Credential.IdentityToken token) {
                secrets.add(token.refreshToken());
            } else if (value instanceof Credential.AccessToken token) {
                secrets.add(token.token());
            } else if (value instanceof Credential.RegistryToken token) {
                secrets.add(token.token());
            }
        }
        return secrets;
    }

    private static List<Throwable> chain(Throwable failure) {
        List<Throwable> chain = new ArrayList<>(List.of(failure));
        try {
            Throwable cause = failure.getCause();
            if (cause != null && failure instanceof InvocationTargetException) {
                // Reflection's own wrapping says nothing.
                return chain(cause);
            }
            while (cause != null && chain.size() < MOST_CAUSES && !chain.contains(cause)) {
                chain.add(cause);
                cause = cause.getCause();
            }
        } catch (Throwable e) {
            // An exception of somebody's own may fail in itself; what is known of it is enough.
        }
        return chain;
    }

    private static String one(Throwable failure, Collection<Secret> secrets) {
        String message;
        try {
            message = failure.getMessage();
        } catch (Throwable e) {
            message = null;
        }
        String type = failure.getClass().getName().replaceFirst("^java\\.(lang|io|util)\\.(?=[A-Z])", "");
        if (message == null || message.isBlank()) {
            return bounded(type, MOST);
        }
        String text = masked(message, secrets);
        // The JVM's own words are names of classes.
        return bounded(type, MOST) + ": " + bounded(failure instanceof LinkageError ? text : guessed(text), MOST);
    }

    /** The first line of code that is not the JDK's. */
    private static String where(Throwable failure) {
        try {
            for (StackTraceElement frame : failure.getStackTrace()) {
                if (!frame.getClassName().matches("(java|javax|jdk|sun|com\\.sun)\\..*")) {
                    return frame.getClassName().startsWith("io.urunner.agent.")
                            ? ""
                            : bounded(
                                    flat(" (at " + frame.getClassName() + "." + frame.getMethodName() + ":"
                                            + frame.getLineNumber() + ")"),
                                    MOST);
                }
            }
        } catch (Throwable e) {
            // Then it is not known.
        }
        return "";
    }

    private static String advice(Throwable failure) {
        if (failure instanceof UnsupportedClassVersionError) {
            return "; this is Java " + Runtime.version().feature() + ": compile it with --release "
                    + Runtime.version().feature() + " or less";
        }
        if (failure instanceof NoClassDefFoundError
                && String.valueOf(failure.getMessage()).startsWith("Could not")) {
            return "; its static initialiser failed before";
        }
        if (failure instanceof NoClassDefFoundError || failure instanceof ClassNotFoundException) {
            return "; it lacks a library: put that into its jar, or the library's jar beside it";
        }
        if (failure instanceof IncompatibleClassChangeError) {
            return "; it was compiled against another version of a library or of registry-v2-client";
        }
        if (failure instanceof ClassFormatError) {
            return "; the class file is damaged: build or copy the jar again";
        }
        return "";
    }

    private static String cut(String text) {
        return text.length() <= MOST_READ ? text : text.substring(0, MOST_READ);
    }

    /** One line that a terminal shows as it is: no control, no format character, no half of one. */
    private static String flat(String text) {
        return text.codePoints()
                .map(point -> switch (Character.getType(point)) {
                    case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> ' ';
                    case Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED -> '?';
                    default -> point;
                })
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString()
                .replaceAll(" {2,}", " ")
                .strip();
    }

    private static String masked(String whole, Collection<Secret> secrets) {
        Set<String> forms = new LinkedHashSet<>();
        for (Secret secret : secrets) {
            String value = secret.reveal();
            forms.add(flat(value));
            value.lines()
                    .map(FailureText::flat)
                    .filter(line -> line.length() >= SHORTEST_LINE)
                    .forEach(forms::add);
            forms.add(URLEncoder.encode(value, StandardCharsets.UTF_8));
            byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
            forms.add(Base64.getEncoder().withoutPadding().encodeToString(bytes));
            forms.add(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
        }
        String text = flat(cut(whole));
        for (String form : forms.stream()
                .sorted((one, other) -> other.length() - one.length())
                .toList()) {
            if (form.length() >= SHORTEST_SECRET) {
                text = text.replace(form, HIDDEN);
            }
        }
        if (whole.length() > MOST_READ) {
            // What was cut may end within a secret.
            for (String form : forms) {
                for (int length = Math.min(form.length(), text.length()); length > 0; length--) {
                    if (text.endsWith(form.substring(0, length))) {
                        text = text.substring(0, text.length() - length);
                        break;
                    }
                }
            }
        }
        return Printable.line(text);
    }

    private static String guessed(String text) {
        String named = NAMED.matcher(text).replaceAll("$1" + HIDDEN);
        String scheme = SCHEME.matcher(named).replaceAll("$1 " + HIDDEN);
        return KEY.matcher(scheme).replaceAll(HIDDEN);
    }

    private static String bounded(String text, int most) {
        if (text.length() <= most) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(most - 2)) ? most - 2 : most - 1;
        return text.substring(0, end) + "…";
    }
}
