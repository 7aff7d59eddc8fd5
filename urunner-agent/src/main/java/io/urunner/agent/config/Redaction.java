package io.urunner.agent.config;

import java.util.regex.Pattern;

/**
 * Takes the passwords out of URLs and host names before they are shown: a database URL may carry one, and a registry is
 * sometimes written with one, though it must not.
 */
final class Redaction {
    private static final Pattern USER_INFO = Pattern.compile("(?<=://|^|[\\s'\"])([^/@\\s'\":]*):[^/@'\"]*@");
    private static final Pattern PARAMETER = Pattern.compile("(?i)((?:password|passwd|sslpassword)=)[^&;\\s]*");

    private Redaction() {}

    static String of(String text) {
        String withoutUserInfo = USER_INFO.matcher(text).replaceAll("$1:[secret]@");
        return PARAMETER.matcher(withoutUserInfo).replaceAll("$1[secret]");
    }
}
