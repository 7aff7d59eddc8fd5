package io.urunner.agent.app.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A request, of HTTP/1.0 or 1.1 (RFC 9112), with a target in origin form. Anything unusual is refused. */
final class HttpRequest implements Endpoint.Request {
    private static final int MOST_FIELDS = 100;
    private static final String LINE = "\r\n";
    private static final String END = LINE + LINE;
    private static final String TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
    private static final Pattern REQUEST_LINE =
            Pattern.compile("(" + TOKEN + ") (/[\\x21-\\x7e&&[^?]]*)(?:\\?([\\x21-\\x7e]*))? HTTP/1\\.([01])");
    private static final Pattern NAME = Pattern.compile(TOKEN);
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._:\\[\\]%~-]*");
    private static final Pattern LENGTH = Pattern.compile("[0-9]{1,18}");
    private static final long CHUNKED = -1;

    private final String method;
    private final String path;
    private final String query;
    private final Map<String, String> fields;
    private final long length;
    private final byte[] body;

    private HttpRequest(
            String method, String path, String query, Map<String, String> fields, long length, byte[] body) {
        this.method = method;
        this.path = path;
        this.query = query;
        this.fields = fields;
        this.length = length;
        this.body = body;
    }

    /** Parses a head: lines that end with CR and LF, of which the last is empty. */
    static HttpRequest parse(String head) throws MalformedRequestException {
        String[] lines =
                head.substring(0, Math.max(0, head.length() - END.length())).split(LINE, -1);
        Matcher first = REQUEST_LINE.matcher(lines[0]);
        if (!first.matches()) {
            throw new MalformedRequestException("not the first line of a request for a path, in HTTP/1.1");
        }
        if (lines.length - 1 > MOST_FIELDS) {
            throw new MalformedRequestException("more than " + MOST_FIELDS + " header fields");
        }
        Map<String, String> fields = new HashMap<>();
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            if (colon < 1 || !NAME.matcher(lines[i].substring(0, colon)).matches()) {
                throw new MalformedRequestException("not a header field");
            }
            // Fields of the same name form a list, which is invalid for the fields used here.
            fields.merge(
                    lines[i].substring(0, colon).toLowerCase(Locale.ROOT),
                    lines[i].substring(colon + 1).strip(),
                    (one, other) -> one + ", " + other);
        }
        boolean isNew = first.group(4).equals("1");
        if (!HOST.matcher(fields.getOrDefault("host", isNew ? "," : "")).matches()) {
            throw new MalformedRequestException("HTTP/1.1 requires exactly one header field Host");
        }
        String query = first.group(3);
        return new HttpRequest(
                first.group(1), first.group(2), query == null ? "" : query, fields, length(fields, isNew), new byte[0]);
    }

    private static long length(Map<String, String> fields, boolean isNew) throws MalformedRequestException {
        String coding = fields.get("transfer-encoding");
        String length = fields.get("content-length");
        if (coding != null) {
            if (!isNew || length != null || !coding.equalsIgnoreCase("chunked")) {
                throw new MalformedRequestException("a body needs either chunks or a length");
            }
            return CHUNKED;
        }
        if (length != null && !LENGTH.matcher(length).matches()) {
            throw new MalformedRequestException("not the length of a body");
        }
        return length == null ? 0 : Long.parseLong(length);
    }

    /** The same request with its body. */
    HttpRequest with(byte[] read) {
        return new HttpRequest(method, path, query, fields, length, read);
    }

    String path() {
        return path;
    }

    /** Tells whether the client waits for a response before it sends the body. */
    boolean expectsContinue() {
        return header("expect").equalsIgnoreCase("100-continue");
    }

    @Override
    public String method() {
        return method;
    }

    @Override
    public String header(String name) {
        return fields.getOrDefault(name.toLowerCase(Locale.ROOT), "");
    }

    @Override
    public Map<String, String> query() {
        Map<String, String> parameters = new HashMap<>();
        for (String parameter : query.split("&", -1)) {
            if (!parameter.isEmpty()) {
                int sign = parameter.indexOf('=');
                String name = sign < 0 ? parameter : parameter.substring(0, sign);
                String value = sign < 0 ? "" : parameter.substring(sign + 1);
                parameters.put(decode(name), decode(value));
            }
        }
        return parameters;
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return text; // a stray % is taken as written
        }
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public byte[] body() {
        return body.clone();
    }
}
