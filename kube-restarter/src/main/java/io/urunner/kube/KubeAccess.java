package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.KubeConnection.Answer;
import io.urunner.kube.KubeConnection.Call;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Small queries to the API server, one request each. Thread-safe; blocks until the API server responds. */
public final class KubeAccess {
    private static final int LARGEST_SECRET = 256 * 1024;
    private static final int LARGEST_ANSWER = 16 << 20;
    private static final int MOST_PROGRAMS = 50;
    private static final String LABEL = "urunner";
    private static final String AUTHORIZATION = "authorization.k8s.io";

    private static final Action LIST_NAMESPACES = ApiResource.NAMESPACES.action("list", Optional.empty());

    private final KubeConnection connection;

    /**
     * Creates access to one API server.
     *
     * @param connection a connection to the cluster; the caller closes it
     */
    public KubeAccess(KubeConnection connection) {
        this.connection = connection;
    }

    /**
     * A permission.
     *
     * @param verb for example {@code patch}
     * @param group the API group, for example {@code apps}; empty for the core group
     * @param resource for example {@code deployments}
     * @param namespace where; empty for everywhere
     * @param name the only object that it covers; empty for all
     */
    public record Permission(
            String verb, String group, String resource, Optional<String> namespace, Optional<String> name) {
        /**
         * A permission for all objects of a kind.
         *
         * @param verb for example {@code patch}
         * @param group the API group, for example {@code apps}; empty for the core group
         * @param resource for example {@code deployments}
         * @param namespace where; empty for everywhere
         */
        public Permission(String verb, String group, String resource, Optional<String> namespace) {
            this(verb, group, resource, namespace, Optional.empty());
        }

        /** For people, for example {@code patch deployments.apps in namespace shop}. */
        @Override
        public String toString() {
            return verb + " " + resource + (group.isEmpty() ? "" : "." + group)
                    + name.map(object -> " " + object).orElse("")
                    + namespace.map(where -> " in namespace " + where).orElse("");
        }
    }

    /**
     * A service account.
     *
     * @param namespace its namespace
     * @param name its name
     */
    public record Account(String namespace, String name) {
        /** As the API server knows it, for example {@code system:serviceaccount:urunner:urunner}. */
        @Override
        public String toString() {
            return "system:serviceaccount:" + namespace + ":" + name;
        }

        private List<String> groups() {
            return List.of("system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated");
        }
    }

    /**
     * Checks with a SelfSubjectAccessReview whether this client has a permission.
     *
     * @param permission the permission
     * @return true if it has
     * @throws KubeException if the API server refused the request or could not be reached
     */
    public boolean allowed(Permission permission) throws KubeException {
        return allowed(
                permission,
                "SelfSubjectAccessReview",
                new Action("ask for the permission to " + permission),
                spec -> {});
    }

    /**
     * Checks with a SubjectAccessReview whether an account has a permission.
     *
     * @param permission the permission
     * @param account the account
     * @return true if it has
     * @throws KubeException if the API server refused the request, which needs a permission of its own, or could not be
     *     reached
     */
    public boolean allowed(Permission permission, Account account) throws KubeException {
        Action doing = new ApiResource(AUTHORIZATION, "v1", "subjectaccessreviews").action("create", Optional.empty());
        return allowed(permission, "SubjectAccessReview", doing, spec -> {
            spec.put("user", account.toString());
            ArrayNode groups = spec.putArray("groups");
            account.groups().forEach(groups::add);
        });
    }

    private boolean allowed(Permission permission, String kind, Action doing, Consumer<ObjectNode> whose)
            throws KubeException {
        ObjectNode review = KubeConnection.JSON.createObjectNode();
        review.put("apiVersion", AUTHORIZATION + "/v1").put("kind", kind);
        ObjectNode spec = review.putObject("spec");
        whose.accept(spec);
        ObjectNode attributes = spec.putObject("resourceAttributes")
                .put("verb", permission.verb())
                .put("group", permission.group())
                .put("resource", permission.resource());
        permission.namespace().ifPresent(namespace -> attributes.put("namespace", namespace));
        permission.name().ifPresent(name -> attributes.put("name", name));
        Answer answer = connection.send(
                new Call(
                        "POST",
                        "/apis/" + AUTHORIZATION + "/v1/" + kind.toLowerCase(Locale.ROOT) + "s",
                        KubeConnection.JSON_TYPE,
                        review.toString()),
                doing);
        if (answer.status() != 201) {
            throw connection.refused(doing, answer);
        }
        return answer.body().path("status").path("allowed").asBoolean();
    }

