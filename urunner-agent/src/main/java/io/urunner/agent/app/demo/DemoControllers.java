package io.urunner.agent.app.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.RevisionKind;
import io.urunner.kube.WorkloadKind;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Plays the Deployment controller and a node, for Deployments of one container: a new template gets a ReplicaSet and a
 * pod; the pod "pulls" by asking the registry for the tag's digest, reports it as {@code imageID}, and replaces the old
 * pod once it is ready. Works on a thread of its own.
 */
final class DemoControllers implements AutoCloseable {
    private static final WorkloadKind DEPLOYMENT = WorkloadKind.DEPLOYMENT;
    private static final RevisionKind REVISION = DEPLOYMENT.revisions().orElseThrow();

    private final ApiObjects objects;
    private final Consumer<String> say;
    private final HttpClient http = HttpClient.newHttpClient();
    private final Thread thread = new Thread(this::work, "demo-controllers");

    private DemoControllers(ApiObjects objects, Consumer<String> say) {
        this.objects = objects;
        this.say = say;
    }

    static DemoControllers start(ApiObjects objects, Consumer<String> say) {
        DemoControllers controllers = new DemoControllers(objects, say);
        controllers.thread.setDaemon(true);
        controllers.thread.start();
        return controllers;
    }

    private void work() {
        long seen = 0;
        try {
            while (true) {
                for (ApiObjects.Event event : objects.eventsAfter(seen)) {
                    seen = event.version();
                    if (event.resource().equals(DEPLOYMENT.resource())
                            && !event.type().equals("DELETED")
                            && event.object()
                                            .path("status")
                                            .path("observedGeneration")
                                            .asLong()
                                    < event.object()
                                            .path("metadata")
                                            .path("generation")
                                            .asLong()) {
                        rollOut(event.object());
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void rollOut(ObjectNode deployment) throws InterruptedException {
        JsonNode metadata = deployment.path("metadata");
        String namespace = metadata.path("namespace").asText();
        String name = metadata.path("name").asText();
        long generation = metadata.path("generation").asLong();
        String revision = Long.toString(generation);
        String hash =
                Integer.toHexString(deployment.path("spec").path("template").hashCode());
        String replicaSet = name + "-" + hash;
        List<String> old = objects.list("pods", namespace).stream()
                .filter(pod ->
                        pod.path("metadata").path("labels").path("app").asText().equals(name))
                .map(pod -> pod.path("metadata").path("name").asText())
                .toList();

        ObjectNode owner = owned(
                REVISION.apiVersion(),
                REVISION.kind(),
                namespace,
                replicaSet,
                DEPLOYMENT.kind(),
                deployment,
                name,
                hash);
        owner.withObject("/metadata").putObject("annotations").put("deployment.kubernetes.io/revision", revision);
        owner.putObject("spec")
                .set("template", deployment.path("spec").path("template").deepCopy());
        ObjectNode created = objects.put(REVISION.resource(), owner);
        objects.edit(DEPLOYMENT.resource(), namespace, name, object -> {
            object.withObject("/metadata/annotations").put("deployment.kubernetes.io/revision", revision);
            status(object, generation, old.size() + 1, old.size());
        });

        String podName = replicaSet + "-" + generation;
        String image = deployment
                .path("spec")
                .path("template")
                .path("spec")
                .path("containers")
                .path(0)
                .path("image")
                .asText();
        ObjectNode pod = owned("v1", "Pod", namespace, podName, REVISION.kind(), created, name, hash);
        pod.set("spec", deployment.path("spec").path("template").path("spec").deepCopy());
        podStatus(pod, "");
        objects.put("pods", pod);
        Optional<String> digest = digest(image);
        if (digest.isEmpty()) {
            say.accept("pod " + namespace + "/" + podName + " cannot pull " + image);
            return;
        }
        String imageId = image.substring(0, image.lastIndexOf(':')) + "@" + digest.get();
        objects.edit("pods", namespace, podName, object -> podStatus(object, imageId));
        say.accept("pod       " + namespace + "/" + podName + " runs " + digest.get());
        old.forEach(each -> objects.delete("pods", namespace, each));
        objects.edit(DEPLOYMENT.resource(), namespace, name, object -> status(object, generation, 1, 1));
    }

    private static ObjectNode owned(
            String apiVersion,
            String kind,
            String namespace,
            String name,
            String ownerKind,
            ObjectNode owner,
            String app,
            String hash) {
        ObjectNode object = ApiObjects.JSON.createObjectNode();
        object.put("apiVersion", apiVersion).put("kind", kind);
        ObjectNode metadata = object.putObject("metadata");
        metadata.put("namespace", namespace).put("name", name);
        metadata.putObject("labels").put("app", app).put(DEPLOYMENT.revisionLabel(), hash);
        metadata.putArray("ownerReferences")
                .addObject()
                .put("apiVersion", DEPLOYMENT.apiVersion())
                .put("kind", ownerKind)
                .put("name", owner.path("metadata").path("name").asText())
                .put("uid", owner.path("metadata").path("uid").asText())
                .put("controller", true);
        return object;
    }

    private static void status(ObjectNode deployment, long generation, int total, int ready) {
        ObjectNode status = deployment.putObject("status");
        status.put("observedGeneration", generation).put("replicas", total).put("updatedReplicas", 1);
        status.put("readyReplicas", ready).put("availableReplicas", ready);
    }

    private static void podStatus(ObjectNode pod, String imageId) {
        boolean running = !imageId.isEmpty();
        ObjectNode status = pod.putObject("status");
        status.put("phase", running ? "Running" : "Pending");
        status.putArray("conditions").addObject().put("type", "Ready").put("status", running ? "True" : "False");
        ObjectNode container = status.putArray("containerStatuses").addObject();
        JsonNode spec = pod.path("spec").path("containers").path(0);
        container
                .put("name", spec.path("name").asText())
                .put("image", spec.path("image").asText());
        container.put("imageID", imageId).put("ready", running).put("restartCount", 0);
        container.putObject("state").putObject(running ? "running" : "waiting").put("reason", "ContainerCreating");
    }

    /** The current digest of the image's tag in the registry: what a kubelet would pull. */
    private Optional<String> digest(String image) throws InterruptedException {
        int slash = image.indexOf('/');
        int colon = image.lastIndexOf(':');
        URI uri = URI.create("http://" + image.substring(0, slash) + "/v2/" + image.substring(slash + 1, colon)
                + "/manifests/" + image.substring(colon + 1));
        HttpRequest request = HttpRequest.newBuilder(uri)
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .header("Accept", "application/vnd.oci.image.manifest.v1+json")
                .build();
        try {
            HttpResponse<Void> response = http.send(request, HttpResponse.BodyHandlers.discarding());
            return response.statusCode() == 200
                    ? response.headers().firstValue("Docker-Content-Digest")
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
