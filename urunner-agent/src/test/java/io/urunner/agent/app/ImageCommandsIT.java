package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Manifest;
import io.urunner.registry.MediaType;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.Skopeo;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.UsedSecrets;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The commands {@code urunner image …} against CNCF Distribution, with skopeo as the witness. */
@Tag("heavy")
class ImageCommandsIT extends WiredCommands {
    private static final String PASSWORD = "right-pass-4711";
    private static final String WRONG = "wrong-pass-4711";

    private static Skopeo skopeo;
    private static DockerRegistry source;
    private static DockerRegistry locked;

    @BeforeAll
    static void start() {
        skopeo = Skopeo.require();
        source = DockerRegistry.builder().deleteEnabled().start();
        locked = DockerRegistry.builder().user("ci", PASSWORD).start();
        UsedSecrets.add(WRONG);
    }

    @AfterAll
    static void stop() {
        for (DockerRegistry each : new DockerRegistry[] {source, locked}) {
            if (each != null) {
                each.close();
            }
        }
    }

    @BeforeEach
    void fill() throws IOException {
        source.pushIndex("team/app", "v1", "one", "amd64", "arm64");
        logIn(PASSWORD);
    }

    private void logIn(String password) throws IOException {
        String auth = Base64.getEncoder().encodeToString(("ci:" + password).getBytes(StandardCharsets.UTF_8));
        UsedSecrets.add(auth);
        Path file = folder.resolve(".docker/config.json");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "{\"auths\":{\"" + locked.host() + "\":{\"auth\":\"" + auth + "\"}}}");
    }

    /** What a command prints, if it succeeds. */
    private String printed(String... words) {
        return ended(0, words);
    }

    private String ended(int code, String... words) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        List<String> all = new ArrayList<>(List.of("image"));
        all.addAll(List.of(words));
        assertThat(run(all.toArray(String[]::new))).as("%s: %s", all, err).isEqualTo(code);
        return out.toString();
    }

    private static String at(DockerRegistry registry, String name) {
        return registry.host() + "/" + name;
    }

    private String raw(String location) throws Exception {
        return new String(skopeo.run("inspect", "--raw", "--tls-verify=false", location), StandardCharsets.UTF_8);
    }

    @Test
    void looksAtWhatSkopeoSees() throws Exception {
        String image = at(source, "team/app:v1");
        String index = raw("docker://" + image);
        String arm = TestImage.image("one", "arm64").digest();

        assertThat(printed("ls", at(source, "team/app"))).contains("v1\n");
        assertThat(printed("digest", image)).isEqualTo(TestImage.digest(bytes(index)) + "\n");
        assertThat(printed("digest", "--platform", "linux/arm64", image)).isEqualTo(arm + "\n");
        assertThat(printed("manifest", image).strip()).isEqualTo(index.strip());
        assertThat(printed("manifest", "--platform", "linux/arm64", image).strip())
                .isEqualTo(raw("docker://" + at(source, "team/app@" + arm)).strip());
        assertThat(printed("tree", image)).contains("linux/amd64", "linux/arm64", "  layer sha256:");
        assertThat(printed("tree", "--platform", "linux/arm64", image))
                .contains("image " + arm.substring(0, 19))
                .doesNotContain("linux/amd64");
        assertThat(printed("digest", "-o", "json", image))
                .contains("\"schema\" : 1", "\"mediaType\" : \"" + MediaType.OCI_INDEX + "\"");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void copiesBetweenRegistriesAndFilesOfEachKind() throws Exception {
        String from = at(source, "team/app:v1");
        String index = raw("docker://" + from);
        String to = at(locked, "mirror/app:v1");

        assertThat(printed("copy", from, to)).contains(" copied: ");
        assertThat(printed("copy", from, to)).contains(": 0 transferred (0 B)");
        assertThat(printed("manifest", to).strip()).isEqualTo(index.strip());

        assertThat(printed("copy", from, "oci:" + folder.resolve("layout") + ":v1"))
                .contains(" copied: ");
        assertThat(raw("oci:" + folder.resolve("layout") + ":v1")).isEqualTo(index);
        printed("copy", from, "oci-archive:" + folder.resolve("app.tar") + ":v1");
        assertThat(raw("oci-archive:" + folder.resolve("app.tar") + ":v1")).isEqualTo(index);
        assertThat(printed(
                        "copy", "-o", "json", "oci-archive:" + folder.resolve("app.tar"), at(locked, "again/app:v2")))
                .contains("\"outcome\" : \"copied\"", "\"dryRun\" : false");
        assertThat(printed("manifest", at(locked, "again/app:v2")).strip()).isEqualTo(index.strip());

        String docker = "docker-archive:" + folder.resolve("docker.tar") + ":shop/app:v1";
        printed("copy", "--platform", "linux/arm64", from, docker);
        assertThat(new String(skopeo.run("inspect", "--config", docker), StandardCharsets.UTF_8))
                .contains("arm64");
        printed("copy", "--platform", "linux/amd64,linux/arm64", from, at(locked, "some/app:v1"));
        assertThat(printed("tree", at(locked, "some/app:v1"))).contains("linux/amd64", "linux/arm64");
    }

    @Test
    void aDryRunCountsWhatWouldBeMountedApart() {
        String from = at(source, "team/app:v1");
        String to = at(source, "mounted/app:v1");

        String would = printed("copy", "--dry-run", from, to);
        assertThat(err.toString()).contains("would be mounted sha256:", "would be copied sha256:");
        String did = printed("copy", from, to);

        assertThat(did).contains(" mounted, 0 already there").doesNotContain(" 0 mounted");
        assertThat(would.replace(" would be copied: ", " copied: ")).isEqualTo(did);
        assertThat(printed("copy", "--dry-run", from, to)).contains(": 0 transferred (0 B), 0 mounted, ");
    }

    @Test
    void copiesWhatDockerSaved() throws Exception {
        String amd = at(source, "team/app@" + TestImage.image("one", "amd64").digest());
        Path saved = folder.resolve("saved.tar");
        skopeo.run("copy", "--src-tls-verify=false", "docker://" + amd, "docker-archive:" + saved + ":shop/app:v1");

        String to = at(source, "from/docker:v1");
        assertThat(printed("copy", "docker-archive:" + saved, to)).contains(" copied: ");
        // skopeo verifies the layers against the configuration.
        skopeo.run("copy", "--src-tls-verify=false", "docker://" + to, "dir:" + folder.resolve("dir"));
    }

    @Test
    void listsCopiesAndShowsReferrers() throws Exception {
        String name = at(source, "signed/app:v1");
        printed("copy", "--platform", "linux/amd64", at(source, "team/app:v1"), name);
        ImageReference image = ImageReference.parse(name);
        Manifest sbom;
        try (RegistryClient client = RegistryClient.builder().build()) {
            byte[] content = bytes("{\"sbom\":true}");
            Descriptor blob = new Descriptor("application/spdx+json", Digest.of(content), content.length);
            client.pushBlob(image.toRepository(), blob, () -> new ByteArrayInputStream(content));
            client.pushBlob(image.toRepository(), Manifest.EMPTY_CONFIG, () -> new ByteArrayInputStream(bytes("{}")));
            Descriptor subject = client.resolve(image);
            sbom = Manifest.artifact("application/spdx+json", List.of(blob), Optional.of(subject), Map.of());
            client.pushManifest(image.toRepository().digest(sbom.digest()), sbom);
        }

        assertThat(printed("referrers", name)).matches(sbom.digest() + " +[0-9]+ B +application/spdx\\+json\n");
        assertThat(printed("referrers", "--type", "application/other", name)).isEmpty();
        assertThat(printed("referrers", "-o", "json", name)).contains("\"artifactType\" : \"application/spdx+json\"");
        assertThat(printed("tree", name))
                .contains("  referrer " + sbom.digest().toString().substring(0, 19));
        String to = at(locked, "signed/app:v1");
        printed("copy", name, to);
        assertThat(printed("referrers", to)).isEmpty();
        printed("copy", "--referrers", name, to);
        assertThat(printed("referrers", to)).contains(sbom.digest().toString());
    }

    @Test
    void deletesATagOrADigestOnlyOnRequest() {
        String digest = source.push("old/app", "v1", "old");
        source.push("old/app", "v2", "new");
        String v1 = at(source, "old/app:v1");

        assertThat(ended(2, "delete", v1)).contains("would delete " + v1 + " " + digest);
        assertThat(printed("ls", at(source, "old/app"))).contains("v1");
        assertThat(printed("delete", "--yes", v1)).contains("deleted " + v1);
        assertThat(printed("ls", at(source, "old/app"))).isEqualTo("v2\n");
        assertThat(ended(1, "digest", v1)).isEmpty();
        assertThat(ended(1, "delete", "--yes", "-o", "json", v1)).contains("\"deleted\" : false", "\"problem\" : ");
    }

    @Test
    void failuresSayWhatToDoAndShowNoPassword() throws Exception {
        assertThat(ended(1, "digest", at(source, "team/app:missing"))).isEmpty();
        assertThat(err.toString())
                .contains("urunner: ", "team/app:missing", "HTTP 404")
                .hasLineCount(1);

        logIn(WRONG);
        assertThat(ended(1, "copy", at(source, "team/app:v1"), at(locked, "no/app:v1")))
                .isEmpty();
        assertThat(err.toString())
                .contains(locked.host(), "HTTP 401", ".docker/config.json")
                .doesNotContain(WRONG);
        assertThat(ended(1, "ls", at(locked, "mirror/app"))).isEmpty();
        assertThat(err.toString()).contains("HTTP 401").doesNotContain(WRONG);

        try (DockerRegistry stopped = DockerRegistry.start()) {
            stopped.stop();
            assertThat(ended(1, "digest", at(stopped, "team/app:v1"))).isEmpty();
            assertThat(err.toString()).contains(stopped.host(), "cannot be reached");
        }
        assertThat(ended(1, "copy", "oci-archive:" + folder.resolve("none.tar"), at(source, "x/y:z")))
                .isEmpty();
        assertThat(err.toString()).contains("none.tar");
    }
}
