package io.urunner.agent;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The dependency rules in {@code docs/architecture.md}. */
class ArchitectureTest {
    private static final String JDK = "java..";
    private static final String ANNOTATIONS = "org.jspecify..";

    private static final JavaClasses PRODUCT = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("io.urunner");

    @Test
    void everyModuleIsSeen() {
        Set<String> packages = PRODUCT.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());

        assertThat(packages)
                .contains(
                        "io.urunner.registry",
                        "io.urunner.registry.auth",
                        "io.urunner.registry.gitlab",
                        "io.urunner.registry.harbor",
                        "io.urunner.registry.ecr",
                        "io.urunner.registry.digitalocean",
                        "io.urunner.store",
                        "io.urunner.kube",
                        "io.urunner.agent.plan");
    }

    /** The types that all packages share: they are beside the entry point, and form a slice of their own. */
    private static final Set<String> SHARED = Set.of(
            "AgentListener",
            "AgentStatus",
            "HostStatus",
            "Lease",
            "OnceReport",
            "PullSecretSource",
            "PushedTag",
            "RegistryOptions",
            "RegistryProbe",
            "RequestCounts",
            "Rollout");

    @Test
    void packagesHaveNoCycles() {
        slices().assignedFrom(new SliceAssignment() {
                    @Override
                    public SliceIdentifier getIdentifierOf(JavaClass type) {
                        return isShared(type)
                                ? SliceIdentifier.of("shared by the packages of the engine")
                                : SliceIdentifier.of(type.getPackageName());
                    }

                    @Override
                    public String getDescription() {
                        return "packages";
                    }
                })
                .should()
                .beFreeOfCycles()
                .check(PRODUCT);
    }

    private static boolean isShared(JavaClass type) {
        String name = type.getBaseComponentType().getName();
        return SHARED.stream()
                .map("io.urunner.agent."::concat)
                .anyMatch(shared -> name.equals(shared) || name.startsWith(shared + "$"));
    }

    @Test
    void theEngineNeverImportsTheProgram() {
        noClasses()
                .that()
                .resideInAPackage("io.urunner.agent..")
                .and()
                .resideOutsideOfPackage("io.urunner.agent.app..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.urunner.agent.app..", "ch.qos.logback..", "picocli..", "org.snakeyaml..", "io.prometheus..")
                .check(PRODUCT);
    }

    /** In the order of the data flow, each package uses only those before it. */
    @Test
    void thePackagesOfTheEngineAreInOrder() {
        List<String> layers = List.of("text", "loop", "plan", "history", "tags", "workloads", "rollouts", "engine");
        for (int layer = 0; layer < layers.size(); layer++) {
            Set<String> before = Set.copyOf(layers.subList(0, layer + 1));
            classes()
                    .that()
                    .resideInAPackage("io.urunner.agent." + layers.get(layer))
                    .should()
                    .onlyDependOnClassesThat(DescribedPredicate.describe(
                            "lie in " + before + " or are shared",
                            type -> !type.getPackageName().startsWith("io.urunner.agent")
                                    || isShared(type)
                                    || before.contains(type.getPackageName().replaceFirst(".*\\.", ""))))
                    .check(PRODUCT);
        }
    }

    /** So that newcomers find the package for a change. */
    @Test
    void theDocumentNamesEveryPackageOfTheAgent() throws IOException {
        String document = Files.readString(Path.of("..", "docs", "architecture.md"));
        Set<String> packages = PRODUCT.stream()
                .map(JavaClass::getPackageName)
                .filter(name -> name.startsWith("io.urunner.agent."))
                .map(name -> name.substring("io.urunner.agent.".length()))
                .collect(Collectors.toSet());

        assertThat(packages)
                .isNotEmpty()
                .allSatisfy(name -> assertThat(document).contains("`" + name + "`"));
    }

    @Test
    void theCredentialSpiDependsOnlyOnTheJdk() {
        classes()
                .that()
                .resideInAPackage("io.urunner.registry.auth")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(JDK, ANNOTATIONS, "io.urunner.registry.auth")
                .check(PRODUCT);
    }

    @Test
    void whatIsOptionalInTheClientIsImportedByNothingInIt() {
        noClasses()
                .that()
                .resideInAPackage("io.urunner.registry..")
                .and()
                .resideOutsideOfPackage("io.urunner.registry.copy..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.urunner.registry.copy..")
                .check(PRODUCT);
    }

    @Test
    void aPluginImportsOnlyTheSpi() {
        for (String plugin : List.of("gitlab", "harbor", "ecr", "digitalocean")) {
            String itself = "io.urunner.registry." + plugin;
            noClasses()
                    .that()
                    .resideInAPackage(itself + "..")
                    .should()
                    .dependOnClassesThat(ofOursOutside(itself, "io.urunner.registry.auth"))
                    .check(PRODUCT);
        }
    }

    @Test
    void theLibrariesDoNotDependOnEachOther() {
        noClasses()
                .that()
                .resideInAPackage("io.urunner.registry..")
                .should()
                .dependOnClassesThat(ofOursOutside("io.urunner.registry"))
                .check(PRODUCT);
        noClasses()
                .that()
                .resideInAPackage("io.urunner.store..")
                .should()
                .dependOnClassesThat(ofOursOutside("io.urunner.store"))
                .check(PRODUCT);
        noClasses()
                .that()
                .resideInAPackage("io.urunner.kube..")
                .should()
                .dependOnClassesThat(ofOursOutside("io.urunner.kube"))
                .check(PRODUCT);
    }

    @Test
    void theRestartersApiExposesOnlyTheJdk() {
        assertThat(PRODUCT.stream()
                        .filter(type -> type.getPackageName().equals("io.urunner.kube"))
                        .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
                        .flatMap(type -> type.getMembers().stream())
                        .filter(member -> member.getModifiers().contains(JavaModifier.PUBLIC))
                        .flatMap(member -> member.getAllInvolvedRawTypes().stream())
                        .map(type -> type.getBaseComponentType().getName())
                        .filter(type -> type.contains("."))
                        .filter(type -> !type.startsWith("java.") && !type.startsWith("io.urunner.kube.")))
                .isEmpty();
    }

    @Test
    void theAgentNamesNoPlugin() {
        noClasses()
                .that()
                .resideInAPackage("io.urunner.agent..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.urunner.registry.gitlab..",
                        "io.urunner.registry.harbor..",
                        "io.urunner.registry.ecr..",
                        "io.urunner.registry.digitalocean..")
                .check(PRODUCT);
    }

    @Test
    void thePlannerDoesNoInputOrOutput() {
        noClasses()
                .that()
                .resideInAPackage("io.urunner.agent.plan..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.io..",
                        "java.net..",
                        "java.nio..",
                        "java.util.concurrent..",
                        "okhttp3..",
                        "org.slf4j..",
                        "io.kubernetes..",
                        "io.urunner.store..")
                .check(PRODUCT);
    }

    @Test
    void nothingImportsTheDemonstration() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.urunner.agent.app.demo..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.urunner.agent.app.demo..")
                .check(PRODUCT);
    }

    @Test
    void noFieldIsStaticAndMutable() {
        assertThat(PRODUCT.stream()
                        .filter(type -> !type.isEnum())
                        .flatMap(type -> type.getFields().stream())
                        .filter(field -> field.getModifiers().contains(JavaModifier.STATIC))
                        .filter(field -> !field.getModifiers().contains(JavaModifier.FINAL))
                        .filter(field -> !field.getModifiers().contains(JavaModifier.SYNTHETIC)))
                .isEmpty();
    }

    @Test
    void everyPackageIsNullMarked() {
        Set<String> packages = PRODUCT.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());
        Set<String> marked = PRODUCT.stream()
                .filter(type -> type.getSimpleName().equals("package-info"))
                .filter(type -> type.isAnnotatedWith(NullMarked.class))
                .map(JavaClass::getPackageName)
                .collect(Collectors.toSet());

        assertThat(marked).containsExactlyInAnyOrderElementsOf(packages);
    }

    private static DescribedPredicate<JavaClass> ofOursOutside(String... allowed) {
        return DescribedPredicate.describe(
                "are ours and outside of " + String.join(", ", allowed),
                type -> type.getPackageName().startsWith("io.urunner")
                        && List.of(allowed).stream()
                                .noneMatch(name -> type.getPackageName().equals(name)
                                        || type.getPackageName().startsWith(name + ".")));
    }
}
