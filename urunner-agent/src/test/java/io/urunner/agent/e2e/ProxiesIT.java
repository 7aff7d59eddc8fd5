package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.testing.TunnelProxy;
import io.urunner.registry.testing.UsedSecrets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import okhttp3.Credentials;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A command behind a proxy that demands a login. */
@Tag("heavy")
class ProxiesIT {
    private static final String REGISTRY = "111111111111.dkr.ecr.eu-west-1.amazonaws.com";

    @TempDir
    Path folder;

    private Map<String, String> environment(TunnelProxy proxy) {
        Map<String, String> environment = new HashMap<>();
        environment.put("https_proxy", "");
        environment.put("HTTPS_PROXY", "http://agent:hunter%402@" + proxy.at());
        environment.put("NO_PROXY", "");
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", REGISTRY);
        environment.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "aws_ecr");
        environment.put("AWS_EC2_METADATA_DISABLED", "true");
        UsedSecrets.add("hunter%402");
        UsedSecrets.add("hunter@2");
        return environment;
    }

    @Test
    void amazonIsAskedThroughTheProxyWithItsLogin() throws Exception {
        try (TunnelProxy proxy = TunnelProxy.refusing(403).demanding(Credentials.basic("agent", "hunter@2"))) {
            Map<String, String> environment = environment(proxy);
            environment.put("AWS_ACCESS_KEY_ID", "AKIA4711");
            environment.put("AWS_SECRET_ACCESS_KEY", "secret/4711/key");
            try (AgentProcess digest =
                    AgentProcess.start(folder.resolve("digest"), environment, "digest", REGISTRY + "/app:1")) {
                assertThat(digest.exitCode()).isNotZero();
                assertThat(digest.log()).doesNotContain("hunter");
            }
            assertThat(proxy.accepted()).contains("CONNECT api.ecr.eu-west-1.amazonaws.com:443 HTTP/1.1");
        }
    }

    @Test
    void stsIsAskedThroughTheProxyWithItsLogin() throws Exception {
        try (TunnelProxy proxy = TunnelProxy.refusing(403).demanding(Credentials.basic("agent", "hunter@2"))) {
            Map<String, String> environment = environment(proxy);
            environment.put("AWS_REGION", "eu-west-1");
            environment.put("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/urunner");
            environment.put(
                    "AWS_WEB_IDENTITY_TOKEN_FILE",
                    Files.writeString(folder.resolve("token"), "e30.e30.e30").toString());
            try (AgentProcess digest =
                    AgentProcess.start(folder.resolve("digest"), environment, "digest", REGISTRY + "/app:1")) {
                assertThat(digest.exitCode()).isNotZero();
            }
            assertThat(proxy.accepted()).contains("CONNECT sts.eu-west-1.amazonaws.com:443 HTTP/1.1");
        }
    }
}
