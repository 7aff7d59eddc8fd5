package io.urunner.agent.app.config;

import io.urunner.agent.app.config.PluginBorder.Unusable;
import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A plugin's provider behind its border: what it throws or returns wrongly affects only its own registry. Thread-safe. */
final class GuardedProvider implements CredentialProvider {
    private static final Logger LOG = LoggerFactory.getLogger(GuardedProvider.class);

    /** Enough to ask an issuer of tokens. */
    private static final Duration FOR_CREDENTIALS = Duration.ofSeconds(30);
    /** Enough for calls that do no I/O. */
    static final Duration FOR_WORDS = Duration.ofSeconds(5);

    private static final int MOST_CREDENTIALS = 100;
    private static final int LONGEST_SECRET = 65_536;
    private static final int LONGEST_DESCRIPTION = 200;
    private static final int MOST_REGISTRIES = 100;

    private final PluginBorder border;
    private final CredentialProvider provider;
    private final List<Object> settings;
    /** Those returned with the last credentials: the method has no way to report a failure. */
    private final Map<String, AuthHints> hints = new ConcurrentHashMap<>();

    private volatile List<Credential> yielded = List.of();
    private final Set<String> told = ConcurrentHashMap.newKeySet();

    /**
     * A provider behind a border.
     *
     * @param border the plugin's
     * @param provider the plugin's provider
     * @param settings the values of the plugin's settings, some of which are secrets
     */
    GuardedProvider(PluginBorder border, CredentialProvider provider, List<Object> settings) {
        this.border = border;
        this.provider = provider;
        this.settings = settings;
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        List<Credential> found = call("in credentials()", FOR_CREDENTIALS, () -> {
            List<Credential> credentials = checked(provider.credentials(registry, repository));
            AuthHints own = checked(provider.hints(registry));
            if (hints.size() < MOST_REGISTRIES || hints.containsKey(registry)) {
                hints.put(registry, own);
            }
            return credentials;
        });
        yielded = found;
        return found;
    }

    @Override
    public AuthHints hints(String registry) {
        AuthHints known = hints.get(registry);
        if (known != null) {
            return known;
        }
        try {
            return call("in hints()", FOR_WORDS, () -> checked(provider.hints(registry)));
        } catch (CredentialException e) {
            tell(e);
            return AuthHints.NONE;
        }
    }

    @Override
    public void refused(String registry, Credential refused) {
        try {
            Object unused = call("in refused()", FOR_WORDS, () -> {
                provider.refused(registry, refused);
                return true;
            });
        } catch (CredentialException e) {
            tell(e);
        }
    }

    @Override
    public String describe(String registry, String repository) {
        try {
            String text = call("in describe()", FOR_WORDS, () -> {
                @Nullable String said = provider.describe(registry, repository);
                if (said == null || said.isBlank()) {
                    throw new Unusable("describe()", "returned no text");
                }
                return said;
            });
            return FailureText.line(text, LONGEST_DESCRIPTION, secrets());
        } catch (CredentialException e) {
            return "credentials that do not describe themselves: " + e.getMessage();
        }
    }

    @Override
    public void close() {
        try {
            Object unused = call("in close()", FOR_WORDS, () -> {
                provider.close();
                return true;
            });
        } catch (CredentialException e) {
            tell(e);
        }
    }

    private <T> T call(String when, Duration patience, Callable<T> call) throws CredentialException {
        return border.call(when, patience, this::secrets, call);
    }

    private Collection<Secret> secrets() {
        List<Secret> secrets = new ArrayList<>(FailureText.secretsOf(settings));
        secrets.addAll(FailureText.secretsOf(yielded));
        return secrets;
    }

    /** A failure that blocks nothing is logged once. */
    private void tell(CredentialException failure) {
        if (told.size() < MOST_REGISTRIES && told.add(String.valueOf(failure.getMessage()))) {
            LOG.warn("{}", failure.getMessage());
        }
    }

    private static List<Credential> checked(@Nullable List<Credential> credentials) throws Unusable {
        if (credentials == null) {
            throw new Unusable("credentials()", "returned null instead of a list");
        }
        List<Credential> checked = new ArrayList<>();
        for (Credential credential : credentials) {
            if (credential == null) {
                throw new Unusable("credentials()", "returned a list with null in it");
            }
            if (checked.size() == MOST_CREDENTIALS) {
                throw new Unusable("credentials()", "returned more than " + MOST_CREDENTIALS + " credentials");
            }
            for (Secret secret : FailureText.secretsOf(List.of(credential))) {
                check(secret.reveal(), credential instanceof Credential.RegistryToken);
            }
            checked.add(credential);
        }
        return List.copyOf(checked);
    }

    private static void check(String secret, boolean header) throws Unusable {
        if (secret.length() > LONGEST_SECRET) {
            throw new Unusable("credentials()", "returned a secret of more than " + LONGEST_SECRET + " characters");
        }
        if (header && !secret.chars().allMatch(character -> character > ' ' && character < 0x7f)) {
            throw new Unusable(
                    "credentials()", "returned a token with blanks or characters that are not allowed in a header");
        }
    }

    private static AuthHints checked(@Nullable AuthHints hints) throws Unusable {
        if (hints == null || hints.tokenEndpoint() == null) {
            throw new Unusable("hints()", "returned null, or null in it");
        }
        if (hints.tokenEndpoint().map(URI::getHost).isEmpty()
                && hints.tokenEndpoint().isPresent()) {
            throw new Unusable("hints()", "returned a token server that is not a URL with a host");
        }
        return hints;
    }
}
