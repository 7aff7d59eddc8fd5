package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.http.BearerToken;
import io.urunner.agent.app.http.LocalAgents;
import io.urunner.agent.app.http.LocalAgents.LocalAgent;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * Queries a running agent: the one at a given address, else the one of this user on this machine. Uses the JDK's oldest
 * HTTP client and no JSON parser, because the command shares the agent's small memory.
 */
final class RunningAgents {

    static final String VARIABLE = "URUNNER_URL";
    private static final int CONNECT_MILLIS = 3_000;
    /** The doctor queries every registry before it answers. */
    private static final int READ_MILLIS = 120_000;
    /** Room for ten thousand workloads with lines of more than a kilobyte. */
    private static final int LARGEST_BODY = 16 << 20;

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "Ask the agent at this address, for example http://10.0.0.7:8080, with the token of"
                    + " URUNNER_SECR_HTTP_TOKEN. The default is URUNNER_URL, or the agent that runs on this"
                    + " machine.")
    private @Nullable String url;

    /** The request, built once an agent has been found. */
    interface Question {
        String path() throws CommandException, ConfigurationException;
    }

    /** The answer of the agent; empty if none was chosen and none runs here. */
    Optional<Answer> ask(CommandContext context, SettingsOptions settings, Question question)
            throws CommandException, ConfigurationException {
        List<LocalAgent> local = new LocalAgents(Path.of(System.getProperty("java.io.tmpdir", "/tmp"))).find();
        String named =
                url == null ? context.environment().getOrDefault(VARIABLE, "").strip() : url;
        if (!named.isEmpty()) {
            if (!named.matches("(?i)https?://.+")) {
                throw new CommandException(
                        (url == null ? VARIABLE : "--url") + ": '" + named
                                + "' does not start with http:// or https://: use for example http://10.0.0.7:8080",
                        ExitCode.WRONG_CONFIGURATION);
            }
            return Optional.of(askNamed(named, local, context, settings, question.path()));
        }
        List<LocalAgent> answering =
                local.stream().filter(RunningAgents::listens).toList();
        if (answering.size() > 1) {
            throw new CommandException(
                    "several agents run here; choose one with --url: "
                            + answering.stream()
                                    .map(agent -> address(agent) + " (process " + agent.pid() + ", watches "
                                            + agent.cluster() + ")")
                                    .collect(Collectors.joining(", ")),
                    ExitCode.WRONG_CONFIGURATION);
        }
        if (answering.isEmpty()) {
            return Optional.empty();
        }
        LocalAgent agent = answering.get(0);
        return Optional.of(get(address(agent), question.path(), agent.token()));
    }

    private static String address(LocalAgent agent) {
        return "http://127.0.0.1:" + agent.port();
    }

    private static boolean listens(LocalAgent agent) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), agent.port()), CONNECT_MILLIS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static Answer askNamed(
            String address, List<LocalAgent> local, CommandContext context, SettingsOptions settings, String path)
            throws CommandException, ConfigurationException {
        String trimmed = address.replaceFirst("/+$", "");
        for (LocalAgent agent : local) {
            if (trimmed.equals(address(agent)) || trimmed.equals("http://localhost:" + agent.port())) {
                return get(trimmed, path, agent.token());
            }
        }
        SecretSource token = settings.loadWithoutDefaultRegistry(context)
                .settings()
                .http()
                .token()
                .orElseThrow(() -> new CommandException(
                        "the agent at " + trimmed + " requires its token: set URUNNER_SECR_HTTP_TOKEN, or"
                                + " URUNNER_SECR_HTTP_TOKEN_FILE, to the one that it was started with",
                        ExitCode.WRONG_CONFIGURATION));
        try {
            return get(trimmed, path, token.read());
        } catch (CredentialException e) {
            throw new CommandException("URUNNER_SECR_HTTP_TOKEN: " + e.getMessage(), ExitCode.WRONG_CONFIGURATION, e);
        }
    }

    private static Answer get(String address, String path, Secret token) throws CommandException {
        try {
            if (!(URI.create(address + path).toURL().openConnection() instanceof HttpURLConnection connection)) {
                throw new IllegalArgumentException("it does not start with http:// or https://");
            }
            connection.setConnectTimeout(CONNECT_MILLIS);
            connection.setReadTimeout(READ_MILLIS);
            connection.setInstanceFollowRedirects(false);
            connection.setRequestProperty("Authorization", BearerToken.header(token));
            int status = connection.getResponseCode();
            String body = body(connection);
            String code = connection.getHeaderField(Answer.EXIT_CODE);
            if (code != null && code.matches("[0-2]")) {
                return new Answer(body, Integer.parseInt(code));
            }
            String what = status == 401
                    ? "refuses the token: use the URUNNER_SECR_HTTP_TOKEN that it was started with"
                    : "is not a URunner agent of this version, or not ready: HTTP " + status + " " + body.strip();
            throw new CommandException(address + " " + what, ExitCode.HINDERED);
        } catch (IllegalArgumentException e) {
            throw new CommandException(
                    "'" + address + "' is not the address of an agent: " + e.getMessage(),
                    ExitCode.WRONG_CONFIGURATION,
                    e);
        } catch (IOException e) {
            throw new CommandException(
                    "the agent at " + address + " does not answer: " + e.getMessage()
                            + "; check that it runs and that its HTTP port can be reached from here",
                    ExitCode.HINDERED,
                    e);
        }
    }

    private static String body(HttpURLConnection connection) throws IOException {
        try (InputStream body =
                connection.getErrorStream() == null ? connection.getInputStream() : connection.getErrorStream()) {
            if (body == null) {
                return "";
            }
            byte[] bytes = body.readNBytes(LARGEST_BODY + 1);
            if (bytes.length > LARGEST_BODY) {
                throw new IOException("its answer has more than " + LARGEST_BODY + " bytes");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
