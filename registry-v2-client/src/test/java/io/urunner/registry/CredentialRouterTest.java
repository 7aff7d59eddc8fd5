package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CredentialRouterTest {
    private final FixedCredentials host = named("host");
    private final FixedCredentials team = named("team");
    private final FixedCredentials deep = named("deep");
    private final FixedCredentials hub = named("hub");
    private final CredentialRouter router = new CredentialRouter(Map.<RegistryPrefix, CredentialProvider>of(
            RegistryPrefix.parse("reg.example"),
            host,
            RegistryPrefix.parse("reg.example/team"),
            team,
            RegistryPrefix.parse("reg.example/team/deep"),
            deep,
            RegistryPrefix.parse("docker.io"),
            hub));

    private static FixedCredentials named(String user) {
        return new FixedCredentials(FixedCredentials.basic(user, "x"));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "nobody",
            value = {
                "reg.example, app, host",
                "reg.example, team/app, team",
                "reg.example, team, team",
                "reg.example, teams/app, host",
                "reg.example, team/deep/app, deep",
                "reg.example, team/deeper/app, team",
                "reg.example:443, app, nobody",
                "evilreg.example, app, nobody",
                "docker.io, library/nginx, hub",
                "registry-1.docker.io, library/nginx, hub",
                "registry.hub.docker.com, team/app, hub",
                "DOCKER.IO, '', hub",
                "index.docker.io, '', hub",
                "reg.example, '', deep",
            })
    void asksTheProviderWithTheLongestPrefix(String registry, String repository, String user)
            throws CredentialException {
        List<Credential> credentials = router.credentials(registry, repository);

        assertThat(credentials).isEqualTo(user == null ? List.of() : List.of(FixedCredentials.basic(user, "x")));
        assertThat(router.describe(registry, repository)).isEqualTo(user == null ? "no credentials" : "test account");
    }

    @Test
    void passesRefusalsAndHintsOn() {
        team.hints(AuthHints.sendBasicDirectly());
        Credential refused = FixedCredentials.basic("team", "x");

        router.refused("reg.example", refused);

        assertThat(router.hints("reg.example")).isEqualTo(AuthHints.sendBasicDirectly());
        assertThat(router.hints("docker.io")).isEqualTo(AuthHints.NONE);
        assertThat(team.refused).containsExactly(refused);
        assertThat(hub.refused).isEmpty();
    }
}
