package io.urunner.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** What the body of a refusal or failure says. Immutable. */
final class ErrorAnswer {
    static final ErrorAnswer NONE = new ErrorAnswer(List.of(), false);

    private static final String ERRORS = "errors";
    private static final int MOST = 5;
    private static final int LONGEST_CODE = 100;
    private static final int LONGEST_TEXT = 300;

    /** Fields that hold the main text, and fields that add something to it, in the order in which they are tried. */
    private static final List<String> MESSAGES = List.of("message", "error_description", "title");

    private static final Pattern CODE = Pattern.compile("[A-Z][A-Z0-9_]*|[a-z][a-z0-9_]*");
    private static final List<String> DETAILS = List.of("detail", "details");

    private final List<OciError> errors;
    private final boolean isSpecified;

    private ErrorAnswer(List<OciError> errors, boolean isSpecified) {
        this.errors = errors;
        this.isSpecified = isSpecified;
    }

    /** The errors that it names, in its order, at most five. */
    List<OciError> errors() {
        return errors;
    }

    /**
     * Whether it has a form that registries and token servers use, so that it is their own answer and not a page of
     * something in front of them.
     */
    boolean isSpecified() {
        return isSpecified;
    }

    /** This answer, and what its challenge says in addition (RFC 6750, section 3). */
    ErrorAnswer with(List<Challenge> challenges) {
        for (Challenge challenge : challenges) {
            String description = challenge.parameter("error_description");
            OciError error = description.isEmpty() ? null : made(challenge.parameter("error"), description, "");
            if (error != null && errors.size() < MOST) {
                return new ErrorAnswer(
                        Stream.concat(errors.stream(), Stream.of(error)).toList(), isSpecified);
            }
        }
        return this;
    }

    /**
     * Reads a body up to a sensible size; one that breaks off counts as empty, since the status says enough. It can be
     * read again.
     */
    static ErrorAnswer of(Response response) {
        try {
            return of(response.peekBody(Bodies.SMALL).bytes());
        } catch (IOException e) {
            return NONE;
        }
    }

    /** Whether one of the errors has a code as registries or token servers write it, and not the name of a status. */
    boolean namesCode() {
        for (OciError error : errors) {
            if (!error.code().equals(OciError.UNKNOWN)
                    && CODE.matcher(error.code()).matches()) {
                return true;
            }
        }
        return false;
    }

    static ErrorAnswer of(byte[] content) {
        JsonNode root;
        try {
            root = Bodies.json(content);
        } catch (IOException e) {
            // Proxies and some registries answer with plain text or a page.
            root = beginning(content);
            if (root.path(ERRORS).isEmpty()) {
                return new ErrorAnswer(text(content), false);
            }
        }
        if (!root.isContainerNode()) {
            return root.isTextual()
                    ? new ErrorAnswer(text(root.asText().getBytes(StandardCharsets.UTF_8)), false)
                    : NONE;
        }
        JsonNode listed = root.isArray() ? root : root.path(ERRORS);
        List<OciError> errors = new ArrayList<>();
        boolean specified = false;
        for (JsonNode error : listed.isArray() ? listed : List.of(listed)) {
            OciError read = error(error);
            if (read != null && errors.size() < MOST) {
                errors.add(read);
                // Gateways number their errors.
                specified |= error.isObject() && !error.path("code").isNumber();
            }
        }
        OciError single = errors.isEmpty() ? single(root) : null;
        if (single != null) {
            errors.add(single);
            // Those of OAuth, Docker Hub and DigitalOcean. Gateways say {"message": …}, too, or {"status": …, "error":
            // …}.
            specified = (root.path("error").isTextual() && !root.has("status"))
                    || root.has("details")
                    || (root.path("id").isTextual() && root.has("message"));
        } else if (errors.isEmpty()
                && root.isObject()
                && !root.isEmpty()
                && !root.has(ERRORS)
                && !root.has("error")
                && !root.has("message")) {
            errors.addAll(text(content));
        }
        return new ErrorAnswer(List.copyOf(errors), specified);
    }

    /** What was read of an answer that breaks off at our limit, or is too deep or too long a list. */
    private static JsonNode beginning(byte[] content) {
        ObjectNode root = Bodies.JSON.createObjectNode();
        root.putArray(ERRORS);
        try {
            Bodies.JSON.readerForUpdating(root).readValue(content);
        } catch (IOException e) {
            // What precedes stays in the list.
        }
        return root;
    }

    /** The error of an answer without a list of them, or null. */
    private static @Nullable OciError single(JsonNode root) {
        JsonNode error = root.path("error");
        if (error.isObject()) {
            return error(error);
        } else if (error.isTextual()) {
            String message = first(root, MESSAGES);
            String detail = first(root, DETAILS);
            return error.asText().indexOf(' ') < 0
                    ? made(error.asText(), message, detail)
                    : made("", error.asText(), message.isEmpty() ? detail : message);
        }
        return error(root);
    }

    /** The error that an object or a text describes, or null if it says nothing. */
    private static @Nullable OciError error(JsonNode node) {
        return node.isTextual()
                ? made("", node.asText(), "")
                : made(node.path("code").asText(""), first(node, MESSAGES), first(node, DETAILS));
    }

    private static @Nullable OciError made(String code, String message, String detail) {
        String shownCode = Bodies.printable(code, LONGEST_CODE);
        String shownMessage = Bodies.printable(message, LONGEST_TEXT);
        String shownDetail = Bodies.printable(detail, LONGEST_TEXT);
        if (shownCode.isEmpty() && shownMessage.isEmpty() && shownDetail.isEmpty()) {
            return null;
        }
        return new OciError(shownCode.isEmpty() ? OciError.UNKNOWN : shownCode, shownMessage, shownDetail);
    }

    private static String first(JsonNode node, List<String> fields) {
        for (String field : fields) {
            JsonNode value = node.path(field);
            boolean empty = value.isMissingNode() || value.isNull() || (value.isContainerNode() && value.isEmpty());
            if (!empty) {
                return value.isValueNode() ? value.asText() : value.toString();
            }
        }
        return "";
    }

    private static List<OciError> text(byte[] content) {
        OciError error = made("", new String(content, StandardCharsets.UTF_8), "");
        return error == null || error.message().startsWith("<") ? List.of() : List.of(error);
    }
}
