package io.urunner.agent.app.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * Which files lie at some paths, and since when they are as they are: equal as long as nothing changed. A mounted
 * ConfigMap or Secret changes by a symbolic link that leads elsewhere, which is another file at the path. Immutable.
 *
 * @param stamps by path what lies there
 */
public record FileStamps(Map<Path, String> stamps) {
    public FileStamps {
        stamps = Map.copyOf(stamps);
    }

    /**
     * The files as they are now.
     *
     * @param files the paths; what is not there is remembered as missing
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
