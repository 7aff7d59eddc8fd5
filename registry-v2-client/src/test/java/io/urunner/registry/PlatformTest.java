package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {
    @ParameterizedTest
    @CsvSource({
        "linux/amd64, linux/amd64",
        "Linux/AMD64, linux/amd64",
        "linux/x86_64, linux/amd64",
        "linux/x86-64, linux/amd64",
        "linux/amd64/v1, linux/amd64",
        "linux/amd64/v2, linux/amd64/v2",
        "linux/i386, linux/386",
        "linux/386, linux/386",
        "linux/arm64, linux/arm64",
        "linux/aarch64, linux/arm64",
        "linux/arm64/v8, linux/arm64",
        "linux/arm64/8, linux/arm64",
        "linux/arm64/v8.0, linux/arm64",
        "linux/arm64/v8.2, linux/arm64/v8.2",
        "linux/arm64/9, linux/arm64/v9",
        "linux/arm64/v9.0, linux/arm64/v9",
        "linux/arm, linux/arm/v7",
        "linux/arm/7, linux/arm/v7",
        "linux/arm/v7, linux/arm/v7",
        "linux/arm/6, linux/arm/v6",
        "linux/arm/v5, linux/arm/v5",
        "linux/armhf, linux/arm/v7",
        "linux/armel, linux/arm/v6",
        "linux/ppc64le, linux/ppc64le",
        "linux/s390x, linux/s390x",
        "linux/riscv64, linux/riscv64",
        "windows/amd64, windows/amd64",
        "macos/arm64, darwin/arm64",
        "windows(10.0.20348.1+win32k+x)/x86_64, windows(10.0.20348.1+win32k+x)/amd64",
        "windows(+win32k)/amd64, windows(+win32k)/amd64",
        "windows()/amd64, windows/amd64",
        "windows(10%2e0+b+a+b)/amd64, windows(10.0+a+b)/amd64",
        "unknown/unknown, unknown/unknown"
    })
    void aPlatformIsNormalised(String text, String normal) {
        assertThat(Platform.parse(text)).hasToString(normal);
        assertThat(Platform.parse(normal)).isEqualTo(Platform.parse(text));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            ^^
            linux
            linux/
            /amd64
            linux//v8
            linux/arm/v7/x
            linux/arm/
            linux/a b
            linux/arm;v7
            windows(/amd64
            windows()x/amd64
            windows(10.0+)/amd64
            windows(%)/amd64
            windows(%2)/amd64
            windows(+%GG)/amd64
            linux/amd64(1)
            """)
    void anInvalidPlatformIsRejected(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Platform.parse(text))
                .withMessageStartingWith("not a platform: ");
    }

    /** A machine, the entries of an index, and the one that the machine runs, as containerd selects it. */
    @ParameterizedTest(name = "{0} of [{1}]: {2}")
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            linux/amd64      | linux/amd64                                     | linux/amd64
            linux/amd64      | linux/arm64 linux/amd64                         | linux/amd64
            linux/amd64      | linux/amd64/v1                                  | linux/amd64
            linux/amd64      | linux/amd64/v2                                  | -
            linux/amd64      | linux/amd64/v3 linux/amd64                      | linux/amd64
            linux/amd64/v2   | linux/amd64 linux/amd64/v2                      | linux/amd64/v2
            linux/amd64/v3   | linux/amd64 linux/amd64/v2                      | linux/amd64/v2
            linux/amd64/v3   | linux/amd64                                     | linux/amd64
            linux/amd64/v3   | linux/amd64/v4 linux/amd64/v1                   | linux/amd64
            linux/amd64      | linux/386                                       | linux/386
            linux/amd64      | linux/386 linux/amd64                           | linux/amd64
            linux/amd64/v4   | linux/386                                       | linux/386
            linux/386        | linux/amd64                                     | -
            linux/386        | linux/386 linux/amd64                           | linux/386
            linux/amd64      | linux/arm64 linux/s390x                         | -
            linux/amd64      | windows/amd64                                   | -
            linux/amd64      | darwin/amd64 windows/amd64 linux/amd64          | linux/amd64
            linux/amd64      | unknown/unknown                                 | -
            linux/amd64      | unknown/unknown linux/amd64 unknown/unknown     | linux/amd64
            linux/arm64      | linux/arm64                                     | linux/arm64
            linux/arm64      | linux/arm64/v8                                  | linux/arm64
            linux/arm64/v8   | linux/arm64                                     | linux/arm64
            linux/arm64      | linux/arm64/v9                                  | -
            linux/arm64/v8.2 | linux/arm64                                     | linux/arm64
            linux/arm64/v8.2 | linux/arm64 linux/arm64/v8.1                    | linux/arm64/v8.1
            linux/arm64/v8.1 | linux/arm64/v8.2                                | -
            linux/arm64/v9   | linux/arm64                                     | linux/arm64
            linux/arm64/v9   | linux/arm64/v8.5 linux/arm64                    | linux/arm64/v8.5
            linux/arm64/v9   | linux/arm64/v8.6                                | -
            linux/arm64/v9   | linux/arm64 linux/arm64/v9                      | linux/arm64/v9
            linux/arm64/v9.2 | linux/arm64/v8.7 linux/arm64/v9.1               | linux/arm64/v9.1
            linux/arm64/v9.2 | linux/arm64/v8.7 linux/arm64/v8.8               | linux/arm64/v8.7
            linux/arm64/v9.9 | linux/arm64/v8.9                                | linux/arm64/v8.9
            linux/arm64      | linux/arm/v7                                    | linux/arm/v7
            linux/arm64      | linux/arm/v8                                    | linux/arm/v8
            linux/arm64      | linux/arm/v6 linux/arm/v7                       | linux/arm/v7
            linux/arm64      | linux/arm/v7 linux/arm64                        | linux/arm64
            linux/arm64      | linux/amd64                                     | -
            linux/arm/v7     | linux/arm/v7                                    | linux/arm/v7
            linux/arm        | linux/arm/v7                                    | linux/arm/v7
            linux/arm/v7     | linux/arm                                       | linux/arm/v7
            linux/arm/v7     | linux/arm/v5 linux/arm/v6                       | linux/arm/v6
            linux/arm/v7     | linux/arm/v5                                    | linux/arm/v5
            linux/arm/v7     | linux/arm/v8                                    | -
            linux/arm/v7     | linux/arm64                                     | -
            linux/arm/v6     | linux/arm/v7 linux/arm/v5                       | linux/arm/v5
            linux/arm/v6     | linux/arm/v7                                    | -
            linux/arm/v5     | linux/arm/v6                                    | -
            linux/arm/v5     | linux/arm/v5                                    | linux/arm/v5
            linux/s390x      | linux/s390x linux/amd64                         | linux/s390x
            linux/ppc64le    | linux/ppc64                                     | -
            linux/riscv64    | linux/riscv64                                   | linux/riscv64
            windows/amd64    | linux/amd64 windows/amd64                       | windows/amd64
            linux/strange/v1 | linux/strange/v2                                | -
            linux/strange/v1 | linux/strange/v1                                | linux/strange/v1
            """)
    void aMachineRunsTheBestMatchInAnIndex(String machine, String offered, String chosen) {
        Index index = Index.of(entries(offered), Map.of());
        assertThat(index.select(Platform.parse(machine)).flatMap(Descriptor::platform))
                .isEqualTo(Optional.ofNullable(chosen).map(Platform::parse));
    }

    @Test
    void theFirstOfEqualMatchesIsSelected() {
        List<Descriptor> entries = entries("linux/amd64 linux/amd64");
        assertThat(Index.of(entries, Map.of()).select(Platform.LINUX_AMD64)).contains(entries.get(0));
    }

    /** A host of Windows, the images of an index in their order, and the one that runs there. */
    @ParameterizedTest(name = "{0} of [{1}]: {2}")
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            # up to Server 2019, the same build
            10.0.17763.1     | 10.0.17763.2227                                | 10.0.17763.2227
            10.0.17763.1     | 10.0.20348.1                                   | -
            10.0.18362.1     | 10.0.17763.1                                   | -
            # since Server 2022, every build from that one to the host's
            10.0.20348.1     | 10.0.17763.1                                   | -
            10.0.20348.1     | 10.0.20348.2227                                | 10.0.20348.2227
            10.0.20348.1     | 10.0.26100.1                                   | -
            10.0.22621.1     | 10.0.17763.1                                   | -
            10.0.22621.1     | 10.0.20348.1                                   | 10.0.20348.1
            10.0.26100.1     | 10.0.20348.1                                   | 10.0.20348.1
            10.0.26100.1     | 10.0.25398.1                                   | 10.0.25398.1
            10.0.26100.1     | 10.0.17763.1                                   | -
            10.0.26100.1     | 10.0.20347.1                                   | -
            10.0.26100.1     | 11.0.20348.1                                   | -
            10.0.26100.1     | 10.1.20348.1                                   | -
            10.0.26100.1     | x                                              | -
            10.0.26100.1     | 10.0.999999999999999999.1                      | -
            # the highest version
            10.0.26100.2894  | 10.0.20348.3091 10.0.26100.2894                | 10.0.26100.2894
            10.0.26100.2894  | 10.0.26100.3000 10.0.26100.2894 10.0.20348.1   | 10.0.26100.3000
            10.0.20348.1     | 10.0.20348.999 10.0.20348.1000                 | 10.0.20348.1000
            10.0.20348.3091  | 10.0.26100.2894 10.0.20348.3091                | 10.0.20348.3091
            # without a version
            10.0.20348.1     | none                                           | none
            10.0.20348.1     | none 10.0.20348.1                              | 10.0.20348.1
            none             | 10.0.17763.1 10.0.20348.1                      | 10.0.20348.1
            """)
    void windowsRunsImagesByTheirVersion(String host, String images, String chosen) {
        List<Descriptor> entries = new ArrayList<>();
        for (String version : images.split(" ", -1)) {
            entries.add(entry(windows(version), entries.size()));
        }
        assertThat(Index.of(entries, Map.of()).select(windows(host)).flatMap(Descriptor::platform))
                .isEqualTo(Optional.ofNullable(chosen).map(PlatformTest::windows));
    }

    private static Platform windows(String version) {
        return new Platform("windows", "amd64", "", version.equals("none") ? "" : version);
    }

    /** What a machine has, what the images of an index require, and the one that runs there. */
    @ParameterizedTest(name = "{0} of [{1}]: {2}")
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            windows/amd64                       | windows(+win32k)/amd64                                 | -
            windows/amd64                       | windows(+win32k)/amd64 windows/amd64                   | windows/amd64
            windows(+win32k)/amd64              | windows/amd64 windows(+win32k)/amd64                   | windows(+win32k)/amd64
            windows(+win32k)/amd64              | windows(+a)/amd64                                      | -
            windows(+win32k)/amd64              | windows(+win32k+a)/amd64                               | -
            windows(+a+win32k)/amd64            | windows(+win32k)/amd64 windows(+win32k+a)/amd64        | windows(+win32k+a)/amd64
            windows(10.0.20348+win32k)/amd64    | windows(10.0.20348.7+win32k)/amd64 windows/amd64       | windows(10.0.20348.7+win32k)/amd64
            linux/amd64                         | linux(+a)/amd64 linux/amd64                            | linux/amd64
            linux(5.10)/amd64                   | linux(6.1)/amd64                                       | linux(6.1)/amd64
            """)
    void aMachineHasWhatAnImageRequires(String machine, String images, String chosen) {
        assertThat(Index.of(entries(images), Map.of())
                        .select(Platform.parse(machine))
                        .flatMap(Descriptor::platform))
                .isEqualTo(Optional.ofNullable(chosen).map(Platform::parse));
    }

    @Test
    void aLongTextIsRejected() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Platform.parse("windows(" + "+a".repeat(1_000_000) + ")/amd64"));
    }

    @Test
    void theStatedWordsDoNotDistinguishPlatforms() {
        Platform stated = new Platform("Linux", "aarch64", "v8", "");
        assertThat(stated).isEqualTo(Platform.LINUX_ARM64).hasSameHashCodeAs(Platform.LINUX_ARM64);
        assertThat(stated.otherFields()).containsOnlyKeys("os", "architecture", "variant");
        assertThat(stated.withOsFeatures(List.of("x"))).isNotEqualTo(Platform.LINUX_ARM64);
    }

    @Test
    void whatAnIndexStatesIsShownWithoutHarm() {
        Platform hostile = new Platform("a\nb", "c/d", "\u001b[2J", "1 (+%", List.of("", "x\u202ey", "é"), Map.of());
        assertThat(hostile).hasToString("a%0Ab(1%20%28%2B%25+x%E2%80%AEy+%C3%A9)/c%2Fd/%1B%5B2j");

        Platform odd = new Platform("windows", "amd64", "", "10.0.1+é /", List.of("b+", "a)"), Map.of());
        assertThat(Platform.parse(odd.toString())).isEqualTo(odd);
    }

    @Test
    void aVersionBeyondAnyProcessorIsHarmless() {
        for (String variant : new String[] {"v99999999999999999999", "v", "v-1", "v8.", "v8.x", "v9.99999"}) {
            for (String architecture : new String[] {"amd64", "arm", "arm64"}) {
                assertThat(new Platform("linux", architecture, variant, "").distanceTo(Platform.parse("linux/mips")))
                        .isNegative();
            }
        }
    }

    private static List<Descriptor> entries(String platforms) {
        List<Descriptor> entries = new ArrayList<>();
        for (String platform : platforms.split(" ", -1)) {
            entries.add(entry(Platform.parse(platform), entries.size()));
        }
        return entries;
    }

    private static Descriptor entry(Platform platform, int number) {
        return new Descriptor(MediaType.OCI_MANIFEST, Digest.of(new byte[] {(byte) number}), 1).withPlatform(platform);
    }
}
