/** Credentials for Harbor registries. */
module io.urunner.registry.harbor {
    requires transitive io.urunner.registry;
    requires static org.jspecify;

    exports io.urunner.registry.harbor;

    provides io.urunner.registry.auth.CredentialPlugin with
            io.urunner.registry.harbor.HarborPlugin;
}
