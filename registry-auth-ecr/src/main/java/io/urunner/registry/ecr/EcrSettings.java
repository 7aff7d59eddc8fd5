package io.urunner.registry.ecr;

import io.urunner.registry.auth.SecretSource;
import java.net.URI;
import java.util.Optional;

/**
 * How to read from Amazon ECR.
 *
 * @param accessKeyId an access key's id; without a key, the AWS SDK's default chain is used (environment, web identity,
 *     profile files, container credentials, instance profile)
 * @param secretAccessKey the access key's secret
 * @param region the region of registries whose host name does not state it (a custom name)
 * @param endpoint the URL of the ECR API if it is not the public one, for example a VPC endpoint
 */
public record EcrSettings(
        Optional<SecretSource> accessKeyId,
        Optional<SecretSource> secretAccessKey,
        Optional<String> region,
        Optional<URI> endpoint) {
    /** The SDK's default chain, and the region that the host name states. */
    public static final EcrSettings DEFAULT =
            new EcrSettings(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    public EcrSettings {
        if (accessKeyId.isPresent() != secretAccessKey.isPresent()) {
            throw new IllegalArgumentException("'accessKeyId' and 'secretAccessKey' belong together: set both, or"
                    + " neither to use the AWS SDK's default chain");
        }
        if (region.isPresent() && !region.get().matches("[a-z0-9-]+")) {
            throw new IllegalArgumentException("'region' is not an AWS region: " + region.get());
        }
        if (endpoint.isPresent()
                && (!endpoint.get().isAbsolute() || endpoint.get().getHost() == null)) {
            throw new IllegalArgumentException("'endpoint' is not the URL of an API: " + endpoint.get());
        }
    }
}
