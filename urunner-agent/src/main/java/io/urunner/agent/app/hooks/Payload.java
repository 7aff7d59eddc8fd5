package io.urunner.agent.app.hooks;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.agent.PushedTag;
import io.urunner.registry.ImageReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The notifications of registries. Only repository and tag are read: the digest comes from the registry itself.
 * Other events, and pushes without a tag, are ignored.
 */
enum Payload {
    /** CNCF Distribution: <em>notifications</em>. */
    DISTRIBUTION(Sender.AUTHORIZATION) {
        @Override
        List<PushedTag> tags(JsonNode body) {
            List<PushedTag> tags = new ArrayList<>();
            for (JsonNode event : list(body, "events")) {
                JsonNode target = event.path("target");
                // Pushes of layers have no tag.
                if (event.path("action").asText().equals("push")
                        && !target.path("tag").asText().isEmpty()) {
                    tags.add(new PushedTag(text(target, "repository"), text(target, "tag")));
                }
            }
            return tags;
        }
    },
    /** Harbor: <em>webhooks</em> of the type HTTP, in its own format or as CloudEvents. */
    HARBOR(Sender.AUTHORIZATION) {
        @Override
        List<PushedTag> tags(JsonNode body) {
            if (!HARBOR_PUSHES.contains(text(body, "type"))) {
                return List.of();
            }
            JsonNode data = body.has("event_data") ? body.path("event_data") : body.path("data");
            String repository = text(data.path("repository"), "repo_full_name");
            List<PushedTag> tags = new ArrayList<>();
            for (JsonNode resource : list(data, "resources")) {
                String tag = resource.path("tag").asText();
                // A push without a tag has a digest here.
                if (!tag.isEmpty() && !tag.contains(":")) {
                    tags.add(new PushedTag(repository, tag));
                }
            }
            return tags;
        }
    },
    /** GitHub: webhooks of the event {@code package} or {@code registry_package}. */
    GITHUB(Sender.SIGNATURE) {
        @Override
        List<PushedTag> tags(JsonNode body) {
            JsonNode image = body.has("registry_package") ? body.path("registry_package") : body.path("package");
            if (!image.path("package_type").asText().equalsIgnoreCase("container")) {
                return List.of(); // another event, or a package of another kind
            }
            String owner = Optional.of(image.path("namespace").asText())
                    .filter(name -> !name.isEmpty())
                    .orElseGet(() -> text(image.path("owner"), "login"));
            String tag = image.path("package_version")
                    .path("container_metadata")
                    .path("tag")
                    .path("name")
                    .asText();
            // The registry's names are lower case; those in the event are not.
            String repository = (owner + "/" + text(image, "name")).toLowerCase(Locale.ROOT);
            return tag.isEmpty() ? List.of() : List.of(new PushedTag(repository, tag));
        }
    },
    /** Any other sender: {@code {"reference": "host/repository:tag"}}. */
    GENERIC(Sender.AUTHORIZATION) {
        @Override
        List<PushedTag> tags(JsonNode body) {
            return PushedTag.of(ImageReference.parse(text(body, "reference"))).stream()
                    .toList();
        }
    };

    private static final Set<String> HARBOR_PUSHES = Set.of("PUSH_ARTIFACT", "pushImage", "harbor.artifact.pushed");

    private final Sender sender;

    Payload(Sender sender) {
        this.sender = sender;
    }

    /** How the sender authenticates. */
    Sender sender() {
        return sender;
    }

    /** Its name in the path and in the metrics. */
    String hook() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The tags that were pushed.
     *
     * @throws IllegalArgumentException if the registry would not send this
     */
    abstract List<PushedTag> tags(JsonNode body);

    private static JsonNode list(JsonNode parent, String name) {
        JsonNode list = parent.path(name);
        if (!list.isArray()) {
            throw new IllegalArgumentException("missing list '" + name + "'");
        }
        return list;
    }

    private static String text(JsonNode parent, String name) {
        JsonNode text = parent.path(name);
        if (!text.isTextual() || text.asText().isBlank()) {
            throw new IllegalArgumentException("missing text '" + name + "'");
        }
        return text.asText();
    }
}
