/** Credentials for DigitalOcean registries. */
module io.urunner.registry.digitalocean {
    requires transitive io.urunner.registry;
    requires static org.jspecify;

    exports io.urunner.registry.digitalocean;

    provides io.urunner.registry.auth.CredentialPlugin with
            io.urunner.registry.digitalocean.DigitalOceanPlugin;
}
