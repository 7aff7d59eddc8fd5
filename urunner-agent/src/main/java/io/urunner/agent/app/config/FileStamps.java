package io.urunner.agent.app.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * Identifies the state of some files: equal as long as no file has changed. A mounted ConfigMap or Secret changes when a
 * symbolic link points elsewhere, which puts another file at the path. Immutable.
 *
 * @param stamps the state of each file, by path
 */
public record FileStamps(Map<Path, String> stamps) {
    public FileStamps {
        stamps = Map.copyOf(stamps);
    }

    /**
     * The files as they are now.
     *
     * @param files the paths; a file that does not exist has a state, too
     * @return the stamps
     */
    public static FileStamps of(Collection<Path> files) {
        Map<Path, String> stamps = new HashMap<>();
        files.forEach(file -> stamps.put(file, stamp(file)));
        return new FileStamps(stamps);
    }

    private static String stamp(Path file) {
        try {
            Path real = file.toRealPath();
            BasicFileAttributes attributes = Files.readAttributes(real, BasicFileAttributes.class);
            return real + " " + attributes.fileKey() + " " + attributes.lastModifiedTime() + " " + attributes.size();
        } catch (IOException e) {
            return "missing";
        }
    }
}
