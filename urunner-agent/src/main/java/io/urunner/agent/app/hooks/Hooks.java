package io.urunner.agent.app.hooks;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.PushedTag;
import io.urunner.agent.app.http.Endpoint;
import io.urunner.agent.app.http.Endpoint.Response;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes push hints over HTTP. A hint is not trusted: it makes the agent ask the registry now instead of at its next pass.
 * Thread-safe.
 */
public final class Hooks {
    private static final Logger LOG = LoggerFactory.getLogger(Hooks.class);
    /** Room for some hundred events. */
    private static final int MOST_TOKENS = 20_000;

    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .streamReadConstraints(
                            StreamReadConstraints.builder().maxNestingDepth(50).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final SecretSource secret;
    private final Agent agent;
    private final Tally tally;
    private final AtomicBoolean unreadable = new AtomicBoolean();
    private final Set<Payload> refusing = ConcurrentHashMap.newKeySet();

    /** Checks tags. Thread-safe. */
    @FunctionalInterface
    public interface Agent {
        /**
         * Checks tags now.
         *
         * @param pushed the tags
         * @return how many watched references have them; empty if the agent does not answer
         * @throws InterruptedException if the thread is interrupted
         */
        Optional<Integer> hint(Collection<PushedTag> pushed) throws InterruptedException;
    }

    /** Counts hints. Thread-safe. */
    @FunctionalInterface
    public interface Tally {
        /**
         * A request was answered.
         *
         * @param hook the last part of the path
         * @param outcome {@code accepted}, {@code ignored}, {@code refused} or {@code malformed}
         */
        void hinted(String hook, String outcome);
    }

    /**
     * Hooks for senders that know a secret.
     *
     * @param secret the secret, read for every request
     * @param agent checks the tags
     * @param tally counts the hints
     */
    public Hooks(SecretSource secret, Agent agent, Tally tally) {
        this.secret = secret;
        this.agent = agent;
        this.tally = tally;
    }

    /**
     * The endpoints.
     *
     * @return by path
     */
    public Map<String, Endpoint> endpoints() {
        Map<String, Endpoint> endpoints = new HashMap<>();
        for (Payload payload : Payload.values()) {
            endpoints.put("/hooks/" + payload.hook(), new Hook(payload));
        }
        return endpoints;
    }

    private final class Hook implements Endpoint {
        private final Payload payload;

        Hook(Payload payload) {
            this.payload = payload;
        }

        @Override
        public int longestBody() {
            return payload.sender().longestBody();
        }

        @Override
        public Optional<Response> refusal(Request head) {
            if (!head.method().equals("POST")) {
                return Optional.of(new Response(
                        405, "text/plain; charset=utf-8", "method not allowed\n", Map.of("Allow", "POST")));
            }
            Optional<Response> refusal = unless(secret -> payload.sender().mayBeProven(head, secret));
            if (refusal.isEmpty() && head.length() > longestBody()) {
                tally.hinted(payload.hook(), "malformed");
                return Optional.of(Response.text(413, "the body is longer than " + longestBody() + " bytes\n"));
            }
            return refusal;
        }

        @Override
        public Response answer(Request request) throws IOException {
            return unless(secret -> payload.sender().isProven(request, secret))
                    .orElseGet(() -> Hooks.this.answer(payload, request.body()));
        }

        private Optional<Response> unless(Predicate<Secret> proof) {
            try {
                Secret expected = secret.read();
                unreadable.set(false);
                return proof.test(expected) ? Optional.empty() : Optional.of(refused(payload));
            } catch (CredentialException e) {
                if (!unreadable.getAndSet(true)) { // strangers ask as often as they like
                    LOG.warn("hints cannot be verified: {}", e.getMessage());
                }
                return Optional.of(Response.text(503, "the secret of the hooks cannot be read\n"));
            }
        }
    }

    private Response answer(Payload payload, byte[] body) {
        if (refusing.remove(payload)) {
            LOG.info("hook {}: recovered", payload.hook());
        }
        try {
            checkSize(body);
            return take(payload, JSON.readTree(body));
        } catch (IOException e) {
            return malformed(payload, "not JSON");
        } catch (IllegalArgumentException e) {
            return malformed(payload, String.valueOf(e.getMessage()));
        }
    }

    /** A short text with many brackets becomes a large tree. */
    private static void checkSize(byte[] body) throws IOException {
        try (JsonParser parser = JSON.createParser(body)) {
            for (int tokens = 0; parser.nextToken() != null; tokens++) {
                if (tokens == MOST_TOKENS) {
                    throw new IllegalArgumentException("more than " + MOST_TOKENS + " values and names");
                }
            }
        }
    }

    private Response take(Payload payload, JsonNode body) {
        if (!body.isObject()) {
            throw new IllegalArgumentException("not a JSON object");
        }
        List<PushedTag> tags = payload.tags(body);
        Optional<Integer> watched;
        try {
            watched = tags.isEmpty() ? Optional.of(0) : agent.hint(tags);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            watched = Optional.empty();
        }
        if (watched.isEmpty()) {
            return Response.text(503, "the agent does not answer\n");
        }
        LOG.debug("hook {}: {} affect {} watched references", payload.hook(), tags, watched.get());
        tally.hinted(payload.hook(), watched.get() > 0 ? "accepted" : "ignored");
        return Response.text(202, "watched references that are checked now: " + watched.get() + "\n");
    }

    private Response refused(Payload payload) {
        tally.hinted(payload.hook(), "refused");
        if (refusing.add(payload)) {
            LOG.warn(
                    "hook {}: a hint was refused because its sender does not know the secret of http.hooks.secret",
                    payload.hook());
        }
        return Response.text(401, "unknown sender\n");
    }

    private Response malformed(Payload payload, String why) {
        tally.hinted(payload.hook(), "malformed");
        return Response.text(400, "not what /hooks/" + payload.hook() + " takes: " + why + "\n");
    }
}
