package io.urunner.agent.app.config;

import static io.urunner.agent.app.config.PluginJars.compile;
import static io.urunner.agent.app.config.PluginJars.pack;
import static io.urunner.agent.app.config.PluginJars.packAsItIs;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugins;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Plugins that do everything wrong: each is reported, with its jar, its class and the reason, and affects nothing else.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class PluginFaultsTest {
    private static final String PASSWORD = "Tr0ub4dor-and-3";

    @TempDir
    private Path folder;

    private final PluginDirectory plugins = new PluginDirectory();

    @AfterEach
    void close() {
        plugins.close();
    }

    private CredentialPlugins discover() {
        return plugins.discover(Optional.of(folder));
    }

    private String onlyProblem() {
        assertThat(discover().types()).contains("generic", "harbor").doesNotContain("acme");
        List<String> problems = plugins.problems(Optional.of(folder));
        assertThat(problems).hasSize(1);
        assertThat(problems.get(0)).hasLineCount(1).doesNotContain("\tat ").hasSizeLessThan(1_500);
        return problems.get(0);
    }

    private Path jar(String name) {
        return folder.resolve(name + ".jar");
    }

    private CredentialProvider provider(Map<String, String> parts) throws Exception {
        PluginJars.plugin(jar("acme"), "AcmePlugin", parts);
        CredentialPlugins found = discover();
        assertThat(plugins.problems(Optional.of(folder))).isEmpty();
        Record settings = (Record) found.get("acme")
                .settingsType()
                .getConstructors()[0]
                .newInstance("ci", SecretSource.of(Secret.of(PASSWORD)));
        return found.create("acme", settings, new PluginContext("a.example", InstantSource.system()));
    }

    private static void isAttributed(Throwable failure) {
        assertThat(failure)
                .hasMessageContainingAll("elsewhere.AcmePlugin", "acme.jar")
                .hasMessageNotContaining(PASSWORD)
                .hasNoCause();
        assertThat(String.valueOf(failure.getMessage())).hasLineCount(1).hasSizeLessThan(1_500);
    }

    @Test
    void aClassFileOfANewerJava() throws Exception {
        Map<String, byte[]> classes = compile(folder, Map.of("AcmePlugin", PluginJars.plugin("AcmePlugin", Map.of())));
        classes.get("elsewhere/AcmePlugin.class")[7] = 99;
        pack(jar("acme"), classes, "elsewhere.AcmePlugin");

        assertThat(onlyProblem())
                .contains(
                        jar("acme").toString(),
                        "elsewhere.AcmePlugin",
                        "UnsupportedClassVersionError",
                        "--release " + Runtime.version().feature());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "members | public AcmePlugin() { throw new IllegalStateException(\"no home\"); } | IllegalStateException: no home",
                "members | public AcmePlugin() { throw new NoClassDefFoundError(\"com/acme/Http\"); } | NoClassDefFoundError: com/acme/Http",
                "members | static { if (true) throw new IllegalStateException(\"no home\"); } | ExceptionInInitializerError",
                "members | static { if (true) throw new IllegalStateException(\"no home\"); } | IllegalStateException: no home",
                "members | AcmePlugin() {} | no public constructor",
                "members | public AcmePlugin(String x) {} | no public constructor",
                "members | public AcmePlugin() { m(); } private void m() { m(); } | StackOverflowError",
                "type | return null; | type() gives null",
                "type | return \" \"; | type() gives ''",
                "type | return \"Acme\\n\\u202e\"; | type() gives 'Acme",
                "type | throw new UnsupportedOperationException(); | UnsupportedOperationException",
                "settingsType | return null; | settingsType() gives null",
                "settingsType | return (Class) Record.class; | not a record",
                "settingsType | return (Class) String.class; | not a record",
                "settingsType | throw new NoClassDefFoundError(\"com/acme/Settings\"); | com/acme/Settings",
                "settings | Map<String, String> all | 'all' is a java.util.Map",
                "settings | long many | 'many' is a long",
                "settings | Optional<List<String>> names | 'names'",
                "settings | Thread.State state, Object any | 'any' is a java.lang.Object",
                "settings | Settings again | contains itself",
                "settings | Optional x | 'x' is a java.util.Optional",
            })
    void aPluginThatCannotBeLoaded(String part, String body, String said) throws Exception {
        Map<String, String> parts = new HashMap<>(Map.of(part, body));
        if (part.equals("settings")) {
            parts.put("credentials", "return List.of();");
            parts.put("describe", "return \"acme\";");
        }
        PluginJars.plugin(jar("acme"), "AcmePlugin", parts);

        assertThat(onlyProblem()).contains(jar("acme").toString(), "elsewhere.AcmePlugin", said);
    }

    @Test
    void aSettingWhoseClassIsMissing() throws Exception {
        Map<String, byte[]> classes = new LinkedHashMap<>(compile(
                folder,
                Map.of(
                        "Kind",
                        "package elsewhere; public enum Kind { ONE }",
                        "AcmePlugin",
                        PluginJars.plugin(
                                "AcmePlugin",
                                Map.of(
                                        "settings", "Kind kind",
                                        "credentials", "return List.of();",
                                        "describe", "return \"acme\";")))));
        classes.remove("elsewhere/Kind.class");
        pack(jar("acme"), classes, "elsewhere.AcmePlugin");

        assertThat(onlyProblem()).contains(jar("acme").toString(), "elsewhere/Kind", "missing a library");
    }

    @Test
    void jarsWithoutAPlugin() throws Exception {
        Map<String, byte[]> classes = compile(folder, Map.of("AcmePlugin", PluginJars.plugin("AcmePlugin", Map.of())));
        byte[] name = "elsewhere.AcmePlugin\n".getBytes(StandardCharsets.UTF_8);
        Path whole = pack(jar("whole"), classes, "elsewhere.AcmePlugin");
        byte[] bytes = Files.readAllBytes(whole);
        Files.delete(whole);
        Map<String, byte[]> library = compile(folder, Map.of("Lib", "package elsewhere; public class Lib {}"));
        packAsItIs(jar("no-services"), classes);
        for (String services : List.of(
                "META-INF/services/io.urunner.CredentialPlugin",
                "META-INF/service/io.urunner.registry.auth.CredentialPlugin",
                "services/CredentialPlugin",
                "META-INF/services/io.urunner.registry.auth.credentialplugin")) {
            Map<String, byte[]> misnamed = new LinkedHashMap<>(classes);
            misnamed.put(services, name);
            packAsItIs(jar("misnamed-" + services.replace('/', '-')), misnamed);
        }
        pack(jar("names-nobody"), classes, "# elsewhere.AcmePlugin");
        pack(jar("names-nonsense"), classes, "elsewhere/Acme Plugin");
        pack(jar("names-what-is-missing"), library, "elsewhere.Missing");
        pack(jar("names-no-plugin"), library, "elsewhere.Lib");
        pack(jar("names-an-interface"), library, "io.urunner.registry.auth.CredentialPlugin");
        pack(jar("copies-ours"), library, "io.urunner.registry.builtin.GenericPlugin");
        pack(jar("without-classes"), Map.of(), "elsewhere.AcmePlugin");
        packAsItIs(jar("resources-only"), Map.of("a.txt", name));
        Map<String, byte[]> module = new LinkedHashMap<>();
        module.put(
                "META-INF/versions/9/module-info.class",
                "io/urunner/registry/auth/CredentialPlugin".getBytes(StandardCharsets.UTF_8));
        module.putAll(classes);
        packAsItIs(jar("a-module"), module);
        Files.write(jar("truncated"), java.util.Arrays.copyOf(bytes, bytes.length / 2));
        Files.write(jar("cut-at-the-end"), java.util.Arrays.copyOf(bytes, bytes.length - 10));
        Files.write(jar("empty"), new byte[0]);
        Files.writeString(jar("text"), "404 page not found");
        Files.createDirectory(jar("a-folder"));
        Files.createSymbolicLink(jar("dangling"), folder.resolve("nowhere"));
        classes.get("elsewhere/AcmePlugin.class")[100] ^= 0x55;
        pack(jar("damaged"), classes, "elsewhere.AcmePlugin");

        assertThat(discover().types()).contains("generic", "harbor").doesNotContain("acme");
        List<String> problems = plugins.problems(Optional.of(folder));
        try (var jars = Files.newDirectoryStream(folder, "*.jar")) {
            for (Path jar : jars) {
                assertThat(problems)
                        .as("the report on " + jar)
                        .filteredOn(problem -> problem.contains(jar.toString()))
                        .singleElement()
                        .asString()
                        .hasLineCount(1)
                        .hasSizeLessThan(1_000)
                        .doesNotContain("Exception: null");
            }
        }
        assertThat(problems)
                .noneMatch(problem -> problem.contains("202e"))
                .noneMatch(problem -> problem.contains("module-info"));
    }

    @Test
    void aLibraryBesideAPluginIsNoProblemButIsMentionedIfAPluginIsMissing() throws Exception {
        Map<String, byte[]> both = compile(
                folder,
                Map.of(
                        "Lib",
                        "package elsewhere; public class Lib { public static String word() { return \"w\"; } }",
                        "AcmePlugin",
                        PluginJars.plugin("AcmePlugin", Map.of("create", "System.identityHashCode(Lib.word());"))));
        pack(
                jar("acme"),
                Map.of(
                        "elsewhere/AcmePlugin.class",
                        both.get("elsewhere/AcmePlugin.class"),
                        "elsewhere/AcmePlugin$Settings.class",
                        both.get("elsewhere/AcmePlugin$Settings.class"),
                        "elsewhere/AcmePlugin$1.class",
                        both.get("elsewhere/AcmePlugin$1.class")),
                "elsewhere.AcmePlugin");
        packAsItIs(jar("lib"), Map.of("elsewhere/Lib.class", both.get("elsewhere/Lib.class")));

        assertThat(discover().types()).contains("acme");
        assertThat(plugins.problems(Optional.of(folder))).isEmpty();
        assertThatThrownBy(() -> load(Map.of("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "other")))
                .hasMessageContainingAll("'other' is not a known type", jar("lib") + " provides nothing");
    }

    @Test
    void neitherOfTwoCopiesOfAClassIsUsed() throws Exception {
        Map<String, byte[]> classes = compile(folder, Map.of("AcmePlugin", PluginJars.plugin("AcmePlugin", Map.of())));
        pack(jar("acme-1"), classes, "elsewhere.AcmePlugin");
        pack(jar("acme-2"), classes, "elsewhere.AcmePlugin");
        assertThat(onlyProblem())
                .contains(jar("acme-1").toString(), jar("acme-2").toString(), "more than once", "remove");
    }

    @Test
    void neitherOfTwoPluginsOfATypeIsUsed() throws Exception {
        PluginJars.plugin(jar("a"), "First", Map.of("type", "return \"gitlab\";"));
        PluginJars.plugin(jar("b"), "Second", Map.of("type", "return \"gitlab\";"));

        assertThat(discover().types()).contains("harbor").doesNotContain("gitlab");
        assertThat(plugins.problems(Optional.of(folder)))
                .hasSize(2)
                .allSatisfy(problem -> assertThat(problem).contains("'gitlab'", "GitLabPlugin", "remove one"));
    }

    private Configuration load(Map<String, String> variables) throws ConfigurationException {
        Map<String, String> all = new HashMap<>(variables);
        all.put("URUNNER_CONF_PLUGIN_DIR", folder.toString());
        return new SettingsLoader(all, plugins).load(Overrides.NONE);
    }

    @Test
    void aConfiguredTypeThatIsNotAvailableIsAnErrorWithItsReason() throws Exception {
        PluginJars.plugin(
                jar("acme"),
                "AcmePlugin",
                Map.of("members", "static { if (true) throw new NoClassDefFoundError(\"com/acme/Http\"); }"));

        assertThatThrownBy(() -> load(Map.of(
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "acme",
                        "URUNNER_SECR_ACME_USER", "ci",
                        "URUNNER_SECR_ACME_PASS", PASSWORD)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContainingAll(
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE",
                        "'acme' is not a known type",
                        jar("acme").toString(),
                        "elsewhere.AcmePlugin",
                        "com/acme/Http")
                .hasMessageNotContaining(PASSWORD);
    }

    @Test
    void aBrokenJarThatNobodyUsesIsAWarning() throws Exception {
        Files.writeString(jar("broken"), "no jar");
        PluginJars.plugin(jar("acme"), "AcmePlugin", Map.of());

        assertThat(load(Map.of(
                                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "acme",
                                "URUNNER_SECR_ACME_USER", "ci",
                                "URUNNER_SECR_ACME_PASS", PASSWORD,
                                "URUNNER_SECR_BROKEN_KEY", "belongs to the broken one"))
                        .warnings())
                .singleElement()
                .asString()
                .contains(jar("broken").toString(), "not a jar, or is truncated");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "throw new IllegalStateException(\"for \" + pass);",
                "throw new NoClassDefFoundError(\"com/acme/Http\");",
                "Integer.parseInt(\"x\");",
            })
    void settingsThatAPluginsConstructorFailsOnAreAProblemOfTheConfiguration(String body) throws Exception {
        PluginJars.plugin(jar("acme"), "AcmePlugin", Map.of("record", "public Settings { " + body + " }"));

        assertThatThrownBy(() -> load(Map.of(
                        "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "acme",
                        "URUNNER_SECR_ACME_USER", "ci",
                        "URUNNER_SECR_ACME_PASS", PASSWORD)))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContainingAll("elsewhere.AcmePlugin$Settings", "URUNNER_SECR_ACME_USER")
                .hasMessageNotContaining(PASSWORD);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "if (true) throw new IllegalStateException(\"no \" + settings.user()); | IllegalStateException: no ci",
                "if (true) throw new NoClassDefFoundError(\"com/acme/Http\"); | NoClassDefFoundError: com/acme/Http",
                "if (true) throw new StackOverflowError(); | StackOverflowError",
                "if (true) return null; | returned null instead of a provider",
                "Integer.parseInt(settings.user()); | NumberFormatException",
            })
    void aPluginThatCreatesNoProvider(String body, String said) {
        IllegalArgumentException failure =
                catchThrowableOfType(IllegalArgumentException.class, () -> provider(Map.of("create", body)));

        assertThat(failure)
                .hasMessageContainingAll("elsewhere.AcmePlugin", "acme.jar", "create()", said)
                .cause()
                .isInstanceOf(CredentialException.class);
    }

    @Test
    void aRefusalOfSettingsIsReportedInThePluginsOwnWords() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> provider(
                        Map.of("create", "if (true) throw new IllegalArgumentException(\"a.example is not Acme's\");")))
                .withMessage("a.example is not Acme's");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "throw new NoClassDefFoundError(\"com/acme/Http\"); | NoClassDefFoundError: com/acme/Http",
                "throw new StackOverflowError(); | StackOverflowError",
                "throw new OutOfMemoryError(\"Java heap space\"); | OutOfMemoryError",
                "throw new AssertionError(); | AssertionError",
                "throw new NullPointerException(); | NullPointerException",
                "throw new IllegalStateException(\"a\", new java.io.IOException(\"b\")); | IllegalStateException: a; caused by IOException: b",
                "throw new RuntimeException() { public String getMessage() { throw new Error(); } }; | elsewhere.AcmePlugin$",
                "throw new RuntimeException() { public Throwable getCause() { throw new Error(); } }; | elsewhere.AcmePlugin$",
                "throw new RuntimeException() { public Throwable getCause() { return new RuntimeException(\"z\", this); } }; | elsewhere.AcmePlugin$",
                "throw new RuntimeException(\"x\".repeat(50_000_000)); | RuntimeException",
                "throw new RuntimeException(\"one\\n\\tat two\\u001b[31m\\u202e\"); | RuntimeException: one at two",
                "return null; | returned null instead of a list",
                "return Arrays.asList((Credential) null); | null in it",
                "return Collections.nCopies(Integer.MAX_VALUE, new Credential.Anonymous()); | more than 100",
                "return new AbstractList<Credential>() { public Credential get(int i) { return new Credential.Anonymous(); } public int size() { return Integer.MAX_VALUE; } }; | more than 100",
                "return new AbstractList<Credential>() { public Credential get(int i) { return null; } public int size() { throw new Error(\"size\"); } }; | Error: size",
                "return List.of(new Credential.RegistryToken(Secret.of(\"a\\r\\nX-Y: b\"))); | not allowed in a header",
                "return List.of(new Credential.RegistryToken(Secret.of(\"a\".repeat(70_000)))); | more than 65536",
            })
    void aPluginThatYieldsNoCredentials(String body, String said) throws Exception {
        try (CredentialProvider provider = provider(Map.of("credentials", body))) {
            for (int i = 0; i < 2; i++) {
                CredentialException failure = catchThrowableOfType(
                        CredentialException.class, () -> provider.credentials("a.example", "team/app"));
                isAttributed(failure);
                assertThat(failure).hasMessageContainingAll("credentials()", said);
                assertThat(failure.isTransient()).as("asked again later").isTrue();
            }
            assertThat(provider.describe("a.example", "team/app")).isEqualTo("acme user ci");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "AcmePlugin.<RuntimeException>sneak(new InterruptedException());",
                "Thread.currentThread().interrupt();",
            })
    void aPluginInterruptsNobodyElse(String body) throws Exception {
        String sneak = "private static <T extends Throwable> void sneak(Throwable e) throws T { throw (T) e; }";
        try (CredentialProvider provider = provider(Map.of("members", sneak, "credentials", body + " return null;"))) {
            assertThatThrownBy(() -> provider.credentials("a.example", "team/app"))
                    .isInstanceOf(CredentialException.class)
                    .satisfies(PluginFaultsTest::isAttributed);
            assertThat(Thread.interrupted()).isFalse();
        }
    }

    @Test
    void aStaticInitialiserThatFailsIsNamedAtTheSecondUseToo() throws Exception {
        try (CredentialProvider provider = provider(Map.of(
                "members",
                        "static class Http { static final int X; static { if (true) throw new IllegalStateException(\"no CA\"); X = 1; } }",
                "credentials", "return List.of(Http.X == 1 ? null : null);"))) {
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> provider.credentials("a.example", "team/app"))
                        .isInstanceOf(CredentialException.class)
                        .satisfies(PluginFaultsTest::isAttributed)
                        .hasMessageContaining("no CA");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "public AuthHints hints(String registry) { return null; }",
                "public AuthHints hints(String registry) { return new AuthHints(true, null); }",
                "public AuthHints hints(String registry) { throw new IllegalStateException(); }",
                "public AuthHints hints(String registry) { throw new NoClassDefFoundError(\"x/Y\"); }",
                "public AuthHints hints(String registry) { return AuthHints.askForTokensAt(java.net.URI.create(\"/token\")); }",
            })
    void failingHintsAreAFailureOfTheCredentials(String hints) throws Exception {
        try (CredentialProvider provider = provider(Map.of("more", hints))) {
            assertThatThrownBy(() -> provider.credentials("a.example", "team/app"))
                    .isInstanceOf(CredentialException.class)
                    .satisfies(PluginFaultsTest::isAttributed);
            assertThat(provider.hints("a.example")).isEqualTo(AuthHints.NONE);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "return null;",
                "return \" \";",
                "throw new IllegalStateException();",
                "throw new NoClassDefFoundError(\"x/Y\");",
                "return describe(registry, repository) + 1;",
            })
    void aProviderThatDoesNotDescribeItselfIsDescribedByItsPlugin(String body) throws Exception {
        try (CredentialProvider provider = provider(Map.of("describe", body))) {
            assertThat(provider.describe("a.example", "team/app"))
                    .contains("elsewhere.AcmePlugin", "acme.jar", "describe()");
            assertThat(provider.credentials("a.example", "team/app")).hasSize(1);
        }
    }

    @Test
    void aDescriptionIsOneShortLineWithoutTheSecret() throws Exception {
        try (CredentialProvider provider = provider(
                Map.of(
                        "describe",
                        "try { return settings.pass().read().reveal() + \"\\n\\u001b[2J\" + \"x\".repeat(9_999); } catch (CredentialException e) { return \"\"; }"))) {
            assertThat(provider.describe("a.example", "team/app"))
                    .hasSizeLessThanOrEqualTo(200)
                    .hasLineCount(1)
                    .startsWith("[secret] [2Jxxx")
                    .doesNotContain(PASSWORD);
        }
    }

    @Test
    void failuresInRefusedAndCloseStopNobodyElse() throws Exception {
        try (CredentialProvider provider = provider(
                Map.of(
                        "more",
                        "public void refused(String r, Credential c) { throw new NoClassDefFoundError(\"x/Y\"); } public void close() { throw new Error(); }"))) {
            provider.refused("a.example", new Credential.Anonymous());
            assertThat(provider.credentials("a.example", "team/app")).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"the password is \" + secret",
                "\"POST {\\\"password\\\": \\\"\" + secret + \"\\\"} failed\"",
                "\"https://ci:\" + secret + \"@a.example/token\"",
                "\"Authorization: Basic \" + Base64.getEncoder().encodeToString((\"ci:\" + secret).getBytes())",
                "Base64.getEncoder().encodeToString(secret.getBytes())",
                "java.net.URLEncoder.encode(secret, java.nio.charset.StandardCharsets.UTF_8)",
                "\"a1\".repeat(4_995) + ' ' + secret",
            })
    void noExceptionMessageDisclosesTheSecret(String text) throws Exception {
        String body = "String secret = settings.pass().read().reveal(); String text = " + text + ";"
                + " throw new IllegalStateException(text, new RuntimeException(text));";
        try (CredentialProvider provider = provider(Map.of("credentials", body))) {
            String pair = Base64.getEncoder().encodeToString(("ci:" + PASSWORD).getBytes(StandardCharsets.UTF_8));
            assertThatThrownBy(() -> provider.credentials("a.example", "team/app"))
                    .satisfies(PluginFaultsTest::isAttributed)
                    .hasMessageNotContainingAny(
                            PASSWORD.substring(0, 8),
                            pair,
                            Base64.getEncoder().encodeToString(PASSWORD.getBytes(StandardCharsets.UTF_8)));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\\\"access_token\\\":\\\"glpat-4711abcdEFGH\\\"}",
                "Bearer glpat-4711abcdEFGH",
                "token=glpat-4711abcdEFGH&x=1",
                "got glpat-4711abcdEFGH-and-more-of-it from the issuer",
            })
    void aTokenThatIsNotKnownYetIsNotDisclosedEither(String text) throws Exception {
        try (CredentialProvider provider =
                provider(Map.of("credentials", "throw new IllegalStateException(\"" + text + "\");"))) {
            assertThatThrownBy(() -> provider.credentials("a.example", "team/app"))
                    .satisfies(PluginFaultsTest::isAttributed)
                    .hasMessageNotContaining("4711abcd");
        }
    }

    @Test
    void aPluginsOwnRefusalKeepsItsWordsButIsOneLineWithoutTheSecret() throws Exception {
        try (CredentialProvider provider = provider(
                Map.of(
                        "credentials",
                        "throw new CredentialException(\"Acme says no\\nto \" + settings.pass().read().reveal(), false, new Error());"))) {
            CredentialException failure = catchThrowableOfType(
                    CredentialException.class, () -> provider.credentials("a.example", "team/app"));
            assertThat(failure).hasMessage("Acme says no to [secret]").hasNoCause();
            assertThat(failure.isTransient()).isFalse();
        }
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void aHangingPluginIsAbandonedAndCalledAgainOnceItReturned() throws Exception {
        try (CredentialProvider provider = provider(Map.of(
                "members",
                "static volatile boolean hangs = true;",
                "describe",
                "while (hangs) { try { Thread.sleep(20); } catch (InterruptedException e) { } } return \"acme\";"))) {
            assertThat(provider.describe("a.example", "team/app"))
                    .contains("elsewhere.AcmePlugin", "in describe(): it did not return within 5 s");
            long begun = System.nanoTime();
            assertThat(provider.describe("a.example", "team/app")).contains("an earlier call still hangs");
            assertThatThrownBy(() -> provider.credentials("a.example", "team/app"))
                    .hasMessageContaining("still hangs");
            assertThat(System.nanoTime() - begun).as("not awaited again").isLessThan(TimeUnit.SECONDS.toNanos(4));
            hangs(false);
            while (!provider.describe("a.example", "team/app").equals("acme")) {
                Thread.onSpinWait();
            }
            assertThat(provider.credentials("a.example", "team/app")).hasSize(1);
        }
    }

    private void hangs(boolean yes) throws ReflectiveOperationException {
        Class<?> plugin = discover().get("acme").settingsType().getEnclosingClass();
        var field = plugin.getDeclaredField("hangs");
        field.setAccessible(true);
        field.setBoolean(null, yes);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void aPluginThatHangsInCreateIsAbandoned() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> provider(Map.of(
                        "create",
                        "while (settings != null) { try { Thread.sleep(50); } catch (InterruptedException e) { } }")))
                .withMessageContainingAll(
                        "elsewhere.AcmePlugin", "acme.jar", "in create(): it did not return within 10 s");
    }

    @Test
    void aPluginThatFailsInRecognisesIsNamedAndRecognisesNothing() throws IOException {
        PluginJars.plugin(
                jar("acme"),
                "AcmePlugin",
                Map.of("members", "public boolean recognises(String r) { throw new NoClassDefFoundError(\"x/Y\"); }"));

        assertThat(discover().recognise("unknown.example")).isEmpty();
        assertThat(discover().recognise("another.example")).as("reported once").isEmpty();
        assertThat(plugins.problems(Optional.of(folder)))
                .singleElement()
                .asString()
                .contains("elsewhere.AcmePlugin", "acme.jar", "recognises()", "x/Y");
    }
}
