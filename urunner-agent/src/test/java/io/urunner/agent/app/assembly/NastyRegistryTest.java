package io.urunner.agent.app.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.urunner.agent.app.cli.Cli;
import io.urunner.agent.app.cli.CommandContext;
import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.Wiring;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.PluginDirectory;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.agent.app.doctor.Vantage;
import io.urunner.agent.app.logging.TextLines;
import io.urunner.agent.text.NastyStrings;
import io.urunner.agent.text.Printable;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.registry.RegistryObserver;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * A registry that puts arbitrary text everywhere into its answers: the output and the log of a command are harmless.
 */
class NastyRegistryTest {
    private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);

    @TempDir
    private Path folder;

    private final List<String> logged = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> log = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            logged.add(new String(new TextLines().encode(event), StandardCharsets.UTF_8));
        }
    };
    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

    static List<String> nasty() {
        return NastyStrings.all();
    }

    @BeforeEach
    void capture() {
        log.setContext(root.getLoggerContext());
        log.start();
    }

    @AfterEach
    void release() {
        root.detachAppender(log);
    }

    /** The answers as sent over the wire, by the position of the text. */
    private static List<String> answers(String text, int port) {
        String json = text.replace("\\", "\\\\")
                .replace("\"", "\\\"")
                .replace("\n", "\\n")
                .replace("\r", "\\r");
        List<String> answers = new ArrayList<>(List.of(
                "HTTP/1.1 418 " + text + "\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer realm=\"" + text + "\",service=\"" + text
                        + "\"\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 401 x\r\nWWW-Authenticate: Basic realm=\"" + text + "\"\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer realm=\"http://127.0.0.1:" + port + "/" + text
                        + "\"\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 307 x\r\nLocation: " + text + "\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:" + port + "/" + text + "\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nDocker-Content-Digest: " + text + "\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nDocker-Content-Digest: " + DIGEST + "\r\nContent-Type: " + text
                        + "\r\nWarning: 299 - \"" + text + "\"\r\nContent-Length: 0\r\n\r\n",
                text + "\r\n\r\n"));
        for (String body : List.of(
                text,
                "{\"errors\":[{\"code\":\"" + json + "\",\"message\":\"" + json + "\",\"detail\":\"" + json
                        + "\"}]}")) {
            answers.add("HTTP/1.1 400 x\r\nContent-Length: " + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n"
                    + body);
        }
        return answers;
    }

    @ParameterizedTest
    @MethodSource("nasty")
    @Timeout(value = 1, unit = TimeUnit.MINUTES)
    void answersOfARegistryAreSanitised(String text) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            List<String> answers = answers(text, server.getLocalPort());
            Thread thread = new Thread(() -> serve(server, answers));
            thread.setDaemon(true);
            thread.start();
            List<String> command = new ArrayList<>(List.of("digest"));
            for (int i = 0; i < answers.size(); i++) {
                command.add("127.0.0.1:" + server.getLocalPort() + "/n" + i + ":1");
            }
            root.addAppender(log);
            StringWriter out = new StringWriter();
            StringWriter err = new StringWriter();
            int code = Cli.execute(
                    new CommandContext(
                            Map.of("HOME", folder.toString()),
                            new PrintWriter(out),
                            new PrintWriter(err),
                            new OneAttempt(),
                            () -> {}),
                    command.toArray(String[]::new));

            assertThat(code).isEqualTo(1);
            assertThat(err.toString().lines())
                    .hasSizeGreaterThanOrEqualTo(answers.size() - 2)
                    .allMatch(line -> line.startsWith("urunner: "))
                    .allSatisfy(line -> NastyStrings.assertHarmless(line, 16 * Printable.LINE));
            assertThat(out.toString().lines())
                    .hasSizeLessThanOrEqualTo(2)
                    .allSatisfy(line -> NastyStrings.assertHarmless(line, 16 * Printable.LINE));
            assertThat(logged)
                    .flatExtracting(event -> event.lines().toList())
                    .allSatisfy(line -> NastyStrings.assertHarmless(line.replace("\t", ""), 2 * Printable.LINE));
        }
    }

    /** The program, without the waits between two attempts. */
    private static final class OneAttempt implements Wiring {
        @Override
        public SettingsLoader.PluginDiscovery plugins() {
            return new PluginDirectory();
        }

        @Override
        public void configureLogging(Settings.Log settings, boolean toStdout) {}

        @Override
        public Registries registries(Configuration configuration, Map<String, String> environment)
                throws CommandException {
            return RegistryAccess.open(
                    configuration,
                    environment,
                    InstantSource.system(),
                    1,
                    new PodCredentials(InstantSource.system()),
                    RegistryObserver.NONE);
        }

        @Override
        public AgentProcess agent(Configuration configuration, Map<String, String> environment) {
            throw new IllegalStateException("not asked for");
        }

        @Override
        public Look look(Configuration configuration, Map<String, String> environment, Vantage vantage) {
            throw new IllegalStateException("not asked for");
        }

        @Override
        public ByHand byHand(Configuration configuration, Map<String, String> environment, Duration patience) {
            throw new IllegalStateException("not asked for");
        }

        @Override
        public Caller caller(Configuration configuration, Map<String, String> environment) {
            throw new IllegalStateException("not asked for");
        }

        @Override
        public FoundAgent find(Map<String, String> environment, Optional<String> namespace) {
            throw new IllegalStateException("not asked for");
        }
    }

    private static void serve(ServerSocket server, List<String> answers) {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                BufferedReader in =
                        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
                int first = in.read();
                if (first != 'H' && first != 'G') {
                    continue; // The client finds out whether TLS is spoken here.
                }
                String request = in.readLine();
                for (String line = request; line != null && !line.isEmpty(); ) {
                    line = in.readLine();
                }
                String path = request == null ? "" : request.replaceFirst("\\S+ /v2/n(\\d+)/.* \\S+", "$1");
                String answer = path.matches("\\d+")
                        ? answers.get(Integer.parseInt(path))
                        : "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n";
                OutputStream out = socket.getOutputStream();
                out.write(
                        answer.replaceFirst("\r\n", "\r\nConnection: close\r\n").getBytes(StandardCharsets.UTF_8));
                out.flush();
                socket.shutdownOutput();
            } catch (IOException e) {
                // The client closed the connection, or the test is over.
            }
        }
    }
}
