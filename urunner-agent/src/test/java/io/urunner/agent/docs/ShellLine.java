package io.urunner.agent.docs;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A simple command: a program and its words. Pipes, lists and substitutions are refused: a page whose commands need
 * them says that they are not run.
 *
 * @param at page and line
 * @param words the program and its arguments
 * @param output the file to which its output goes
 */
public record ShellLine(String at, List<String> words, Optional<String> output) {
    private static final Pattern ASSIGNMENT = Pattern.compile("([A-Za-z_]\\w*)=(.*)", Pattern.DOTALL);
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{(\\w+)}|(\\w+))");

    /** Parses a line; empty if it contains no command, but at most assignments of variables. */
    static Optional<ShellLine> parse(String at, String text, Map<String, String> variables) {
        List<String> words = new ArrayList<>();
        Optional<String> output = Optional.empty();
        boolean redirected = false;
        for (int i = 0; i < text.length(); ) {
            char c = text.charAt(i);
            if (Character.isWhitespace(c)) {
                i++;
            } else if (c == '#') {
                break;
            } else if (c == '>') {
                redirected = true;
                i++;
            } else {
                StringBuilder word = new StringBuilder();
                i = word(at, text, i, variables, word);
                if (redirected) {
                    output = Optional.of(word.toString());
                    redirected = false;
                } else {
                    words.add(word.toString());
                }
            }
        }
        if (!words.isEmpty() && words.get(0).equals("export")) {
            words.remove(0);
        }
        while (!words.isEmpty()) {
            Matcher assignment = ASSIGNMENT.matcher(words.get(0));
            if (!assignment.matches()) {
                return Optional.of(new ShellLine(at, List.copyOf(words), output));
            }
            variables.put(assignment.group(1), assignment.group(2));
            words.remove(0);
        }
        return Optional.empty();
    }

    /** Reads a word into the builder, and returns its end. */
    private static int word(String at, String text, int from, Map<String, String> variables, StringBuilder word) {
        char quote = 0;
        int i = from;
        for (; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote == '\'') {
                if (c == '\'') {
                    quote = 0;
                } else {
                    word.append(c);
                }
            } else if (c == '$' || c == '`') {
                Matcher variable = VARIABLE.matcher(text).region(i, text.length());
                if (!variable.lookingAt()) {
                    throw new AssertionError(at + ": a substitution: " + text);
                }
                String name = variable.group(1) == null ? variable.group(2) : variable.group(1);
                String value = variables.get(name);
                if (value == null) {
                    throw new AssertionError(at + ": nothing has set $" + name);
                }
                word.append(value);
                i = variable.end() - 1;
            } else if (c == '\\' && i + 1 < text.length()) {
                word.append(text.charAt(++i));
            } else if (c == quote) {
                quote = 0;
            } else if (quote != 0) {
                word.append(c);
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (Character.isWhitespace(c) || c == '>') {
                return i;
            } else if ("|&;<()".indexOf(c) >= 0) {
                throw new AssertionError(at + ": more than a simple command: " + text);
            } else {
                word.append(c);
            }
        }
        if (quote != 0) {
            throw new AssertionError(at + ": unterminated quote: " + text);
        }
        return i;
    }

    /** The program. */
    public String program() {
        return words.get(0);
    }

    /** The arguments for {@code urunner}, if it runs it directly or in a pod. */
    public Optional<List<String>> urunner() {
        if (program().equals("urunner") || program().equals("./urunner")) {
            return Optional.of(words.subList(1, words.size()));
        }
        int dashes = words.indexOf("--");
        boolean within = program().equals("kubectl") && words.contains("exec") && dashes > 0;
        if (!within) {
            return Optional.empty();
        }
        if (!words.get(dashes + 1).equals("urunner")) {
            throw new AssertionError(at + ": the image has no other program than urunner: " + this);
        }
        return Optional.of(words.subList(dashes + 2, words.size()));
    }

    @Override
    public String toString() {
        return String.join(" ", words);
    }
}
