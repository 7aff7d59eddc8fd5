package io.urunner.registry;

import static io.urunner.registry.FakeServer.challenge;
import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static io.urunner.registry.FixedCredentials.basic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.testing.UsedSecrets;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Views of one client, and many credentials for one request: what one account learns does not apply to others. */
class ViewsTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    private final ManualTime time = new ManualTime();

    @AutoClose
    private final ToClose open = new ToClose();

    /** The registry's answers by user; other users are unknown to it. */
    private final Map<String, MockResponse> answers = new ConcurrentHashMap<>();

    private final FakeServer registry = open.add(new FakeServer(request -> {
        String user = user(request);
        MockResponse answer = answers.get(user);
        return answer == null || user.isEmpty() ? challenge("Basic realm=\"r\"") : answer.clone();
    }));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .clock(time)
            .ticker(time::nanos)
            .sleeper(time::sleep)
            .attempts(1)
            .build());

    private static String user(RecordedRequest request) {
        String header = request.getHeader("Authorization");
        if (header == null || !header.startsWith("Basic ")) {
            return "";
        }
        String decoded = new String(Base64.getDecoder().decode(header.substring(6)), StandardCharsets.UTF_8);
        return decoded.substring(0, decoded.indexOf(':'));
    }

    private RegistryClient view(String... users) {
        return client.withCredentials(new FixedCredentials(
                Stream.of(users).map(user -> basic(user, "secret")).toArray(Credential[]::new)));
    }

    /** Whose credentials the requests themselves used, without those for the reason of a refusal. */
    private List<String> usersShown() {
        return registry.requests.stream()
                .filter(request -> "HEAD".equals(request.getMethod()))
                .map(ViewsTest::user)
                .filter(user -> !user.isEmpty())
                .toList();
    }

    private Digest resolve(RegistryClient view, String name) throws Exception {
        return view.resolve(registry.image(name)).digest();
    }

    private static MockResponse limited() {
        return status(429)
                .setHeader("Retry-After", "86400")
                .setHeader("RateLimit-Limit", "100")
                .setHeader("RateLimit-Remaining", "0");
    }

    private static MockResponse allowed(int remaining) {
        return manifest(DIGEST).setHeader("RateLimit-Limit", "100").setHeader("RateLimit-Remaining", "" + remaining);
    }

    @Test
    void pausesOnlyTheLimitedAccount() throws Exception {
        answers.put("b", limited());
        answers.put("a", allowed(70));
        RegistryClient a = view("a");
        RegistryClient b = view("b");

        for (int i = 0; i < 3; i++) {
            assertThatExceptionOfType(RateLimitedException.class).isThrownBy(() -> resolve(b, "team/b"));
            assertThat(resolve(a, "team/a")).hasToString(DIGEST);
        }

        assertThat(usersShown()).containsExactly("b", "a", "a", "a");
        assertThat(b.rateLimit(registry.host()).orElseThrow().remaining()).hasValue(0);
        assertThat(a.rateLimit(registry.host()).orElseThrow().remaining()).hasValue(70);
        assertThat(client.rateLimit(registry.host())).isEmpty();
    }

    @Test
    void pausesAnAccountInEveryView() throws Exception {
        answers.put("a", limited());
        assertThatExceptionOfType(RateLimitedException.class).isThrownBy(() -> resolve(view("a"), "team/a"));

        assertThatExceptionOfType(RateLimitedException.class)
                .isThrownBy(() -> resolve(view("a"), "team/other"))
                .satisfies(e -> assertThat(e.retryAt()).isEqualTo(ManualTime.START.plusSeconds(86400)));
        assertThat(usersShown()).containsExactly("a");
    }

    @Test
    void usesAnotherCredentialIfOneIsLimited() throws Exception {
        answers.put("limited", limited());
        answers.put("ci", allowed(7));
        RegistryClient view = view("limited", "ci");

        assertThat(resolve(view, "team/app")).hasToString(DIGEST);
        assertThat(resolve(view, "team/other")).hasToString(DIGEST);

        assertThat(usersShown()).containsExactly("limited", "ci", "ci");
        assertThat(view.rateLimit(registry.host()).orElseThrow().remaining()).hasValue(7);
    }

    /** The code says the same with any status. */
    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 404, 429, 503})
    void aLimitWithAnyStatusPausesTheAccountAndTheNextOneIsUsed(int status) throws Exception {
        answers.put(
                "limited",
                status(status)
                        .setHeader("Retry-After", "3600")
                        .setBody("{\"errors\":[{\"code\":\"TOOMANYREQUESTS\"}]}"));
        answers.put("ci", json("{\"name\":\"team/app\",\"tags\":[\"v1\"]}"));
        Repository repository = registry.image("team/app").toRepository();

        assertThat(view("limited", "ci").tags(repository).all()).containsExactly("v1");
        RegistryClient alone = view("limited");
        assertThatExceptionOfType(RateLimitedException.class)
                .isThrownBy(() -> alone.tags(repository).all())
                .satisfies(e -> assertThat(e.retryAt()).isEqualTo(ManualTime.START.plusSeconds(3600)));
        assertThat(registry.requests)
                .extracting(ViewsTest::user)
                .filteredOn(user -> !user.isEmpty())
                .as("the limited one is not asked again")
                .containsExactly("limited", "ci");
    }

    @Test
    void reportsTheLimitIfNoOtherCredentialWorks() {
        answers.put("limited", limited());
        answers.put("blind", status(404));
        RegistryClient view = view("wrong", "limited", "blind");

        assertThatExceptionOfType(RateLimitedException.class).isThrownBy(() -> resolve(view, "team/app"));
    }

    @Test
    void sharesTokensAndDemands() throws Exception {
        FakeServer issuer = open.add(new FakeServer(request -> json("{\"token\":\"t\"}")));
        registry.answer(request -> "Bearer t".equals(request.getHeader("Authorization"))
                ? manifest(DIGEST)
                : challenge("Bearer realm=\"" + issuer.url() + "/token\""));

        for (int i = 0; i < 3; i++) {
            assertThat(resolve(view("a"), "team/app")).hasToString(DIGEST);
        }

        assertThat(issuer.requests).hasSize(1);
        assertThat(registry.requests).hasSize(4);
    }

    @Test
    void sendsARefusedCredentialOnceAndRevealsToNobodyWhoseItWas() {
        RegistryClient first =
                client.withCredentials(new FixedCredentials(basic("a", "wrong")).described("pull secret of tenant-a"));
        assertThatExceptionOfType(UnauthorizedException.class)
                .isThrownBy(() -> resolve(first, "team/app"))
                .withMessageContaining("rejects the credential (pull secret of tenant-a)");
        int asked = registry.requests.size();

        RegistryClient second = client.withCredentials(new FixedCredentials(basic("a", "wrong")));
        assertThatExceptionOfType(UnauthorizedException.class)
                .isThrownBy(() -> resolve(second, "team/app"))
                .withMessageContaining("rejects the credential (test account)")
                .withMessageNotContaining("tenant-a");

        assertThat(registry.requests).hasSize(asked);
    }

    @Test
    void ignoresTheCaseOfAHost() {
        String host = registry.host().replace("127.0.0.1", "Localhost");
        for (String name : List.of(host, host.toLowerCase(Locale.ROOT))) {
            assertThatExceptionOfType(UnauthorizedException.class)
                    .isThrownBy(() -> view("a").resolve(ImageReference.parse(name + "/team/app")));
        }

        assertThat(usersShown()).containsExactly("a");
    }

    @Test
    void repeatsNoSecretFromARegistry() {
        registry.answer(request -> status(403)
                .setBody("{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no password=s3cret;b for"
                        + " https://me:s3cret@s3cret@reg.example/\u009b31m\u202e\u2028Token=s3cret\"}]}"));

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client.manifest(registry.image("team/app")))
                .withMessageContaining("DENIED (no password=[secret])")
                .satisfies(e -> assertThat(e.toString()).doesNotContain("s3cret"));
    }

    /** The text before an {@code @} is masked, which would fail if the {@code @} were cut off. */
    @Test
    void cutsNoWordInHalf() {
        String login = "me:s3cret-s3cret-s3cret@reg.example";
        for (int before = 100; before < 160; before++) {
            String message = "x ".repeat(before) + login;
            registry.answer(request ->
                    status(403).setBody("{\"errors\":[{\"code\":\"DENIED\",\"message\":\"" + message + "\"}]}"));

            assertThatExceptionOfType(DeniedException.class)
                    .isThrownBy(() -> client.manifest(registry.image("team/app")))
                    .withMessageContaining("DENIED (x x ")
                    .satisfies(e -> assertThat(e.toString().replace(login, "")).doesNotContain("s3"));
        }
    }

    @Test
    void ignoresTheTokenServerThatAnotherProviderNames() throws Exception {
        FakeServer named = open.add(new FakeServer(request -> json("{\"token\":\"t\"}")));
        FakeServer issuer = open.add(new FakeServer(request -> json("{\"token\":\"t\"}")));
        registry.answer(request -> "Bearer t".equals(request.getHeader("Authorization"))
                ? manifest(DIGEST)
                : challenge("Bearer realm=\"" + issuer.url() + "/token\""));
        RegistryClient configured = client.withCredentials(new FixedCredentials(basic("a", "secret"))
                .hints(AuthHints.askForTokensAt(URI.create(named.url() + "/jwt"))));

        resolve(configured, "team/app");
        resolve(view("b"), "team/app");

        assertThat(named.requests).hasSize(1);
        assertThat(issuer.requests).hasSize(1);
    }

    @Test
    void prefersOnlyAnAcceptedCredential() throws Exception {
        answers.put("ci", manifest(DIGEST));
        answers.put("old", status(403));
        RegistryClient view = view("old", "ci");
        resolve(view, "team/app");
        time.pass(Duration.ofHours(2));
        answers.put("ci", status(403));
        answers.put("old", status(503));
        assertThatExceptionOfType(UnavailableException.class).isThrownBy(() -> resolve(view, "team/app"));
        time.pass(Duration.ofHours(2));
        answers.put("ci", manifest(DIGEST));
        registry.requests.clear();

        assertThat(resolve(view, "team/app")).hasToString(DIGEST);
        assertThat(usersShown()).containsExactly("ci");
    }

    @Test
    void doesNotShareWhichCredentialWorked() throws Exception {
        answers.put("ci", manifest(DIGEST));
        answers.put("old", status(403));
        resolve(view("old", "ci"), "team/app");
        registry.requests.clear();
        time.pass(Duration.ofHours(2));

        resolve(view("old", "ci"), "team/app");

        assertThat(usersShown()).containsExactly("old", "ci");
    }

    private static FixedCredentials glob(int count, int goodAt) {
        return new FixedCredentials(IntStream.range(0, count)
                .mapToObj(i -> basic("u" + i, i == goodAt ? "good" : "wrong" + i))
                .toArray(Credential[]::new));
    }

    /** A registry that knows one password. */
    private Function<RecordedRequest, MockResponse> knowsGood() {
        return request -> {
            String header = Objects.requireNonNullElse(request.getHeader("Authorization"), "Basic eDp4");
            String decoded = new String(Base64.getDecoder().decode(header.substring(6)), StandardCharsets.UTF_8);
            return decoded.endsWith(":good") ? manifest(DIGEST) : challenge("Basic realm=\"r\"");
        };
    }

    @Test
    void sendsAFewOfManyWrongCredentials() throws Exception {
        registry.answer(knowsGood());
        FixedCredentials credentials = glob(2_400, -1);
        UsedSecrets.add("wrong2399");
        RegistryClient view = client.withCredentials(credentials);

        assertThatExceptionOfType(UnauthorizedException.class)
                .isThrownBy(() -> resolve(view, "team/app"))
                .withMessageContaining("2396 more credentials were not tried after 4 that failed")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSizeLessThan(4));
        for (int i = 0; i < 20; i++) {
            String name = "team/app" + i;
            assertThatExceptionOfType(UnauthorizedException.class).isThrownBy(() -> resolve(view, name));
        }

        assertThat(usersShown()).doesNotHaveDuplicates().hasSize(4);
        time.pass(Duration.ofMinutes(11));
        assertThatExceptionOfType(UnauthorizedException.class).isThrownBy(() -> resolve(view, "team/app"));
        assertThat(usersShown()).doesNotHaveDuplicates().hasSize(8);
    }

    @Test
    void triesEachOfManyCredentialsEventuallyAndKeepsTheOneThatWorks() throws Exception {
        registry.answer(knowsGood());
        RegistryClient view = client.withCredentials(glob(30, 29));
        for (int i = 0; i < 7; i++) {
            assertThatExceptionOfType(UnauthorizedException.class).isThrownBy(() -> resolve(view, "team/app"));
            time.pass(Duration.ofMinutes(11));
        }

        assertThat(resolve(view, "team/app")).hasToString(DIGEST);

        registry.requests.clear();
        assertThat(resolve(view, "team/app")).hasToString(DIGEST);
        assertThat(resolve(view, "team/other")).hasToString(DIGEST);
        assertThat(registry.requests).hasSize(2);
    }

    @Test
    void asksOnlyAFewTimesForWhatManyCredentialsCannotSee() {
        registry.answer(request -> status(404));
        RegistryClient view = client.withCredentials(glob(2_400, -1).hints(AuthHints.sendBasicDirectly()));

        assertThatExceptionOfType(NotFoundException.class)
                .isThrownBy(() -> resolve(view, "team/app"))
                .withMessageContaining("2396 more credentials were not tried");
        assertThat(registry.requests).hasSizeLessThan(10);
    }

    @Test
    void wrongCredentialsOfOneViewDoNotBlockAnotherView() throws Exception {
        registry.answer(knowsGood());
        assertThatExceptionOfType(UnauthorizedException.class)
                .isThrownBy(() -> resolve(client.withCredentials(glob(100, -1)), "team/app"));

        assertThat(resolve(client.withCredentials(glob(1, 0)), "team/app")).hasToString(DIGEST);
    }

    @Test
    void leavesTheClientOpen() throws Exception {
        answers.put("a", manifest(DIGEST));
        RegistryClient view = view("a");
        resolve(view, "team/app");
        view.close();

        resolve(view, "team/app");
        assertThat(resolve(view("a"), "team/app")).hasToString(DIGEST);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Retry-After: 99999999999",
                "Retry-After: 99999999999999999999999999",
                "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
                "RateLimit-Reset: 999999999999999",
                "RateLimit-Reset: 9223372036854775807",
                "RateLimit-Reset: 999999999",
                "X-RateLimit-Reset: 253402300799",
            })
    void waitsAtMostADay(String header) {
        String name = header.substring(0, header.indexOf(':'));
        registry.answer(request ->
                status(429).setHeader("RateLimit-Remaining", "0").setHeader(name, header.substring(name.length() + 2)));

        assertThatExceptionOfType(RateLimitedException.class)
                .isThrownBy(() -> resolve(client, "team/app"))
                .satisfies(e -> assertThat(e.retryAt()).isEqualTo(ManualTime.START.plusSeconds(86400)));
        time.pass(Duration.ofHours(25));
        registry.answer(request -> manifest(DIGEST));
        assertThat(client.rateLimit(registry.host()).orElseThrow().remaining()).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "-99999999999999999999", "0", "1e9", "NaN", ""})
    void ignoresAMeaninglessWait(String seconds) throws Exception {
        registry.answer(request -> status(429).setHeader("Retry-After", seconds));
        assertThatExceptionOfType(RateLimitedException.class).isThrownBy(() -> resolve(client, "team/app"));

        registry.answer(request -> manifest(DIGEST));
        assertThat(resolve(client, "team/app")).hasToString(DIGEST);
    }

    /** A clock that was years ahead is corrected: what should last for an hour or a day does not last for years. */
    @Test
    void ignoresTimesFromBeforeTheClockWasSetBack() throws Exception {
        Duration years = Duration.ofDays(3 * 365);
        answers.put("limited", status(429).setHeader("Retry-After", "60"));
        RegistryClient limited = view("limited");
        assertThatExceptionOfType(RateLimitedException.class).isThrownBy(() -> resolve(limited, "team/app"));
        RegistryClient guesses = view("wrong1", "wrong2", "wrong3", "wrong4", "later");
        assertThatExceptionOfType(UnauthorizedException.class).isThrownBy(() -> resolve(guesses, "team/app"));
        time.setBack(years);

        Stream.of("limited", "wrong1", "later").forEach(user -> answers.put(user, manifest(DIGEST)));
        assertThat(resolve(limited, "team/app")).hasToString(DIGEST);
        assertThat(resolve(view("wrong1"), "team/app")).hasToString(DIGEST);
        assertThat(resolve(guesses, "team/app")).hasToString(DIGEST);
    }

    @Test
    void aViewHasADeadlineOfItsOwnForEachCall() throws Exception {
        ManualTime time = new ManualTime();
        try (FakeServer registry = new FakeServer(request -> FakeServer.status(503));
                RegistryClient client = RegistryClient.builder()
                        .defaults(HostOptions.DEFAULTS.withPlainHttp())
                        .ticker(time::nanos)
                        .sleeper(time::sleep)
                        .attempts(1000)
                        .build()) {
            RegistryClient hurried = client.withDeadline(Duration.ofSeconds(2));
            for (int i = 0; i < 2; i++) {
                long before = time.nanos();
                assertThatExceptionOfType(UnavailableException.class)
                        .isThrownBy(() -> hurried.resolve(registry.image("team/app")));
                assertThat(Duration.ofNanos(time.nanos() - before)).isLessThanOrEqualTo(Duration.ofSeconds(2));
            }
            long before = time.nanos();
            assertThatExceptionOfType(UnavailableException.class)
                    .isThrownBy(() -> client.resolve(registry.image("team/app")));
            assertThat(Duration.ofNanos(time.nanos() - before)).isGreaterThan(Duration.ofSeconds(10));
            hurried.close();
            registry.answer(request -> FakeServer.manifest("sha256:" + "a".repeat(64)));
            assertThat(client.resolve(registry.image("team/app")).size()).isEqualTo(1234);
            assertThat(hurried.credentials()).isSameAs(client.credentials());
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RegistryClient.builder().build().withDeadline(Duration.ZERO));
    }
}
