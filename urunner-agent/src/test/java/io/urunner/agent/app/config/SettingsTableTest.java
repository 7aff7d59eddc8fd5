package io.urunner.agent.app.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class SettingsTableTest {
    @Test
    void everySettingIsInTheTable() {
        assertThat(SettingsTable.markdown(new PluginDirectory().discover(Optional.empty()))
                        .lines())
                .anyMatch(line -> line.startsWith("| `URUNNER_CONF_FREQUENCY_CHECK_SECONDS` | `interval` | `30` |"))
                .anyMatch(line -> line.startsWith("| `URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH` | `registries[].host` |"
                        + " `harbor.default.svc.cluster.local:8080` |"))
                .anyMatch(line -> line.contains("`URUNNER_SECR_GITLAB_TOKEN` | `registries[].credentials.token` |  |"
                        + " required; a secret, for the type `gitlab`"))
                .anyMatch(line -> line.contains("`URUNNER_SECR_REGISTRY_USER`") && line.contains("`generic`"))
                .anyMatch(line -> line.contains("`URUNNER_SECR_AWS_SECRET_ACCESS_KEY`"))
                .allMatch(line -> line.split(" \\| ", -1).length == 4);
    }
}
