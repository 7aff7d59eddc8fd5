package io.urunner.agent.app.config;

import io.urunner.agent.text.Printable;
import io.urunner.agent.text.Suggestion;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Builds records from trees. It continues after a problem, to find them all; a record with a problem is not built.
 * For one thread.
 */
final class RecordBinder {
    private static final Pattern VARIABLE = Pattern.compile("[A-Z_][A-Z0-9_]*");
    private static final Pattern PATH = Pattern.compile("\\.{0,2}/\\S*|[A-Za-z]:[\\\\/]\\S*");
    private static final int MOST_OF_A_MESSAGE = 1_000;

    private final Map<String, String> environment;
    private final List<Problem> problems = new ArrayList<>();
    private final List<EffectiveValue> values = new ArrayList<>();
    private final Set<String> referenced = new HashSet<>();
    private final Set<Path> files = new HashSet<>();

    RecordBinder(Map<String, String> environment) {
        this.environment = environment;
    }

    /**
     * What a record is bound for.
     *
     * @param path the keys that lead to it, empty for the whole configuration
     * @param variables the environment variable of a component, or empty text
     * @param need why a value without a default is required
     * @param custom reads components whose types only the caller knows; empty for all others
     */
    record Scope(
            String path,
            Function<RecordComponent, String> variables,
            String need,
            Function<RecordComponent, Optional<Function<Node, @Nullable Object>>> custom) {
        String key(String name) {
            return path.isEmpty() ? name : path + "." + name;
        }

        Scope at(String key) {
            return new Scope(key, variables, need, custom);
        }
    }

    List<Problem> problems() {
        return problems;
    }

    List<EffectiveValue> values() {
        return values;
    }

    /** The environment variables that the file references. */
    Set<String> referenced() {
        return referenced;
    }

    /** The files that values were read from. */
    Set<Path> files() {
        return files;
    }

    void problem(Origin origin, String key, String what) {
        problem(where(origin, key, key), what);
    }

    private void problem(String where, String what) {
        problems.add(new Problem(Printable.line(where), Printable.line(what)));
    }

    /** The place of a value in a message; {@code otherwise} if nobody has set it. */
    private static String where(Origin origin, String key, String otherwise) {
        return origin instanceof Origin.FileLine line
                ? line + ": " + key
                : origin instanceof Origin.Default ? otherwise : origin.toString();
    }

    /** The record, or null if there is a problem in it. */
    <R extends Record> @Nullable R bind(Class<R> type, Node node, Scope scope) {
        if (!(node instanceof Node.Mapping mapping)) {
            problem(node.origin(), scope.path(), "expected keys with values here: " + String.join(", ", names(type)));
            return null;
        }
        int before = problems.size();
        Set<String> known = names(type);
        mapping.entries().forEach((key, value) -> {
            if (!known.contains(key)) {
                String meant = Suggestion.nearest(key, known)
                        .map(name -> "; did you mean " + name + "?")
                        .orElse("; known here: " + String.join(", ", known));
                problem(value.origin(), scope.key(key), "unknown key" + meant);
            }
        });
        Object[] arguments = Slot.of(type).stream()
                .map(slot -> argument(slot, mapping, scope))
                .toArray();
        if (problems.size() > before || Arrays.stream(arguments).anyMatch(argument -> argument == null)) {
            return null;
        }
        return construct(type, arguments, mapping, scope);
    }

    /** Why a record of this class cannot be read from text; empty if it can. */
    static Optional<String> unreadable(Class<?> type) {
        return unreadable(type, new HashSet<>());
    }

    private static Optional<String> unreadable(Class<?> type, Set<Class<?>> around) {
        if (!around.add(type)) {
            return Optional.of(type.getName() + " contains itself");
        }
        for (Slot slot : Slot.of(type)) {
            Optional<String> why = slot.isNested()
                    ? unreadable(slot.type(), around)
                    : Optional.of("its component '" + slot.name() + "' is a "
                                    + slot.component().getGenericType().getTypeName()
                                    + ", which cannot be read from text; see CredentialPlugin")
                            .filter(problem -> !slot.isReadable());
            if (why.isPresent()) {
                return why;
            }
        }
        around.remove(type);
        return Optional.empty();
    }

