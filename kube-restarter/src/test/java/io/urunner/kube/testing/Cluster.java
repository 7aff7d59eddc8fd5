package io.urunner.kube.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.ApiRequests;
import io.urunner.kube.ApiRequests.Response;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.KubeConfigurationException;
import io.urunner.kube.KubeConnection;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/** Any cluster, with the permissions of an administrator. The namespaces of a test are deleted when it is closed. */
public final class Cluster implements AutoCloseable {
    public static final String KUBECONFIG = "URUNNER_TEST_KUBECONFIG";
    public static final String AUDIT_LOG = "URUNNER_TEST_AUDIT_LOG";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path kubeconfig;
    private final KubeConfiguration configuration;
    private final ScheduledExecutorService executor = Executors.newScheduledThreadPool(2, runnable -> {
        Thread thread = new Thread(runnable, "test-cluster");
        thread.setDaemon(true);
        return thread;
    });
    private final KubeConnection connection;
    private final List<String> namespaces = Collections.synchronizedList(new ArrayList<>());

    private Cluster(Path kubeconfig) {
        this.kubeconfig = kubeconfig;
        try {
            this.configuration = KubeConfiguration.kubeconfig(kubeconfig);
        } catch (KubeConfigurationException e) {
            throw new IllegalStateException(e);
        }
        this.connection = new KubeConnection(configuration, executor, "test");
    }

    /**
     * The cluster that the environment variable URUNNER_TEST_KUBECONFIG names: complete, with controllers, and with
     * real or simulated nodes. Without it the test is skipped; in CI it fails.
     */
    public static Cluster connect() {
        return new Cluster(Requirement.path(KUBECONFIG, "kubeconfig of a cluster for tests"));
    }

    public static Cluster of(Path kubeconfig) {
        return new Cluster(kubeconfig);
    }

    public Path kubeconfig() {
        return kubeconfig;
    }

    public KubeConfiguration configuration() {
        return configuration;
    }

