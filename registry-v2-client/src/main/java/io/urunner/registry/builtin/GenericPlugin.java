package io.urunner.registry.builtin;

import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;

/** Any registry, with a user and a password or anonymously (type {@code generic}). */
public final class GenericPlugin implements CredentialPlugin<PasswordSettings> {
    /** Called by {@link java.util.ServiceLoader}. */
    public GenericPlugin() {}

    @Override
    public String type() {
        return "generic";
    }

    @Override
    public Class<PasswordSettings> settingsType() {
        return PasswordSettings.class;
    }

    @Override
    public CredentialProvider create(PasswordSettings settings, PluginContext context) {
        return StaticProvider.ofUser("registry", settings.user().orElse(""), settings.pass());
    }
}
