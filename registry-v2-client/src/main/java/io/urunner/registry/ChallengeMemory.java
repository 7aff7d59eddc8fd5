package io.urunner.registry;

import io.urunner.registry.auth.AuthHints;
import java.util.List;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;

/**
 * What registries demanded before, so that the next request satisfies it at once, without ping or 401. Thread-safe.
 */
final class ChallengeMemory {
    private static final int MOST = 10_000;

    /**
     * A registry's demand.
     *
     * @param realm the token server, or null if the registry takes Basic credentials itself
     * @param service the registry's name for the token server, possibly empty
     * @param opaqueScope a scope that does not have the usual form and serves for everything, or null
     * @param basicRefused whether the registry demanded a token although it got Basic credentials
     */
    record Demand(
            @Nullable HttpUrl realm,
            String service,
            @Nullable String opaqueScope,
            boolean basicRefused) {}

    private final LruMap<String, Demand> demands = new LruMap<>(MOST, LruMap.LONGEST);
    private final LruMap<String, List<String>> unusual = new LruMap<>(MOST, LruMap.LONGEST);

    @Nullable Demand of(Call call, AuthHints hints) {
        return demands.get(area(call, hints));
    }

    void learn(Call call, AuthHints hints, Demand demand) {
        if (!demand.equals(of(call, hints))) {
            demands.put(area(call, hints), demand);
        }
    }

    /**
     * The part of a registry with the same demands: all repositories; those of the catalog and the root may differ (as
     * with Harbor). A token server that a provider names is only for its own credentials.
     */
    private static String area(Call call, AuthHints hints) {
        String area = hints.tokenEndpoint().isPresent()
                ? hints.tokenEndpoint().get() + " " + call.registry()
                : call.registry();
        if (!call.repository().isEmpty()) {
            return area;
        }
        int query = call.target().indexOf('?');
        return area + (query < 0 ? call.target() : call.target().substring(0, query));
    }

    /** The scopes to request without a challenge. */
    List<String> scopes(Call call, Demand demand) {
        if (demand.opaqueScope() != null) {
            return List.of(demand.opaqueScope());
        }
        List<String> known = unusual.get(call.need());
        return known != null ? known : call.scopes();
    }

    /**
     * The scopes to request after a challenge: those that it names, or, if it names none, those that the protocol
     * defines for the request.
     */
    List<String> scopes(Call call, String challenged) {
        if (challenged.isBlank()) {
            return call.scopes();
        }
        List<String> scopes = List.of(challenged.strip().split("\\s+", -1));
        if (opaque(challenged) == null && !scopes.equals(call.scopes())) {
            unusual.put(call.need(), scopes);
        }
        return scopes;
    }

    /** A scope that does not have the form {@code type:name:actions} names nothing, and so serves for everything. */
    static @Nullable String opaque(String challenged) {
        String scope = challenged.strip();
        return scope.isEmpty() || scope.indexOf(':') >= 0 ? null : scope;
    }
}
