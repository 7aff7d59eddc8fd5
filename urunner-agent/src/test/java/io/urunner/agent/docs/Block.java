package io.urunner.agent.docs;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A block of code of a page.
 *
 * @param page the page's path in the checkout
 * @param line the number of its first line
 * @param language the text after the fence
 * @param lines its lines
 * @param notRun why its commands are not run, if the line before the block says so
 */
public record Block(String page, int line, String language, List<String> lines, Optional<String> notRun) {
    /** Programs that mark a block without a language as commands. */
    private static final String PROGRAM =
            "(kubectl|helm|urunner|\\./|docker|podman|skopeo|curl|kind|oc|git|export|eval|[A-Z_]+=).*";

    /** Whether it consists of shell commands, with or without their output. */
    public boolean isCommands() {
        return language.equals("sh")
                || isSession()
                || (language.isEmpty() && !lines.isEmpty() && lines.get(0).matches(PROGRAM));
    }

    /** Whether only lines that begin with {@code $} are commands. */
    private boolean isSession() {
        return language.equals("console")
                || (language.isEmpty() && !lines.isEmpty() && lines.get(0).startsWith("$ "));
    }

    /** Whether it contains values of the chart. */
    public boolean isValues() {
        return language.equals("yaml") && lines.get(0).equals("# values.yaml");
    }

    /** The text of the block. */
    public String text() {
        return String.join("\n", lines) + "\n";
    }

    /**
     * Its commands.
     *
     * @param variables the variables that have been set; this block adds its own
     */
    public List<ShellLine> commands(Map<String, String> variables) {
        List<ShellLine> commands = new ArrayList<>();
        StringBuilder command = new StringBuilder();
        for (int i = 0; i < lines.size(); i++) {
            String text = lines.get(i);
            if (isSession() && command.isEmpty()) {
                if (!text.startsWith("$ ")) {
                    continue;
                }
                text = text.substring(2);
            }
            if (text.endsWith("\\")) {
                command.append(text, 0, text.length() - 1);
                continue;
            }
            command.append(text);
            ShellLine.parse(page + ":" + (line + i), command.toString(), variables)
                    .ifPresent(commands::add);
            command.setLength(0);
        }
        return commands;
    }

    @Override
    public String toString() {
        return page + ":" + line;
    }
}
