package io.urunner.agent.app.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.composer.Composer;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/** Reads the configuration file (YAML 1.2): every value with its line. Empty values count as missing. */
final class YamlSource {
    /** The limit of a ConfigMap and of a Secret. */
    private static final int MAX_BYTES = 1024 * 1024;

    /** No setting is nested deeper; a document whose aliases contain themselves does. */
    private static final int MAX_DEPTH = 12;

    /** A few aliases of aliases can stand for more values than there is memory for. */
    private static final int MAX_NODES = 50_000;

    private static final Pattern REPEATING = Pattern.compile(".*?\\b(alias|anchor|handle|tag)\\b(?= \\S)");

    private final Path file;
    private final RecordBinder binder;
    private int nodes;

    private YamlSource(Path file, RecordBinder binder) {
        this.file = file;
        this.binder = binder;
    }

    /** The tree of a file; what is wrong with its form is reported to the binder. */
    static Node.Mapping read(Path file, RecordBinder binder) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length <= MAX_BYTES) {
                return new YamlSource(file, binder).parse(text(bytes));
            }
            unreadable(file, binder, "longer than " + MAX_BYTES + " bytes");
        } catch (CharacterCodingException e) {
            unreadable(file, binder, "not UTF-8 text");
        } catch (NoSuchFileException e) {
            unreadable(file, binder, "no such file");
        } catch (IOException e) {
            unreadable(file, binder, "cannot be read: " + e);
        }
        return Node.Mapping.EMPTY;
    }

    private static String text(byte[] bytes) throws CharacterCodingException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
    }

    private static void unreadable(Path file, RecordBinder binder, String why) {
        binder.problem(new Origin.FileLine(file, 1), "configuration file", why);
    }

    private Node.Mapping parse(String text) {
        try {
            LoadSettings settings = LoadSettings.builder()
                    .setLabel(file.toString())
                    .setAllowDuplicateKeys(true)
                    .build();
            Optional<org.snakeyaml.engine.v2.nodes.Node> root =
                    new Composer(settings, new ParserImpl(settings, new StreamReader(settings, text))).getSingleNode();
            if (root.isEmpty()) {
                return Node.Mapping.EMPTY;
            }
            Node node = convert(root.get(), new Origin.FileLine(file, 1), "", 0);
            if (node instanceof Node.Mapping mapping) {
                return mapping;
            }
            if (node != null) {
                binder.problem(node.origin(), "configuration file", "expected keys with values");
            }
        } catch (MarkedYamlEngineException e) {
            int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
            binder.problem(new Origin.FileLine(file, line), "not YAML", words(e.getProblem()));
        } catch (YamlEngineException e) {
            binder.problem(new Origin.FileLine(file, 1), "not YAML", "it cannot be read");
        }
        return Node.Mapping.EMPTY;
    }

    /** The parser's message; what it quotes from the file is left out, because it may be a password without quotes. */
    private static String words(@Nullable String problem) {
        String words = String.valueOf(problem);
        Matcher repeating = REPEATING.matcher(words);
        return repeating.lookingAt()
                ? repeating.group() + "; put quotes around text that starts with *, & or !"
                : words;
    }

    private @Nullable Node convert(
            org.snakeyaml.engine.v2.nodes.Node node, Origin.FileLine origin, String key, int depth) {
        if (depth > MAX_DEPTH) {
            binder.problem(origin, key, "nested too deeply");
            return null;
        }
        if (++nodes >= MAX_NODES) {
            if (nodes == MAX_NODES) {
                binder.problem(origin, key, "too many values: its aliases stand for more than " + MAX_NODES);
            }
            return null;
        }
        if (node instanceof ScalarNode scalar) {
            return scalar.getTag().equals(Tag.NULL) || scalar.getValue().isBlank()
                    ? null
                    : new Node.Scalar(scalar.getValue(), line(node, origin));
        }
        if (node instanceof SequenceNode sequence) {
            List<Node> items = new ArrayList<>();
            for (org.snakeyaml.engine.v2.nodes.Node item : sequence.getValue()) {
                Node converted = convert(item, line(item, origin), key + "[" + items.size() + "]", depth + 1);
                if (converted != null) {
                    items.add(converted);
                }
            }
            return new Node.Sequence(items, origin);
        }
        if (node instanceof MappingNode mapping) {
            return mapping(mapping, origin, key, depth);
        }
        binder.problem(origin, key, "expected a value, a list or keys here");
        return null;
    }

    private @Nullable Node mapping(MappingNode mapping, Origin.FileLine origin, String key, int depth) {
        Map<String, Node> entries = new LinkedHashMap<>();
        for (NodeTuple tuple : mapping.getValue()) {
            Origin.FileLine line = line(tuple.getKeyNode(), origin);
            if (!(tuple.getKeyNode() instanceof ScalarNode name)) {
                binder.problem(line, key, "a key must be a string");
                continue;
            }
            String path = key.isEmpty() ? name.getValue() : key + "." + name.getValue();
            Node value = convert(tuple.getValueNode(), line, path, depth + 1);
            if (value != null && entries.put(name.getValue(), value) != null) {
                binder.problem(line, path, "specified twice");
            }
        }
        if (!entries.isEmpty() && Set.of("value", "env", "file").containsAll(entries.keySet())) {
            return reference(entries, origin, key);
        }
        return new Node.Mapping(entries, origin);
    }

    /** A reference to a value elsewhere, or a value in the same form. */
    private @Nullable Node reference(Map<String, Node> entries, Origin.FileLine origin, String key) {
        String kind = entries.keySet().iterator().next();
        if (entries.size() > 1 || !(entries.get(kind) instanceof Node.Scalar target)) {
            binder.problem(origin, key, "specify exactly one of value, env and file, as a string");
            return null;
        }
        return switch (kind) {
            case "env" -> new Node.Reference(Node.Reference.Kind.ENV, target.text(), target.origin());
            case "file" -> new Node.Reference(Node.Reference.Kind.FILE, target.text(), target.origin());
            default -> target;
        };
    }

    private Origin.FileLine line(org.snakeyaml.engine.v2.nodes.Node node, Origin.FileLine otherwise) {
        return node.getStartMark()
                .map(mark -> new Origin.FileLine(file, mark.getLine() + 1))
                .orElse(otherwise);
    }
}
