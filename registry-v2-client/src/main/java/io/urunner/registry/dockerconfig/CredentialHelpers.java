package io.urunner.registry.dockerconfig;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.Secret;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs Docker's credential helpers: programs named {@code docker-credential-NAME} that read a server from standard
 * input and print user and secret. Thread-safe; a request runs in the caller's thread and blocks it up to the deadline.
 */
public final class CredentialHelpers {
    private static final int MAX_OUTPUT = 64 * 1024;

    /** How long a program may take to exit after it closed its output. */
    private static final Duration LAST_BREATH = Duration.ofSeconds(2);

    private static final String TOKEN_USER = "<token>";
    private static final String NOT_FOUND = "credentials not found";

    private final List<Path> searchPath;
    private final Duration deadline;
    private final Executor readers;

    /**
     * Creates a runner. It does no I/O.
     *
     * @param searchPath the directories with the programs
     * @param deadline how long a program may run before it is killed
     * @param readers runs a task for as long as a program prints, while the caller waits; it must not be the executor
     *     of the callers if that has a fixed number of threads
     */
    public CredentialHelpers(List<Path> searchPath, Duration deadline, Executor readers) {
        this.searchPath = List.copyOf(searchPath);
        this.deadline = deadline;
        this.readers = readers;
    }

    /**
     * Returns the directories of a search path in the format of the environment variable {@code PATH}.
     *
     * @param path the value; the empty text for none
     * @return the absolute directories in it
     */
    public static List<Path> searchPath(String path) {
        List<Path> directories = new ArrayList<>();
        for (String entry : path.split(File.pathSeparator, -1)) {
            Path directory = Path.of(entry);
            if (directory.isAbsolute()) {
                directories.add(directory);
            }
        }
        return directories;
    }

    /**
     * Asks a helper.
     *
     * @param helper the name after {@code docker-credential-}
     * @param server the server to ask for
     * @return the credential, or empty if the helper has none for the server
     * @throws CredentialException if the program does not exist, fails, takes too long or prints something else; its
     *     output is not repeated
     */
    Optional<Credential> get(String helper, String server) throws CredentialException {
        String program = "docker-credential-" + helper;
        Path executable = find(helper, program);
        try {
            return run(executable, program, server);
        } catch (IOException e) {
            throw new CredentialException(
                    "the credential helper " + executable + " could not be run: " + e.getMessage(), true, e);
        }
    }

    private Path find(String helper, String program) throws CredentialException {
        if (!helper.matches("[a-zA-Z0-9._-]+")) {
            throw new CredentialException(
                    "the name of a credential helper may contain only letters, digits, and . _ -, but this one has others",
                    false);
        }
        for (Path directory : searchPath) {
            Path candidate = directory.resolve(program);
            if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
                return candidate;
            }
        }
        throw new CredentialException(
                "the credential helper " + program + " is not in the search path " + searchPath
                        + "; install it, or remove it from the Docker configuration",
                false);
    }

    private Optional<Credential> run(Path executable, String program, String server)
            throws IOException, CredentialException {
        Process process = new ProcessBuilder(executable.toString(), "get")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            InputStream in = process.getInputStream();
            // A pipe can only be read by waiting, and the wait cannot be interrupted; so another thread waits.
            var output = new FutureTask<byte[]>(() -> in.readNBytes(MAX_OUTPUT + 1));
            readers.execute(output);
            try (OutputStream out = process.getOutputStream()) {
                out.write((server + "\n").getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // It exited without reading; its exit status says more.
            }
            byte[] bytes = output.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
            if (bytes.length > MAX_OUTPUT) {
                throw new CredentialException(
                        "the credential helper " + program + " printed more than " + MAX_OUTPUT + " bytes for "
                                + server,
                        false);
            }
            if (!process.waitFor(LAST_BREATH.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new TimeoutException();
            }
            if (process.exitValue() == 0) {
                return read(bytes, program, server);
            } else if (new String(bytes, StandardCharsets.UTF_8).contains(NOT_FOUND)) {
                return Optional.empty();
            }
            throw new CredentialException(
                    "the credential helper " + program + " failed with exit status " + process.exitValue() + " for "
                            + server + "; run `echo " + server + " | " + program + " get` to see why",
                    true);
        } catch (TimeoutException e) {
            throw new CredentialException(
                    "the credential helper " + program + " did not answer for " + server + " within "
                            + deadline.toMillis() + " ms and was stopped; is it waiting for input?",
                    true);
        } catch (ExecutionException e) {
            throw new IOException("its output cannot be read", e.getCause());
        } catch (RejectedExecutionException e) {
            throw new IOException("no thread is available to read its output", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CredentialException(
                    "interrupted while the credential helper " + program + " was asked for " + server, true, e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static Optional<Credential> read(byte[] output, String program, String server) throws CredentialException {
        try {
            Entry answer = ConfigJson.withoutHelpers(output).object;
            String user = answer.text("username");
            String secret = answer.text("secret");
            return user.equals(TOKEN_USER) && !secret.isEmpty()
                    ? Optional.of(new Credential.IdentityToken(Secret.of(secret)))
                    : Entry.basic(user, secret);
        } catch (IllegalArgumentException e) {
            throw new CredentialException(
                    "the credential helper " + program + " printed something for " + server
                            + " that does not follow its protocol: " + e.getMessage(),
                    true);
        }
    }
}
