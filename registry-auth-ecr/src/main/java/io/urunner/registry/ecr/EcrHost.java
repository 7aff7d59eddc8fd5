package io.urunner.registry.ecr;

import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the host name of a private registry states. One token serves all accounts of a region; the host decides which
 * account is used.
 *
 * @param account the account's twelve digits
 * @param region the region
 * @param fips whether it uses the FIPS endpoints
 * @param dualStack whether it uses the endpoints for IPv4 and IPv6
 */
record EcrHost(String account, String region, boolean fips, boolean dualStack) {
    private static final Pattern PRIVATE =
            Pattern.compile("([0-9]{12})\\.dkr[.-]ecr(-fips)?\\.([a-z0-9-]+)\\.([a-z0-9.-]+)");
    private static final Set<String> DUAL_STACK = Set.of("on.aws", "on.amazonwebservices.com.cn");
    private static final Set<String> SINGLE_STACK = Set.of(
            "amazonaws.com",
            "amazonaws.com.cn",
            "amazonaws.eu",
            "c2s.ic.gov",
            "sc2s.sgov.gov",
            "cloud.adc-e.uk",
            "csp.hci.ic.gov");
    private static final Set<String> PUBLIC = Set.of("public.ecr.aws", "ecr-public.aws.com");

    /** Reads a host; a port, as with a tunnel to AWS, is ignored. */
    static Optional<EcrHost> parse(String registry) {
        Matcher host = PRIVATE.matcher(withoutPort(registry));
        if (!host.matches()) {
            return Optional.empty();
        }
        boolean dualStack = DUAL_STACK.contains(host.group(4));
        if (!dualStack && !SINGLE_STACK.contains(host.group(4))) {
            return Optional.empty();
        }
        return Optional.of(new EcrHost(host.group(1), host.group(3), host.group(2) != null, dualStack));
    }

    /** Whether the host is that of ECR Public. */
    static boolean isPublic(String registry) {
        return PUBLIC.contains(withoutPort(registry));
    }

    private static String withoutPort(String registry) {
        int colon = registry.indexOf(':');
        return colon < 0 ? registry : registry.substring(0, colon);
    }
}