    /** The values in a record, and in the records in it. */
    static List<Object> values(Record record) throws ReflectiveOperationException {
        List<Object> values = new ArrayList<>();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            component.getAccessor().setAccessible(true);
            for (Object content :
                    contents(component.getAccessor().invoke(record)).toList()) {
                if (content instanceof Record nested && !(content instanceof RegistryPrefix)) {
                    values.addAll(values(nested));
                } else {
                    values.add(content);
                }
            }
        }
        return values;
    }

    /** What is in an {@code Optional} or a {@code List}, or the value itself. */
    private static Stream<?> contents(@Nullable Object value) {
        return value instanceof Optional<?> optional
                ? optional.stream()
                : value instanceof List<?> list ? list.stream() : Stream.ofNullable(value);
    }

    private static Set<String> names(Class<?> type) {
        return Slot.of(type).stream().map(Slot::name).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private <R extends Record> @Nullable R construct(
            Class<R> type, Object[] arguments, Node.Mapping mapping, Scope scope) {
        try {
            Constructor<R> constructor = type.getDeclaredConstructor(Stream.of(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .toArray(Class<?>[]::new));
            constructor.setAccessible(true);
            return constructor.newInstance(arguments);
        } catch (ReflectiveOperationException | LinkageError e) {
            List<Secret> secrets = FailureText.secretsOf(
                    Stream.of(arguments).flatMap(RecordBinder::contents).toList());
            Throwable cause = e instanceof InvocationTargetException && e.getCause() != null ? e.getCause() : e;
            String message = cause.getClass() == IllegalArgumentException.class
                    ? FailureText.line(cause.getMessage(), MOST_OF_A_MESSAGE, secrets)
                    : "the settings " + type.getName() + " cannot be created: " + FailureText.of(cause, secrets);
            problem(culprits(type, message, mapping, scope), message);
            return null;
        }
    }

    /** The places of the components that a record's message starts with or quotes; of all components if there are none. */
    private static String culprits(Class<?> type, String message, Node.Mapping mapping, Scope scope) {
        String first = message.split("[^A-Za-z0-9]", 2)[0];
        Set<String> named = new LinkedHashSet<>();
        Set<String> all = new LinkedHashSet<>();
        for (Slot slot : Slot.of(type)) {
            String name = slot.name();
            String key = scope.key(name);
            String variable = scope.variables().apply(slot.component());
            Node node = mapping.entries().get(name);
            String place =
                    where(node == null ? Origin.DEFAULT : node.origin(), key, variable.isEmpty() ? key : variable);
            all.add(place);
            if (name.equals(first) || message.contains("'" + name + "'")) {
                named.add(place);
            }
        }
        return String.join(", ", named.isEmpty() ? all : named);
    }

    private @Nullable Object argument(Slot slot, Node.Mapping mapping, Scope scope) {
        Node node = mapping.entries().get(slot.name());
        Optional<Function<Node, @Nullable Object>> custom = scope.custom().apply(slot.component());
        if (custom.isPresent()) {
            return custom.get().apply(node == null ? new Node.Mapping(Map.of(), mapping.origin()) : node);
        }
        if (node == null && !slot.fallback().isEmpty()) {
            node = new Node.Scalar(slot.fallback(), Origin.DEFAULT);
        }
        if (node == null && slot.isNested() && !slot.isOptional() && !slot.isList()) {
            node = Node.Mapping.EMPTY;
        }
        String key = scope.key(slot.name());
        if (slot.isList()) {
            return node == null ? List.of() : list(slot, node, scope.at(key));
        }
        if (slot.isOptional()) {
            return node == null ? Optional.empty() : ofNullable(value(slot, node, scope.at(key)));
        }
        if (node == null) {
            missing(slot, mapping, scope);
            return null;
        }
        return value(slot, node, scope.at(key));
    }

    /** Null stays null: there is a problem. */
    private static @Nullable Object ofNullable(@Nullable Object value) {
        return value == null ? null : Optional.of(value);
    }

    private void missing(Slot slot, Node.Mapping mapping, Scope scope) {
        String variable = scope.variables().apply(slot.component());
        String need = scope.need().isEmpty() ? "" : "; " + scope.need();
        if (variable.isEmpty() || mapping.origin() instanceof Origin.FileLine) {
            String instead = variable.isEmpty() ? "" : " (here and in " + variable + ")";
            problem(mapping.origin(), scope.key(slot.name()), "missing" + instead + need);
        } else {
            String file = slot.isSecret() ? " (or " + variable + "_FILE, the path of a file that contains it)" : "";
            problem(variable, "missing" + file + need);
        }
    }

    private @Nullable Object list(Slot slot, Node node, Scope scope) {
        List<Node> items = node instanceof Node.Sequence sequence
                ? sequence.items()
                : node instanceof Node.Scalar scalar
                        ? Stream.of(scalar.text().split(","))
                                .map(String::strip)
                                .filter(text -> !text.isEmpty())
                                .<Node>map(text -> new Node.Scalar(text, scalar.origin()))
                                .toList()
                        : List.of(node);
        List<Object> bound = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            Object value = value(slot, items.get(i), scope.at(scope.path() + "[" + i + "]"));
            if (value != null) {
                bound.add(value);
            }
        }
        return bound.size() == items.size() ? List.copyOf(bound) : null;
    }

    private @Nullable Object value(Slot slot, Node node, Scope scope) {
        String key = scope.path();
        if (slot.isNested()) {
            return bind(slot.type().asSubclass(Record.class), node, scope);
        }
        if (slot.isSecret()) {
            return secret(node, key);
        }
        if (!slot.isReadable()) {
            throw new IllegalStateException(
                    "settings of the type " + slot.type().getName() + " cannot be read: " + key);
        }
        String text = text(node, key);
        if (text == null) {
            return null;
        }
        try {
            Object value = Texts.read(slot.type(), text);
            values.add(new EffectiveValue(key, Printable.setting(text), node.origin()));
            return value;
        } catch (IllegalArgumentException e) {
            problem(node.origin(), key, String.valueOf(e.getMessage()).replace(text, Printable.setting(text)));
            return null;
        }
    }

    private @Nullable SecretSource secret(Node node, String key) {
        if (node instanceof Node.Reference reference && reference.kind() == Node.Reference.Kind.FILE) {
            Path file = path(reference);
            if (file == null || !Files.isReadable(file)) {
                problem(node.origin(), key, "the secret " + named(reference) + " does not exist or cannot be read");
                return null;
            }
            values.add(new EffectiveValue(key, "[secret] of the file " + file, node.origin()));
            files.add(file);
            return SecretSource.file(file);
        }
        String text = text(node, key);
        if (text == null) {
            return null;
        }
        String from = node instanceof Node.Reference reference ? " of the variable " + reference.target() : "";
        values.add(new EffectiveValue(key, "[secret]" + from, node.origin()));
        return SecretSource.of(Secret.of(text));
    }

    /** The text of a leaf, stripped; null, and a problem, if there is none. */
    private @Nullable String text(Node node, String key) {
        if (node instanceof Node.Scalar scalar) {
            return scalar.text().strip();
        }
        if (!(node instanceof Node.Reference reference)) {
            problem(node.origin(), key, "expected a single value here");
            return null;
        }
        String text = null;
        if (reference.kind() == Node.Reference.Kind.ENV) {
            text = environment.get(reference.target());
            referenced.add(reference.target());
        } else {
            Path file = path(reference);
            try {
                text = file == null ? "" : Files.readString(file);
                Optional.ofNullable(file).ifPresent(files::add);
            } catch (IOException e) {
                problem(node.origin(), key, "the " + named(reference) + " cannot be read");
                return null;
            }
        }
        if (text == null || text.isBlank()) {
            problem(node.origin(), key, "the " + named(reference) + (text == null ? " is not set" : " is empty"));
            return null;
        }
        return text.strip();
    }

    private static @Nullable Path path(Node.Reference reference) {
        try {
            return Path.of(reference.target());
        } catch (InvalidPathException e) {
            return null;
        }
    }

    /** The target of a reference; what does not look like a name or a path may be the secret itself, put there by mistake. */
    private static String named(Node.Reference reference) {
        String target = reference.target();
        return switch (reference.kind()) {
            case ENV ->
                "environment variable "
                        + (VARIABLE.matcher(target).matches() ? target : "that is named there (a name in capitals)");
            case FILE -> "file " + (PATH.matcher(target).matches() ? target : "that is named there (an absolute path)");
        };
    }
}
