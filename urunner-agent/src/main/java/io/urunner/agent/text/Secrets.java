package io.urunner.agent.text;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Removes secrets from texts before they are shown: passwords in URLs and parameters, tokens in headers. Repetitions in
 * patterns are bounded or possessive, because the author of the text also determines how long matching takes.
 */
final class Secrets {
    private static final String MASK = "[secret]";

    /** Excludes the {@code @} before an image's digest: what precedes it is not a secret. */
    private static final String NO_DIGEST = "(?!(?:sha|blake|md)\\d+:)";

    /** It is unknown where a password ends, so only another parameter ends it. */
    private static final Pattern PASSWORD = Pattern.compile(
            "(?i)((?:password|passwd|passphrase|(?<![a-z])pass|pwd)=)(?!\\[secret]).+?(?=&[a-z][\\w.-]{0,40}=|$)");

    /** Parameters of signed URLs, and of URLs that issue tokens. */
    private static final Pattern TOKEN =
            Pattern.compile("(?i)((?:token|secret|signature|[?&]sig|api[_-]?key)=)(?!\\[secret])[^\\s&;,'\"]+");

    private static final Pattern MEMBER =
            Pattern.compile("(?i)(\"(?:password|[a-z_]*token|[a-z_]*secret|auth)\"\\s*:\\s*\")[^\"]+");

    private static final Pattern BASIC =
            Pattern.compile("(?i)(\\bBasic[\\s:]+)(?-i:(?=[A-Za-z+/]*(?:[0-9=]|[a-z][A-Z])))[A-Za-z0-9+/]{6,}={0,2}");
    private static final Pattern BEARER = Pattern.compile("(?i)(\\bBearer[\\s:]+)[A-Za-z0-9._~+/-]{20,}=*");
    private static final Pattern JWT = Pattern.compile("\\beyJ[\\w-]{5,1000}+\\.[\\w-]+\\.[\\w-]*");

    /** Tokens with a known prefix: those of GitHub, GitLab, Docker Hub and DigitalOcean. */
    private static final Pattern KNOWN_TOKEN =
            Pattern.compile("\\b(?:gh[oprsu]_|github_pat_|gl(?:pat|dt|cbt|rt)-|dckr_[op]at_|do[opr]_v1_)[\\w.-]{16,}");

    private static final Pattern USER_INFO = Pattern.compile("(?<=:/|//)[^/?#\\s]*@" + NO_DIGEST);

    /** A password that should have been encoded: the text after the colon is not a port. */
    private static final Pattern UNENCODED_USER_INFO = Pattern.compile(
            "(?<=:/|//)[^\\s/?#:@\\[]*+:(?!\\d{0,5}(?:[/\\s'\"),;\\]]|$))[^@\\s]{0,1000}+@" + NO_DIGEST);

    private static final Pattern USER_AND_PASSWORD =
            Pattern.compile("(?<![\\w.%+-])[\\w.%+-]++:[^/@\\s'\"][^@\\s'\"]{0,1000}+@" + NO_DIGEST);

    private static final Pattern BEFORE_AN_AT = Pattern.compile("(.*?//)?.*@" + NO_DIGEST, Pattern.DOTALL);

    private Secrets() {}

    /** A text that anybody may have written. User info is removed from URLs. */
    static String removed(String text) {
        String parameters = parameters(text);
        if (parameters.indexOf('@') < 0) {
            return parameters;
        }
        // In this order: what follows the first @ of a password that is not encoded looks like user info again.
        String urls = UNENCODED_USER_INFO.matcher(parameters).replaceAll("");
        urls = USER_INFO.matcher(urls).replaceAll("");
        return USER_AND_PASSWORD.matcher(urls).replaceAll(MASK + "@");
    }

    /** The value of a setting: nothing before an {@code @} is shown, except an image's name. */
    static String ofSetting(String value) {
        String parameters = parameters(value);
        Matcher matcher = BEFORE_AN_AT.matcher(parameters);
        if (!matcher.lookingAt()) {
            return parameters;
        }
        String scheme = matcher.group(1) == null ? "" : matcher.group(1);
        return scheme + MASK + "@" + parameters.substring(matcher.end());
    }

    private static String parameters(String text) {
        String shown = text;
        if (shown.indexOf('=') >= 0) {
            shown = PASSWORD.matcher(shown).replaceAll("$1" + MASK);
            shown = TOKEN.matcher(shown).replaceAll("$1" + MASK);
        }
        if (shown.indexOf('"') >= 0) {
            shown = MEMBER.matcher(shown).replaceAll("$1" + MASK);
        }
        shown = BASIC.matcher(shown).replaceAll("$1" + MASK);
        shown = BEARER.matcher(shown).replaceAll("$1" + MASK);
        shown = KNOWN_TOKEN.matcher(shown).replaceAll(MASK);
        return JWT.matcher(shown).replaceAll(MASK);
    }
}
