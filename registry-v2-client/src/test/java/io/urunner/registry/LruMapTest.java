package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.time.Instant;
import java.util.List;
import okhttp3.HttpUrl;
import org.junit.jupiter.api.Test;

class LruMapTest {
    private static final int MOST = 10;
    private static final int LONGEST = 1000;

    private static String text(int length) {
        return "x".repeat(length);
    }

    @Test
    void theLeastRecentlyUsedEntryGoesFirst() {
        LruMap<String, Integer> map = new LruMap<>(MOST, LONGEST);
        for (int i = 0; i < MOST; i++) {
            map.put("k" + i, i);
        }
        map.get("k0");
        map.put("more", 1);
        assertThat(map.get("k0")).isZero();
        assertThat(map.get("k1")).isNull();
        assertThat(map.copy()).hasSize(MOST);
    }

    @Test
    void longTextsDisplaceOneAnother() {
        LruMap<String, String> map = new LruMap<>(MOST, LONGEST);
        for (int i = 0; i < 5; i++) {
            map.put("k" + i, text(300));
        }
        assertThat(map.copy().keySet()).containsExactly("k2", "k3", "k4");
        map.put("k5", text(2 * LONGEST));
        assertThat(map.copy()).isEmpty();
        map.put("k6", text(900));
        assertThat(map.copy().keySet()).containsExactly("k6");
    }

    /** An entry that grows is counted again, and one that is removed frees its space. */
    @Test
    void aReplacedValueNoLongerCounts() {
        LruMap<String, String> map = new LruMap<>(MOST, LONGEST);
        for (int i = 0; i < 3; i++) {
            map.put("k" + i, "");
        }
        for (int i = 0; i < 3; i++) {
            assertThat(map.put("k" + i, text(400))).isEmpty();
        }
        assertThat(map.copy().keySet()).containsExactly("k1", "k2");
        for (int i = 0; i < 100; i++) {
            map.put("k1", text(400));
            map.put("gone", text(100));
            map.remove("gone");
            map.put("gone", text(100));
            map.remove("gone", "another value");
            map.remove("gone", text(100));
            map.putIfAbsent("gone", text(100));
            map.remove("gone");
        }
        assertThat(map.copy().keySet()).containsExactly("k2", "k1");
    }

    @Test
    void textsCountInKeysAndValues() {
        HttpUrl realm = HttpUrl.get("https://issuer.example/token");
        Credential anonymous = new Credential.Anonymous();
        for (Credential credential : List.of(
                new Credential.Basic("u", Secret.of(text(700))),
                new Credential.Basic(text(700), Secret.of("p")),
                new Credential.IdentityToken(Secret.of(text(700))),
                new Credential.AccessToken(Secret.of("t"), text(700)),
                new Credential.RegistryToken(Secret.of(text(700))))) {
            assertOneFits(credential, anonymous);
            assertOneFits(new TokenService.Question(realm, "", List.of(), credential), "");
        }
        assertOneFits(new TokenService.Question(realm, text(700), List.of(), anonymous), "");
        assertOneFits(new TokenService.Question(realm, "", List.of("a", text(700)), anonymous), "");
        assertOneFits(new Token(Secret.of(text(700)), Instant.EPOCH), "");
        assertOneFits(HttpUrl.get("https://issuer.example/" + text(700)), "");
        assertOneFits(new ChallengeMemory.Demand(realm, text(700), null, false), "");
        assertOneFits(new ChallengeMemory.Demand(null, "", text(700), false), "");
        assertOneFits(List.of("a", text(700)), "");
    }

    private static void assertOneFits(Object large, Object small) {
        LruMap<Object, Object> keys = new LruMap<>(MOST, LONGEST);
        keys.put(large, small);
        assertThat(keys.copy()).as("%s", large.getClass()).hasSize(1);
        keys.put(text(400), "");
        assertThat(keys.copy()).as("%s", large.getClass()).hasSize(1);
        LruMap<Object, Object> values = new LruMap<>(MOST, LONGEST);
        values.put("one", large);
        values.put("two", large);
        assertThat(values.copy()).as("%s", large.getClass()).containsOnlyKeys("two");
    }
}
