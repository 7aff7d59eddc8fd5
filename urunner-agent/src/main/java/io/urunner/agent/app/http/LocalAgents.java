package io.urunner.agent.app.http;

import io.urunner.registry.auth.Secret;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The agents of one user on one machine, or in one pod: each writes its port and a token to a file that only that
 * user can read, so that commands find it. One file per process, {@code urunner-UID/agent-PID.json} in the folder
 * of temporary files. Thread-safe.
 */
public final class LocalAgents {
    private static final Set<PosixFilePermission> FOLDER = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");
    private static final Pattern NAME = Pattern.compile("agent-(\\d{1,18})\\.json");
    /** Written by us alone: a JSON parser would cost the commands more memory than all the rest. */
    private static final Pattern CONTENT =
            Pattern.compile("\\{\"port\":(\\d{1,5}),\"token\":\"([\\w-]+)\",\"cluster\":\"([^\"]*)\"}\\s*");

    private final Path folder;

    /**
     * The agents of the user that this process runs as.
     *
     * @param temporary the folder of temporary files
     */
    public LocalAgents(Path temporary) {
        folder = temporary.resolve("urunner-" + user());
    }

    /** The user's id, or the user's name if the system does not provide the id. */
    private static String user() {
        try {
            return String.valueOf(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
        } catch (IOException | UnsupportedOperationException e) {
            return System.getProperty("user.name", "");
        }
    }

    /**
     * A running agent.
     *
     * @param pid its process
     * @param port its HTTP port
     * @param token the token that its endpoints require
     * @param cluster the API server that it watches
     */
    public record LocalAgent(long pid, int port, Secret token, String cluster) {}

    /**
     * Registers a running agent.
     *
     * @param agent the agent: this process
     * @return removes the registration
     * @throws IOException if it cannot be written so that only this user can read it
     */
    public AutoCloseable register(LocalAgent agent) throws IOException {
        try {
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(FOLDER));
            }
            if (!isOurs()) {
                throw new IOException("the folder " + folder
                        + " belongs to somebody else, or is accessible to others: remove it, or set its mode to 0700");
            }
            Path file = folder.resolve("agent-" + agent.pid() + ".json");
            Path fresh = Files.createTempFile(folder, "new", "", PosixFilePermissions.asFileAttribute(FILE));
            Files.writeString(
                    fresh,
                    "{\"port\":" + agent.port() + ",\"token\":\""
                            + agent.token().reveal() + "\",\"cluster\":\""
                            + agent.cluster().replaceAll("[\"\\\\]", "") + "\"}\n");
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return () -> Files.deleteIfExists(file);
        } catch (UnsupportedOperationException e) {
            throw new IOException("the file system of " + folder + " does not support file owners", e);
        }
    }

    /** Tells whether only this user can write to the folder. */
    private boolean isOurs() throws IOException {
        String owner = String.valueOf(Files.getAttribute(folder, "unix:uid", LinkOption.NOFOLLOW_LINKS));
        return Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS).equals(FOLDER)
                && (folder.endsWith("urunner-" + owner)
                        || folder.endsWith("urunner-" + Files.getOwner(folder).getName()));
    }

    /**
     * The agents whose process is alive. They are not contacted.
     *
     * @return the agents, by process
     */
    public List<LocalAgent> find() {
        List<LocalAgent> found = new ArrayList<>();
        try {
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) || !isOurs()) {
                return List.of();
            }
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
                files.forEach(file -> read(file).ifPresent(found::add));
            }
        } catch (IOException | UncheckedIOException | UnsupportedOperationException e) {
            return List.of();
        }
        found.sort(Comparator.comparingLong(LocalAgent::pid));
        return found;
    }

    private static Optional<LocalAgent> read(Path file) {
        Matcher name = NAME.matcher(file.getFileName().toString());
        if (!name.matches()
                || ProcessHandle.of(Long.parseLong(name.group(1)))
                        .filter(ProcessHandle::isAlive)
                        .isEmpty()) {
            return Optional.empty();
        }
        try {
            Matcher content = CONTENT.matcher(Files.readString(file));
            return content.matches()
                    ? Optional.of(new LocalAgent(
                            Long.parseLong(name.group(1)),
                            Integer.parseInt(content.group(1)),
                            Secret.of(content.group(2)),
                            content.group(3)))
                    : Optional.empty();
        } catch (IOException e) {
            // It has just ended.
            return Optional.empty();
        }
    }
}
