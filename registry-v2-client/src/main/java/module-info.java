import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.builtin.AcrPlugin;
import io.urunner.registry.builtin.DockerHubPlugin;
import io.urunner.registry.builtin.GenericPlugin;
import io.urunner.registry.builtin.GhcrPlugin;
import io.urunner.registry.builtin.GooglePlugin;

/** A client for the Docker Registry v2 and OCI distribution API, and the SPI for credentials. */
module io.urunner.registry {
    requires com.fasterxml.jackson.databind;
    requires transitive okhttp3;
    requires org.slf4j;
    requires static org.jspecify;

    exports io.urunner.registry;
    exports io.urunner.registry.auth;
    exports io.urunner.registry.builtin;
    exports io.urunner.registry.copy;
    exports io.urunner.registry.dockerconfig;

    uses CredentialPlugin;

    provides CredentialPlugin with
            AcrPlugin,
            DockerHubPlugin,
            GenericPlugin,
            GhcrPlugin,
            GooglePlugin;
}