    /**
     * Returns the version of the API server, for example {@code v1.33.1}.
     *
     * @return the version
     * @throws KubeException if the API server refused or could not be reached
     */
    public String version() throws KubeException {
        return get("/version", new Action("read the version"))
                .map(body -> body.path("gitVersion").asText())
                .orElse("");
    }

    /**
     * A Secret.
     *
     * @param type its type, for example {@code kubernetes.io/dockerconfigjson}
     * @param data its data, decoded, by key: secrets, which the caller must guard
     */
    public record SecretData(String type, Map<String, byte[]> data) {
        /** The type and the keys; never a value. */
        @Override
        public String toString() {
            return type + data.keySet();
        }
    }

    /**
     * Reads a Secret by its name.
     *
     * @param namespace its namespace
     * @param name its name
     * @return the Secret; empty if there is none
     * @throws KubeException if the API server refused or could not be reached; also, as {@link KubeException#refused}, if
     *     the name is not valid, without sending a request, or if the Secret holds more than 256 kB
     */
    public Optional<SecretData> secret(String namespace, String name) throws KubeException {
        Optional<JsonNode> found = get(
                Call.get(ApiResource.SECRETS.path(namespace, name)).wanting(ObservedJson.SECRET),
                ApiResource.SECRETS.action("get", namespace, name));
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Map<String, byte[]> data = new HashMap<>();
        int size = 0;
        try {
            for (Map.Entry<String, JsonNode> each : found.get().path("data").properties()) {
                byte[] value = Base64.getDecoder().decode(each.getValue().asText());
                data.put(each.getKey(), value);
                size += value.length;
            }
        } catch (IllegalArgumentException e) {
            throw new KubeException("the secret " + name + " in namespace " + namespace + " is not valid Base64", e);
        }
        if (size > LARGEST_SECRET || found.get().has(JsonSieve.CUT)) {
            throw new KubeException(
                    "the secret " + name + " in namespace " + namespace + " is not used: it holds more than "
                            + LARGEST_SECRET / 1024 + " kB",
                    KubeException.TOO_LARGE);
        }
        return Optional.of(new SecretData(found.get().path("type").asText(), data));
    }

    /**
     * Returns the names of the pull secrets of a service account, in its order.
     *
     * @param namespace its namespace
     * @param name its name
     * @return the names, unchecked; empty if there is no such service account
     * @throws KubeException if the API server refused or could not be reached, or the name is not valid
     */
    public List<String> pullSecrets(String namespace, String name) throws KubeException {
        List<String> names = new ArrayList<>();
        get(
                        ApiResource.SERVICE_ACCOUNTS.path(namespace, name),
                        ApiResource.SERVICE_ACCOUNTS.action("get", namespace, name))
                .ifPresent(body -> body.path("imagePullSecrets")
                        .forEach(each -> names.add(each.path("name").asText())));
        return names;
    }

    /**
     * Returns the platforms of the nodes, from their labels {@code kubernetes.io/os} and {@code kubernetes.io/arch}.
     *
     * @return platforms such as {@code linux/amd64}
     * @throws KubeException if the API server refused or could not be reached
     */
    public Set<String> nodePlatforms() throws KubeException {
        Set<String> platforms = new TreeSet<>();
        connection.list(ApiResource.NODES.path(), "", ApiResource.NODES.action("list", Optional.empty()), node -> {
            JsonNode labels = node.path("metadata").path("labels");
            if (labels.has("kubernetes.io/os") && labels.has("kubernetes.io/arch")) {
                platforms.add(labels.path("kubernetes.io/os").asText() + "/"
                        + labels.path("kubernetes.io/arch").asText());
            }
        });
        return platforms;
    }