    /**
     * Sets how containers of an image behave on the simulated nodes of the cluster whose state the environment variable
     * URUNNER_TEST_CLUSTER names: JSON as {@code nodes --help} describes it, such as {@code "crash"}. Without the
     * variable the test is skipped; in CI it fails.
     */
    public static synchronized void behaviour(String digest, String behaviour) {
        Path file = Requirement.path("URUNNER_TEST_CLUSTER", "folder of a cluster with simulated nodes")
                .resolve("behaviour.json");
        try {
            ObjectNode all = (ObjectNode) json(Files.exists(file) ? Files.readString(file) : "{}");
            all.set(digest, json(behaviour));
            Path next = Files.writeString(file.resolveSibling("behaviour.new"), all.toString());
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The API server's audit log, if the environment variable URUNNER_TEST_AUDIT_LOG names it. */
    public Optional<AuditLog> auditLog() {
        return Requirement.optionalPath(AUDIT_LOG).map(AuditLog::new);
    }

    /** Creates a namespace with the label urunner=enable. */
    public String enabledNamespace() {
        return namespace(true);
    }

    /** Creates a namespace without the label. */
    public String plainNamespace() {
        return namespace(false);
    }

    private String namespace(boolean enabled) {
        String name = "urunner-test-" + UUID.randomUUID().toString().substring(0, 8);
        ObjectNode namespace = object("v1", "Namespace", name);
        if (enabled) {
            namespace.withObject("/metadata/labels").put("urunner", "enable");
        }
        create("/api/v1/namespaces", namespace);
        namespaces.add(name);
        return name;
    }

    /** Sets the label urunner of a namespace; null removes it. */
    public void labelNamespace(String namespace, String value) {
        ObjectNode patch = JSON.createObjectNode();
        patch.withObject("/metadata/labels").put("urunner", value);
        merge("/api/v1/namespaces/" + namespace, patch);
    }

    /** Creates a Deployment with one container, named app, with pull policy Always. */
    public WorkloadId deployment(String namespace, String name, String image, int replicas) {
        return workload(new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, name), image, replicas, json -> {});
    }

    public WorkloadId statefulSet(String namespace, String name, String image, int replicas) {
        return workload(new WorkloadId(namespace, WorkloadKind.STATEFUL_SET, name), image, replicas, json -> {});
    }

    public WorkloadId daemonSet(String namespace, String name, String image) {
        return workload(new WorkloadId(namespace, WorkloadKind.DAEMON_SET, name), image, 0, json -> {});
    }

    /** Creates a workload; the last parameter may change the object before it is sent. */
    public WorkloadId workload(WorkloadId id, String image, int replicas, Consumer<ObjectNode> change) {
        ObjectNode workload = object(id.kind().apiVersion(), id.kind().kind(), id.name());
        ObjectNode spec = workload.putObject("spec");
        if (id.kind().hasReplicas()) {
            spec.put("replicas", replicas);
        }
        if (id.kind().equals(WorkloadKind.STATEFUL_SET)) {
            spec.put("serviceName", id.name());
        }
        spec.withObject("/selector/matchLabels").put("app", id.name());
        spec.withObject("/template/metadata/labels").put("app", id.name());
        ObjectNode podSpec = spec.withObject("/template/spec");
        podSpec.put("terminationGracePeriodSeconds", 0);
        podSpec.putArray("containers")
                .addObject()
                .put("name", "app")
                .put("image", image)
                .put("imagePullPolicy", "Always");
        change.accept(workload);
        create(collection(id), workload);
        return id;
    }

    public JsonNode read(WorkloadId id) {
        return get(path(id));
    }

    /** Changes a workload with a JSON merge patch. */
    public JsonNode edit(WorkloadId id, String mergePatch) {
        return merge(path(id), json(mergePatch));
    }

    public void delete(WorkloadId id) {
        delete(path(id));
    }

    public List<JsonNode> pods(String namespace) {
        return items("/api/v1/namespaces/" + namespace + "/pods");
    }

    /** The ReplicaSets of a namespace: one per template that a Deployment has had. */
    public List<JsonNode> replicaSets(String namespace) {
        return items("/apis/apps/v1/namespaces/" + namespace + "/replicasets");
    }

    public List<JsonNode> events(String namespace) {
        return items("/api/v1/namespaces/" + namespace + "/events");
    }

    /** Waits until the controllers have finished with a workload. */
    public void awaitRollout(WorkloadId id, Duration timeout) {
        Await.until(id + " is rolled out", timeout, () -> {
            JsonNode json = read(id);
            JsonNode status = json.path("status");
            boolean daemon = id.kind().equals(WorkloadKind.DAEMON_SET);
            int wanted = daemon
                    ? status.path("desiredNumberScheduled").asInt()
                    : json.path("spec").path("replicas").asInt();
            return status.path("observedGeneration").asLong()
                            == json.path("metadata").path("generation").asLong()
                    && (!daemon || wanted > 0)
                    && status.path(daemon ? "updatedNumberScheduled" : "updatedReplicas")
                                    .asInt()
                            == wanted
                    && status.path(daemon ? "numberReady" : "readyReplicas").asInt() == wanted
                    && (daemon || status.path("replicas").asInt() == wanted);
        });
    }

    /**
     * A kubeconfig of a service account with exactly these permissions.
     *
     * @param namespace where the service account is created
     * @param name its name
     * @param clusterRules the rules of a ClusterRole as a JSON array; the role is deleted with {@link #deleteRole}
     */
    public Path serviceAccount(String namespace, String name, String clusterRules) {
        ObjectNode account = object("v1", "ServiceAccount", name);
        create("/api/v1/namespaces/" + namespace + "/serviceaccounts", account);
        ObjectNode role = object("rbac.authorization.k8s.io/v1", "ClusterRole", namespace + "-" + name);
        role.set("rules", json(clusterRules));
        create("/apis/rbac.authorization.k8s.io/v1/clusterroles", role);
        ObjectNode binding = object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", namespace + "-" + name);
        binding.putObject("roleRef")
                .put("apiGroup", "rbac.authorization.k8s.io")
                .put("kind", "ClusterRole")
                .put("name", namespace + "-" + name);
        binding.putArray("subjects")
                .addObject()
                .put("kind", "ServiceAccount")
                .put("namespace", namespace)
                .put("name", name);
        create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding);
        return tokenKubeconfig(namespace, name);
    }

