package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
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

    @Test
    void windowsRunsImagesOfItsOwnBuild() {
        Platform host = new Platform("windows", "amd64", "", "10.0.20348.1");
        assertThat(host.distanceTo(new Platform("windows", "amd64", "", "10.0.20348.2227")))
                .isZero();
        assertThat(host.distanceTo(new Platform("windows", "amd64", "", "10.0.17763.1")))
                .isNegative();
        assertThat(host.distanceTo(new Platform("windows", "amd64", "", ""))).isZero();
        assertThat(Platform.parse("windows/amd64").distanceTo(host)).isZero();
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
        var entries = new ArrayList<Descriptor>();
        for (String platform : Arrays.asList(platforms.split(" "))) {
            entries.add(new Descriptor(
                    MediaType.OCI_MANIFEST,
                    Digest.of((platform + entries.size()).getBytes(StandardCharsets.UTF_8)),
                    1,
                    Optional.of(Platform.parse(platform)),
                    Optional.empty(),
                    Map.of()));
        }
        return entries;
    }
}
