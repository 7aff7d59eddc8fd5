package io.urunner.registry.examples;

import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.Repository;
import io.urunner.registry.dockerconfig.CredentialHelpers;
import io.urunner.registry.dockerconfig.DockerConfigFile;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Prints the tags of a repository, with the credentials of {@code docker login}: {@code ListTags ghcr.io/team/app}. */
final class ListTags {
    private ListTags() {}

    public static void main(String... arguments) throws RegistryException, InterruptedException {
        ExecutorService readers = Executors.newCachedThreadPool();
        var helpers = new CredentialHelpers(
                CredentialHelpers.searchPath(System.getenv("PATH")), Duration.ofSeconds(30), readers);
        Path file = DockerConfigFile.locate(System.getenv(), Path.of(System.getProperty("user.home")));
        try (var credentials = new DockerConfigFile(file, helpers, InstantSource.system());
                var client = RegistryClient.builder().credentials(credentials).build()) {
            var pages = client.tags(Repository.parse(arguments[0]));
            while (pages.hasNext()) {
                pages.next().forEach(System.out::println);
            }
        } finally {
            readers.shutdown();
        }
    }
}
