package io.urunner.registry.ecr;

import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;

/** Amazon ECR, private and public (type {@code aws_ecr}). */
public final class EcrPlugin implements CredentialPlugin<EcrSettings> {
    /** Called by {@link java.util.ServiceLoader}. */
    public EcrPlugin() {}

    @Override
    public String type() {
        return "aws_ecr";
    }

    @Override
    public Class<EcrSettings> settingsType() {
        return EcrSettings.class;
    }

    @Override
    public boolean recognises(String registry) {
        return EcrHost.isPublic(registry) || EcrHost.parse(registry).isPresent();
    }

    @Override
    public CredentialProvider create(EcrSettings settings, PluginContext context) {
        String registry = context.registry();
        if (!recognises(registry) && settings.region().isEmpty()) {
            throw new IllegalArgumentException(registry + " is not the host name of an Amazon ECR registry"
                    + " (<account>.dkr.ecr.<region>.amazonaws.com); set 'region' if it is your own name for one");
        }
        return new EcrProvider(settings, context);
    }
}
