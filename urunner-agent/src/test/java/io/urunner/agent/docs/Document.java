package io.urunner.agent.docs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A page of the documentation.
 *
 * @param path the file
 * @param lines its lines
 */
public record Document(Path path, List<String> lines) {
    /** The checkout. */
    public static final Path ROOT = Path.of("").toAbsolutePath().getParent();

    private static final Pattern FENCE = Pattern.compile(" *```(\\S*)\\s*");
    private static final Pattern NOT_RUN = Pattern.compile("<!-- not run: (.+) -->");
    private static final Pattern MENTIONED = Pattern.compile("`((?:kubectl|helm|(?:\\./)?urunner)\\s[^`]+)`");
    private static final Pattern PLACEHOLDER = Pattern.compile("\\[.*|.*]|.*…|\\P{Ll}*\\p{Lu}\\P{Ll}*");
    private static final Pattern HEADING = Pattern.compile("#{1,6} +(.*?) *#*");
    private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");

    /** All pages of the checkout. */
    public static List<Document> all() {
        List<Document> documents = new ArrayList<>();
        try {
            Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                    String name = folder.getFileName().toString();
                    boolean ours = folder.equals(ROOT) || !name.startsWith(".") && !name.equals("target");
                    return ours ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    if (file.toString().endsWith(".md")) {
                        documents.add(new Document(file, Files.readAllLines(file)));
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        documents.sort(Comparator.comparing(Document::path));
        return documents;
    }

    /** The page at a path of the checkout. */
    public static Document at(String path) {
        Path file = ROOT.resolve(path);
        try {
            return new Document(file, Files.readAllLines(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Its path in the checkout. */
    public String name() {
        return ROOT.relativize(path).toString().replace('\\', '/');
    }

    /** The blocks of code, in their order. */
    public List<Block> blocks() {
        List<Block> blocks = new ArrayList<>();
        Optional<String> reason = Optional.empty();
        int begun = -1;
        String language = "";
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            Matcher fence = FENCE.matcher(line);
            if (fence.matches() && begun < 0) {
                begun = i + 1;
                language = fence.group(1);
            } else if (fence.matches()) {
                blocks.add(new Block(name(), begun + 1, language, List.copyOf(lines.subList(begun, i)), reason));
                begun = -1;
                reason = Optional.empty();
            } else if (begun < 0 && !line.isBlank()) {
                Matcher notRun = NOT_RUN.matcher(line.strip());
                reason = notRun.matches() ? Optional.of(notRun.group(1)) : Optional.empty();
            }
        }
        if (begun >= 0) {
            throw new AssertionError(name() + ": the block that begins in line " + begun + " does not end");
        }
        return blocks;
    }

    /** The blocks under a second-level heading. */
    public List<Block> blocks(String heading) {
        int from = lines.indexOf("## " + heading) + 1;
        if (from == 0) {
            throw new AssertionError(name() + ": there is no heading " + heading);
        }
        int end = from;
        while (end < lines.size() && !lines.get(end).startsWith("## ")) {
            end++;
        }
        int to = end;
        return blocks().stream()
                .filter(block -> block.line() > from && block.line() <= to)
                .toList();
    }

    /** The anchors of the page, as GitHub derives them from headings. */
    public Set<String> anchors() {
        Set<String> anchors = new HashSet<>();
        Map<String, Integer> seen = new HashMap<>();
        for (String line : prose()) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches()) {
                String slug = heading.group(1)
                        .replaceAll("]\\([^)]*\\)", "]")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-');
                int before = seen.merge(slug, 1, Integer::sum) - 1;
                anchors.add(before == 0 ? slug : slug + "-" + before);
            }
        }
        return anchors;
    }

    /** The commands in the running text, without placeholders: NAME, […], …. */
    public List<ShellLine> mentioned() {
        return MENTIONED
                .matcher(String.join("\n", prose()))
                .results()
                .map(span -> String.join(
                        " ",
                        Stream.of(span.group(1).split("\\s+"))
                                .filter(word -> !PLACEHOLDER.matcher(word).matches())
                                .toList()))
                .flatMap(text -> ShellLine.parse(name() + " `" + text + "`", text, new HashMap<>()).stream())
                .toList();
    }

    /** The targets of its links to other files and within the page. */
    public List<String> links() {
        List<String> links = new ArrayList<>();
        for (String line : prose()) {
            LINK.matcher(line)
                    .results()
                    .map(link -> link.group(1))
                    .filter(target -> !target.matches("[a-z]+:.*"))
                    .forEach(links::add);
        }
        return links;
    }

    private List<String> prose() {
        List<String> prose = new ArrayList<>();
        boolean code = false;
        for (String line : lines) {
            boolean fence = FENCE.matcher(line).matches();
            code = fence != code;
            if (!code && !fence) {
                prose.add(line);
            }
        }
        return prose;
    }

    @Override
    public String toString() {
        return name();
    }
}
