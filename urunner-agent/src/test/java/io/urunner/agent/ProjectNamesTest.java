package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The project owns no name at a registry, a forge or a site: anyone who registered a name that we present as ours would
 * be trusted in our place. The root POM is the only place that names the owner.
 */
class ProjectNamesTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Set<String> PASSED_OVER = Set.of(".git", "target", "node_modules");
    private static final Pattern OURS = Pattern.compile(
            "(?i)(github\\.com|ghcr\\.io|gitlab\\.com|docker\\.io|hub\\.docker\\.com/r|quay\\.io|public\\.ecr\\.aws|gcr\\.io)"
                    + "[/:]urunner\\b|https?://([a-z0-9-]+\\.)*urunner\\.(?!invalid\\b|urunner\\b)[a-z]+");

    @Test
    void nothingNamesAnOwner() throws IOException {
        List<String> found = new ArrayList<>();
        for (Path file : files()) {
            // As bytes: files that are not text contain no names either.
            String text = Files.readString(file, StandardCharsets.ISO_8859_1);
            OURS.matcher(text).results().forEach(match -> found.add(ROOT.relativize(file) + ": " + match.group()));
        }
        assertThat(found).isEmpty();
    }

    @Test
    void thereIsNoOwnerUntilOneIsSet() throws IOException {
        assertThat(Files.readString(ROOT.resolve("pom.xml")))
                .contains("<project.owner>urunner.invalid</project.owner>");
    }

    private static List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                return PASSED_OVER.contains(folder.getFileName().toString())
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                files.add(file);
                return FileVisitResult.CONTINUE;
            }
        });
        return files;
    }
}