    /**
     * Returns the labels of a namespace, read with whichever of LIST and GET is allowed.
     *
     * @param namespace its name
     * @return the labels, of those that we know; empty if there is no such namespace
     * @throws KubeException if the API server refused or could not be reached, or the name of the namespace is not valid
     */
    public Optional<Map<String, String>> labels(String namespace) throws KubeException {
        String path = ApiResource.NAMESPACES.path();
        String name = KubeName.namespace(namespace);
        try {
            List<Map<String, String>> found = new ArrayList<>();
            String selector = "fieldSelector=" + KubeName.encoded("metadata.name=" + name);
            connection.list(path, selector, LIST_NAMESPACES, object -> found.add(labels(object)));
            return found.stream().findFirst();
        } catch (KubeException e) {
            if (!e.forbidden()) {
                throw e;
            }
            return get(path + "/" + name, Action.of("get", ApiResource.NAMESPACES, Optional.empty(), Optional.of(name)))
                    .map(KubeAccess::labels);
        }
    }

    /**
     * Returns the labels of a workload, watched or not.
     *
     * @param id which one
     * @return the labels, of those that we know; empty if there is no such workload
     * @throws KubeException if the API server refused or could not be reached, or the name is not valid
     */
    public Optional<Map<String, String>> labels(WorkloadId id) throws KubeException {
        ApiResource resource = id.kind().api();
        return get(resource.path(id.namespace(), id.name()), resource.action("get", id.namespace(), id.name()))
                .map(KubeAccess::labels);
    }

    /**
     * Returns the namespaces whose label {@code urunner} has a value other than {@code enable}.
     *
     * @return their values, by their names
     * @throws KubeException if the API server refused or could not be reached
     */
    public Map<String, String> namespacesLabelledOtherwise() throws KubeException {
        Map<String, String> found = new TreeMap<>();
        connection.list(
                ApiResource.NAMESPACES.path(),
                otherThan("enable"),
                LIST_NAMESPACES,
                object -> found.put(name(object), label(object)));
        return found;
    }

    /**
     * Returns the workloads whose label {@code urunner} has a value other than {@code disable}.
     *
     * @param kind of which kind
     * @param namespace in which namespace; empty for all
     * @return their values, by their ids
     * @throws KubeException if the API server refused or could not be reached, or the name of the namespace is not valid
     */
    public Map<WorkloadId, String> workloadsLabelledOtherwise(WorkloadKind kind, Optional<String> namespace)
            throws KubeException {
        Map<WorkloadId, String> found = new TreeMap<>();
        connection.list(
                kind.api().path(namespace),
                otherThan("disable"),
                kind.api().action("list", namespace),
                object -> found.put(
                        new WorkloadId(object.path("metadata").path("namespace").asText(), kind, name(object)),
                        label(object)));
        return found;
    }

    private static String otherThan(String value) {
        return "labelSelector=" + KubeName.encoded(LABEL + "," + LABEL + "!=" + value);
    }

    private static String name(JsonNode object) {
        return object.path("metadata").path("name").asText();
    }

    private static String label(JsonNode object) {
        return labels(object).getOrDefault(LABEL, "");
    }

    /**
     * Returns the workloads of a name, of any kind, watched or not.
     *
     * @param namespace in which namespace; empty for all
     * @param name the name
     * @return the workloads, in their order
     * @throws KubeException if the API server refused or could not be reached, or the name of the namespace is not valid
     */
    public List<WorkloadId> workloads(Optional<String> namespace, String name) throws KubeException {
        List<WorkloadId> found = new ArrayList<>();
        for (WorkloadKind kind : WorkloadKind.BUILT_IN) {
            connection.list(
                    kind.api().path(namespace),
                    "fieldSelector=" + KubeName.encoded("metadata.name=" + name),
                    kind.api().action("list", namespace),
                    object -> found.add(new WorkloadId(
                            object.path("metadata").path("namespace").asText(),
                            kind,
                            object.path("metadata").path("name").asText())));
        }
        found.sort(Comparator.naturalOrder());
        return found;
    }

    private static Map<String, String> labels(JsonNode object) {
        Map<String, String> labels = new HashMap<>();
        object.path("metadata")
                .path("labels")
                .properties()
                .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
        return labels;
    }

    private Optional<JsonNode> get(String path, Action doing) throws KubeException {
        return get(Call.get(path), doing);
    }