    /** A kubeconfig with a token of a service account. */
    public Path tokenKubeconfig(String namespace, String name) {
        ObjectNode request = object("authentication.k8s.io/v1", "TokenRequest", name);
        request.putObject("spec").put("expirationSeconds", 3600);
        String token = create("/api/v1/namespaces/" + namespace + "/serviceaccounts/" + name + "/token", request)
                .path("status")
                .path("token")
                .asText();
        try {
            Path file = Files.createTempFile("kubeconfig", ".json");
            file.toFile().deleteOnExit();
            ObjectNode config = JSON.createObjectNode().put("current-context", "test");
            ObjectNode cluster =
                    config.putArray("clusters").addObject().put("name", "test").putObject("cluster");
            cluster.put("server", configuration.server().toString()).put("insecure-skip-tls-verify", true);
            config.putArray("users")
                    .addObject()
                    .put("name", "test")
                    .putObject("user")
                    .put("token", token);
            config.putArray("contexts")
                    .addObject()
                    .put("name", "test")
                    .putObject("context")
                    .put("cluster", "test")
                    .put("user", "test")
                    .put("namespace", namespace);
            Files.writeString(file, config.toString());
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes what {@link #serviceAccount} created besides the account. */
    public void deleteRole(String namespace, String name) {
        delete("/apis/rbac.authorization.k8s.io/v1/clusterroles/" + namespace + "-" + name);
        delete("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/" + namespace + "-" + name);
    }

    public static String path(WorkloadId id) {
        return collection(id) + "/" + id.name();
    }

    private static String collection(WorkloadId id) {
        return "/apis/" + id.kind().apiVersion() + "/namespaces/" + id.namespace() + "/"
                + id.kind().resource();
    }

    /** An object with a name, to be completed. */
    public static ObjectNode object(String apiVersion, String kind, String name) {
        ObjectNode object =
                JSON.createObjectNode().put("apiVersion", apiVersion).put("kind", kind);
        object.putObject("metadata").put("name", name);
        return object;
    }

    public static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public List<JsonNode> items(String path) {
        List<JsonNode> items = new ArrayList<>();
        get(path).path("items").forEach(items::add);
        return items;
    }

    public JsonNode get(String path) {
        return find(path).orElseThrow(() -> new AssertionError("there is no " + path));
    }

    public Optional<JsonNode> find(String path) {
        Response response = send("GET", path, null, null);
        if (response.status() == 404) {
            return Optional.empty();
        }
        return Optional.of(ok("GET " + path, response));
    }

    public JsonNode create(String path, JsonNode object) {
        return ok("POST " + path, send("POST", path, "application/json", object));
    }

    public JsonNode merge(String path, JsonNode patch) {
        return ok("PATCH " + path, send("PATCH", path, "application/merge-patch+json", patch));
    }

    public void delete(String path) {
        Response response = send("DELETE", path, null, null);
        if (response.status() != 404) {
            ok("DELETE " + path, response);
        }
    }

    /** Sends any request; changes are made with the field manager kubectl-edit. */
    public Response send(String method, String path, String type, JsonNode body) {
        try {
            return ApiRequests.send(
                    connection,
                    method,
                    body == null || path.contains("?") ? path : path + "?fieldManager=kubectl-edit",
                    type,
                    body);
        } catch (KubeException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode ok(String what, Response response) {
        if (response.status() / 100 != 2) {
            throw new AssertionError(what + ": " + response.status() + " " + response.body());
        }
        return response.body();
    }

    @Override
    public void close() {
        try {
            ObjectNode disabled = JSON.createObjectNode();
            disabled.withObject("/metadata/labels").put("urunner", (String) null);
            for (String namespace : namespaces) {
                String path = "/api/v1/namespaces/" + namespace;
                // It takes a while to disappear: the agents of the next tests must not see what is left in it.
                send("PATCH", path, "application/merge-patch+json", disabled);
                delete(path);
            }
        } finally {
            connection.close();
            executor.shutdownNow();
        }
    }
}
