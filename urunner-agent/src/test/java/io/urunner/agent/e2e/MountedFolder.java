package io.urunner.agent.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/**
 * A folder like the kubelet's mount of a ConfigMap or a Secret: each file is a link through {@code ..data}, and {@code
 * ..data} is a link that is replaced by a rename when the content changes.
 */
final class MountedFolder {
    private final Path folder;
    private int version;

    MountedFolder(Path folder, Map<String, String> files) throws IOException {
        this.folder = Files.createDirectories(folder);
        update(files);
        for (String name : files.keySet()) {
            Files.createSymbolicLink(file(name), Path.of("..data", name));
        }
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    void update(Map<String, String> files) throws IOException {
        Path now = Files.createDirectory(folder.resolve("..version-" + ++version));
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.writeString(now.resolve(file.getKey()), file.getValue());
        }
        Path link = Files.createSymbolicLink(folder.resolve("..data_tmp"), now.getFileName());
        Files.move(link, folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
