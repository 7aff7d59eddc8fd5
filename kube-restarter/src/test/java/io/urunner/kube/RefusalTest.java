package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.kube.KubeAccess.Permission;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RefusalTest {
    private static final String PATCH = "deployments.apps \"web\" is forbidden: User \"agent\" cannot patch resource"
            + " \"deployments\" in API group \"apps\" in the namespace \"denied-request\"";

    private static final Permission PERMISSION =
            new Permission("patch", "apps", "deployments", Optional.of("shop"), Optional.of("w"));

    /** A permission, a request that is refused for its content, or something transient; and how the message begins. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "PATCH",
            value = {
                "403 | PATCH                                                         | permission | not allowed to patch deployments in namespace shop (w) at",
                "403 | admission webhook \"policy.example\" denied the request: no   | refused    | cannot patch deployments in namespace shop (w) at",
                "403 | web is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no | refused | cannot patch deployments in namespace shop (w) at",
                "400 | admission webhook \"policy.example\" denied the request       | refused    | cannot patch deployments in namespace shop (w) at",
                "422 | Deployment.apps \"web\" is invalid                            | refused    | cannot patch deployments in namespace shop (w) at",
                "401 | Unauthorized                                                  | passes     | cannot patch deployments in namespace shop (w) at",
                "429 | too many requests                                             | passes     | cannot patch deployments in namespace shop (w) at",
                "503 | the server is currently unable to handle the request          | passes     | cannot patch deployments in namespace shop (w) at",
            })
    void anAnswerDecidesAboutTheNextAttempt(int status, String message, String meaning, String words) throws Exception {
        ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
        try (KubeConnection connection = new KubeConnection(PlainHttp.at(1), executor)) {
            JsonNode body = KubeConnection.JSON.createObjectNode().put("message", message == null ? PATCH : message);
            Action doing = ApiResource.of("apps/v1", "deployments").action("patch", "shop", "w");
            KubeException error = connection.refused(doing, new KubeConnection.Answer(status, body));
            assertThat(error).hasMessageStartingWith(words).hasMessageContaining(message == null ? PATCH : message);
            assertThat(error.forbidden()).isEqualTo(meaning.equals("permission"));
            assertThat(error.missing()).isEqualTo(error.forbidden() ? Optional.of(PERMISSION) : Optional.empty());
            assertThat(error.refused()).isEqualTo(meaning.equals("refused"));
        } finally {
            executor.shutdownNow();
        }
    }
}