    private Optional<JsonNode> get(Call call, Action doing) throws KubeException {
        Answer answer = connection.send(call, doing);
        return switch (answer.status()) {
            case 200 -> Optional.of(answer.body());
            case 404 -> Optional.empty();
            default -> throw connection.refused(doing, answer);
        };
    }

    /**
     * Returns the data of a ConfigMap.
     *
     * @param namespace its namespace
     * @param name its name
     * @return its texts by key; empty if there is none
     * @throws KubeException if the API server refused or could not be reached, or the name is not valid
     */
    public Optional<Map<String, String>> configMap(String namespace, String name) throws KubeException {
        return get(
                        Call.get(ApiResource.CONFIG_MAPS.path(namespace, name)).wanting(ObservedJson.SECRET),
                        ApiResource.CONFIG_MAPS.action("get", namespace, name))
                .map(found -> {
                    Map<String, String> data = new HashMap<>();
                    found.path("data")
                            .properties()
                            .forEach(each ->
                                    data.put(each.getKey(), each.getValue().asText()));
                    return data;
                });
    }

    /**
     * Returns the Deployments that run a program.
     *
     * @param namespace in which namespace; empty for all
     * @param label the label that they carry, for example {@code app.kubernetes.io/name=urunner}
     * @return the first of them
     * @throws KubeException if the API server refused or could not be reached, or the name of the namespace is not valid
     */
    public List<DeployedProgram> programs(Optional<String> namespace, String label) throws KubeException {
        ApiResource deployments = WorkloadKind.DEPLOYMENT.api();
        Action doing = deployments.action("list", namespace);
        List<DeployedProgram> found = new ArrayList<>();
        Answer answer = connection.send(
                Call.get(deployments.path(namespace) + "?limit=" + MOST_PROGRAMS + "&labelSelector="
                                + KubeName.encoded(label))
                        .each(ObservedJson.PROGRAM, item -> found.add(ObservedJson.program(item))),
                doing);
        if (answer.status() != 200) {
            throw connection.refused(doing, answer);
        }
        return found;
    }

    /**
     * Returns the pods that are ready.
     *
     * @param namespace their namespace
     * @param labels the labels that they carry
     * @return their names
     * @throws KubeException if the API server refused or could not be reached
     */
    public List<String> readyPods(String namespace, Map<String, String> labels) throws KubeException {
        List<String> names = new ArrayList<>();
        String selector = new TreeMap<>(labels)
                .entrySet().stream()
                        .map(label -> label.getKey() + "=" + label.getValue())
                        .collect(Collectors.joining(","));
        connection.list(
                ApiResource.PODS.path(Optional.of(namespace)),
                "labelSelector=" + KubeName.encoded(selector),
                ApiResource.PODS.action("list", Optional.of(namespace)),
                pod -> {
                    for (JsonNode condition : pod.path("status").path("conditions")) {
                        if (condition.path("type").asText().equals("Ready")
                                && condition.path("status").asText().equals("True")) {
                            names.add(pod.path("metadata").path("name").asText());
                        }
                    }
                });
        return names;
    }

    /**
     * The response of a pod.
     *
     * @param status the HTTP status
     * @param headers its headers, by their names in lower case
     * @param body its body
     */
    public record PodAnswer(int status, Map<String, String> headers, String body) {}

    /**
     * Sends a GET request to a pod through the API server, which takes the header {@code Authorization} for its own and
     * does not pass it on.
     *
     * @param namespace the pod's namespace
     * @param pod its name
     * @param port the port
     * @param path the path with its query, beginning with {@code /}
     * @param headers further headers
     * @param timeout how long the response may take
     * @return the response, of the pod or of the API server
     * @throws KubeException if there is no response, or it is longer than 16 MB
     */
    public PodAnswer ask(
            String namespace, String pod, int port, String path, Map<String, String> headers, Duration timeout)
            throws KubeException {
        return connection.text(
                ApiResource.PODS.path(namespace, pod) + ":" + port + "/proxy" + path,
                headers,
                new Action(
                        "ask pod " + pod + " in namespace " + namespace,
                        Optional.of(new Permission("get", "", "pods/proxy", Optional.of(namespace), Optional.of(pod)))),
                timeout,
                LARGEST_ANSWER);
    }
}
