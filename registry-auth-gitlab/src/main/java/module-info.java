/** Credentials for GitLab registries. */
module io.urunner.registry.gitlab {
    requires transitive io.urunner.registry;
    requires static org.jspecify;

    exports io.urunner.registry.gitlab;

    provides io.urunner.registry.auth.CredentialPlugin with
            io.urunner.registry.gitlab.GitLabPlugin;
}
