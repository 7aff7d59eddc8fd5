package io.urunner.agent.app.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileStampsTest {
    @TempDir
    private Path folder;

    @Test
    void theSameFilesAreEqual() throws Exception {
        Path file = Files.writeString(folder.resolve("a"), "one");
        assertThat(FileStamps.of(Set.of(file, folder.resolve("missing"))))
                .isEqualTo(FileStamps.of(Set.of(file, folder.resolve("missing"))));
    }

    @Test
    void anotherContentOrNoFileIsAChange() throws Exception {
        Path file = Files.writeString(folder.resolve("a"), "one");
        FileStamps before = FileStamps.of(Set.of(file));
        Files.writeString(file, "longer");
        FileStamps longer = FileStamps.of(Set.of(file));
        assertThat(longer).isNotEqualTo(before);
        Files.delete(file);
        assertThat(FileStamps.of(Set.of(file))).isNotEqualTo(longer);
    }

    @Test
    void aRetargetedLinkIsAChangeEvenIfTheFilesAreEqual() throws Exception {
        Path first = Files.createDirectory(folder.resolve("..1"));
        Path second = Files.createDirectory(folder.resolve("..2"));
        Files.writeString(first.resolve("pass"), "secret-1");
        Files.writeString(second.resolve("pass"), "secret-2");
        Files.setLastModifiedTime(second.resolve("pass"), Files.getLastModifiedTime(first.resolve("pass")));
        Files.createSymbolicLink(folder.resolve("..data"), first.getFileName());
        Path file = Files.createSymbolicLink(folder.resolve("pass"), Path.of("..data", "pass"));
        FileStamps before = FileStamps.of(Set.of(file));
        Files.createSymbolicLink(folder.resolve("..tmp"), second.getFileName());
        Files.move(
                folder.resolve("..tmp"),
                folder.resolve("..data"),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
        assertThat(FileStamps.of(Set.of(file))).isNotEqualTo(before);
    }
}
