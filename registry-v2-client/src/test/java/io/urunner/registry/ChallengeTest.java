package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChallengeTest {
    /** Header lines are separated by {@code ⏎}; the outcome is {@code scheme{name=value, …} scheme{…}}. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            nullValues = "none",
            value = {
                "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a/b:pull\" | bearer{realm=https://a/t, scope=repository:a/b:pull, service=s}",
                "Bearer realm=\"https://a/t\", service=\"s\" , scope=\"x\" | bearer{realm=https://a/t, scope=x, service=s}",
                "Bearer scope=\"x\",service=\"s\",realm=\"https://a/t\" | bearer{realm=https://a/t, scope=x, service=s}",
                "bearer realm=\"https://a/t\" | bearer{realm=https://a/t}",
                "BEARER REALM=\"https://a/t\" | bearer{realm=https://a/t}",
                "Bearer realm=https://a/t | bearer{realm=https://a/t}",
                "Bearer realm=https://a/t,service=s | bearer{realm=https://a/t, service=s}",
                "Bearer realm = \"https://a/t\" | bearer{realm=https://a/t}",
                "Bearer realm=\"https://a/t\",scope=\"repository:a:pull,push\" | bearer{realm=https://a/t, scope=repository:a:pull,push}",
                "Bearer realm=\"https://a/t\",scope=\"repository:a:pull repository:b:pull\" | bearer{realm=https://a/t, scope=repository:a:pull repository:b:pull}",
                "Bearer realm=\"https://a/t\",scope=\"repository:h:5000/a:pull\" | bearer{realm=https://a/t, scope=repository:h:5000/a:pull}",
                "Bearer realm=\"https://a/t\",scope=\"\" | bearer{realm=https://a/t, scope=}",
                "Bearer realm=\"https://a/t\",scope=\"*\" | bearer{realm=https://a/t, scope=*}",
                "Bearer realm=\"https://public.ecr.aws/token/\",service=\"public.ecr.aws\",scope=\"aws\" | bearer{realm=https://public.ecr.aws/token/, scope=aws, service=public.ecr.aws}",
                "Bearer realm=\"https://a/t\",error=\"invalid_token\" | bearer{error=invalid_token, realm=https://a/t}",
                "Bearer realm=\"https://a/t\",error=\"insufficient_scope\",error_description=\"a, b\" | bearer{error=insufficient_scope, error_description=a, b, realm=https://a/t}",
                "Basic | basic{}",
                "Basic realm=\"r\" | basic{realm=r}",
                "BASIC realm=\"Sonatype Nexus Repository Manager\" | basic{realm=Sonatype Nexus Repository Manager}",
                "Basic realm=\"https://1.dkr.ecr.eu-west-1.amazonaws.com/\",service=\"ecr.amazonaws.com\" | basic{realm=https://1.dkr.ecr.eu-west-1.amazonaws.com/, service=ecr.amazonaws.com}",
                "Basic realm=\"a\", charset=\"UTF-8\" | basic{charset=UTF-8, realm=a}",
                "Bearer realm=\"https://a/t\",scope=\"*\"⏎Basic realm=\"Gitea\" | bearer{realm=https://a/t, scope=*} basic{realm=Gitea}",
                "Bearer realm=\"https://a/t\"⏎Basic | bearer{realm=https://a/t} basic{}",
                "Bearer realm=\"https://a/t\", Basic realm=\"b\" | bearer{realm=https://a/t} basic{realm=b}",
                "Basic, Bearer realm=\"https://a/t\" | basic{} bearer{realm=https://a/t}",
                "Negotiate, Basic realm=\"b\" | negotiate{} basic{realm=b}",
                "Digest realm=\"d\", qop=\"auth,auth-int\", nonce=\"n\", Basic realm=\"b\" | digest{nonce=n, qop=auth,auth-int, realm=d} basic{realm=b}",
                "Bearer realm=\"a\\\"b\" | bearer{realm=a\"b}",
                "Bearer realm=\"a\\\\b\" | bearer{realm=a\\b}",
                "Bearer realm=\"unclosed | bearer{realm=unclosed}",
                "Bearer realm=\"https://a/t\",realm=\"https://evil/t\" | bearer{realm=https://a/t}",
                "Bearer realm=\"https://a/t\",,service=\"s\" | bearer{realm=https://a/t, service=s}",
                ",, Basic realm=\"b\" ,, | basic{realm=b}",
                "Bearer realm=\"https://a/t?x=1&y=2\" | bearer{realm=https://a/t?x=1&y=2}",
                "Bearer realm=\"\" | bearer{realm=}",
                "Bearer realm= | bearer{realm=}",
                "Bearer =\"x\" | bearer{}",
                "none | none",
                "`   ` | none",
                ", | none",
                "\"quoted\" | none",
            })
    void readsWhatRegistriesSend(String headers, String expected) {
        List<String> lines = headers == null ? List.of() : List.of(headers.split("⏎", -1));
        List<String> challenges = new ArrayList<>();
        for (Challenge challenge : Challenge.parse(lines)) {
            challenges.add(challenge.scheme() + new TreeMap<>(challenge.parameters()));
        }
        assertThat(String.join(" ", challenges)).isEqualTo(expected == null ? "" : expected);
    }
}
