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
 * Makes texts and exceptions of foreign code safe to show: one line, bounded, printable, without secrets. Known secrets are
 * masked wherever they occur; in texts that were not written for people, so is everything that looks like a secret.
 */
public final class FailureText {
    private static final int MOST = 300;
    /** Longer texts are cut before they are processed. */
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
     * The type and message of an exception and of its root cause, and where it was thrown.
     *
     * @param failure the exception
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
     * A text that was not written for people, in one line, without anything that looks like a secret.
     *
     * @param text the text
     * @return what can be shown
     */
    public static String guarded(String text) {
        return bounded(guessed(masked(text, List.of())), MOST);
    }

    /** The secrets among some values: those in secret sources and in credentials. */
    static List<Secret> secretsOf(Collection<?> values) {
        List<Secret> secrets = new ArrayList<>();
        for (Object value : values) {
            if (value instanceof SecretSource source) {
                try {
                    secrets.add(source.read());
                } catch (CredentialException e) {
                    // A secret that cannot be read cannot leak.
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
            // A custom exception may itself throw; what is known so far is enough.
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
        // The JVM's own messages are class names.
        return bounded(type, MOST) + ": " + bounded(failure instanceof LinkageError ? text : guessed(text), MOST);
    }

    /** The first stack frame outside the JDK. */
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
            return "; it is missing a library: put it into its jar, or the library's jar next to it";
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

    /** One line without control characters, format characters and unpaired surrogates. */
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
            // The cut may be in the middle of a secret.
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
