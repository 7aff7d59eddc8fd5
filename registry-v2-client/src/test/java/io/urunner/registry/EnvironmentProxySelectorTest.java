package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The rules of Go's golang.org/x/net/http/httpproxy and of curl's manual page. We differ where the two differ: see the
 * class.
 */
class EnvironmentProxySelectorTest {
    private static String chosen(Map<String, String> environment, String url) {
        Proxy proxy =
                EnvironmentProxySelector.of(environment).select(URI.create(url)).get(0);
        return proxy.type() == Proxy.Type.DIRECT ? "direct" : ProxyAddress.shown(proxy);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", textBlock = """
            # variables                                           | URL              | proxy
            HTTPS_PROXY=http://p:3128                             | https://r.io/v2/ | http://p:3128
            HTTPS_PROXY=http://p:3128                             | http://r.io/v2/  | direct
            HTTP_PROXY=http://p:3128                              | http://r.io/v2/  | http://p:3128
            HTTP_PROXY=http://p:3128                              | https://r.io/v2/ | direct
            https_proxy=http://p:1 HTTPS_PROXY=http://q:2         | https://r.io/    | http://p:1
            http_proxy=http://p:1 HTTP_PROXY=http://q:2           | http://r.io/     | http://p:1
            https_proxy= HTTPS_PROXY=http://q:2                   | https://r.io/    | http://q:2
            ALL_PROXY=http://p:3128                               | https://r.io/    | http://p:3128
            all_proxy=http://p:3128                               | http://r.io/     | http://p:3128
            ALL_PROXY=http://p:1 HTTPS_PROXY=http://q:2           | https://r.io/    | http://q:2
            ALL_PROXY=http://p:1 HTTPS_PROXY=http://q:2           | http://r.io/     | http://p:1
            HTTPS_PROXY=p                                         | https://r.io/    | http://p:80
            HTTPS_PROXY=p:3128                                    | https://r.io/    | http://p:3128
            HTTPS_PROXY=http://p:3128/                            | https://r.io/    | http://p:3128
            HTTPS_PROXY=HTTP://p.example.:3128                    | https://r.io/    | http://p.example.:3128
            HTTPS_PROXY=http://u:w@p:3128                         | https://r.io/    | http://p:3128
            HTTPS_PROXY=u:w@p:3128                                | https://r.io/    | http://p:3128
            HTTPS_PROXY=http://[fd00::1]:3128                     | https://r.io/    | http://[fd00::1]:3128
            HTTPS_PROXY=10.0.0.1:3128                             | https://r.io/    | http://10.0.0.1:3128
            HTTPS_PROXY=socks5://p                                | https://r.io/    | socks5://p:1080
            HTTPS_PROXY=socks5h://p:9050                          | https://r.io/    | socks5://p:9050
            HTTPS_PROXY=p:1                                       | https://localhost/     | direct
            HTTPS_PROXY=p:1                                       | https://127.0.0.1:5000/ | direct
            HTTPS_PROXY=p:1                                       | https://127.9.9.9/     | direct
            HTTPS_PROXY=p:1                                       | https://[::1]:5000/    | direct
            HTTPS_PROXY=p:1                                       | https://localhost.r.io/ | http://p:1
            HTTPS_PROXY=p:1                                       | ftp://r.io/      | direct
            HTTPS_PROXY=p:1                                       | https://my_reg.io/     | http://p:1
            HTTPS_PROXY=p:1                                       | https://my_reg:5000/v2/ | http://p:1
            HTTPS_PROXY=p:1                                       | https://reg.2nd/       | http://p:1
            HTTPS_PROXY=p:1                                       | https://-r-.io./       | http://p:1
            HTTPS_PROXY=p:1 NO_PROXY=my_reg                       | https://my_reg:5000/   | direct
            HTTPS_PROXY=p:1 NO_PROXY=my_reg:5000                  | https://my_reg/        | http://p:1
            HTTPS_PROXY=p:1 NO_PROXY=.corp_net                    | https://a_b.corp_net./ | direct
            HTTPS_PROXY=p:1 NO_PROXY=*                            | https://my_reg/        | direct
            HTTP_PROXY=p:1                                        | http://my_reg/         | http://p:1
            REQUEST_METHOD=GET HTTP_PROXY=p:1                     | http://r.io/     | direct
            REQUEST_METHOD=GET http_proxy=p:1 HTTP_PROXY=q:2      | http://r.io/     | http://p:1
            REQUEST_METHOD=GET HTTP_PROXY=p:1 ALL_PROXY=q:2       | http://r.io/     | http://q:2
            REQUEST_METHOD=GET HTTPS_PROXY=p:1                    | https://r.io/    | http://p:1
            -                                                     | https://r.io/    | direct
            NO_PROXY=*                                            | https://r.io/    | direct
            """)
    void choosesTheProxyOfTheVariables(String variables, String url, String proxy) {
        Map<String, String> environment = new HashMap<>();
        for (String variable : variables == null ? new String[0] : variables.split(" ", -1)) {
            environment.put(variable.replaceFirst("=.*", ""), variable.replaceFirst("[^=]*=", ""));
        }

        assertThat(chosen(environment, url)).isEqualTo(proxy);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # NO_PROXY                 | URL                    | direct
            r.io                       | https://r.io/          | true
            r.io                       | https://a.r.io/        | true
            r.io                       | https://A.R.IO./       | true
            R.IO.                      | https://r.io/          | true
            r.io                       | https://far.io/        | false
            .r.io                      | https://a.r.io/        | true
            .r.io                      | https://a.b.r.io/      | true
            .r.io                      | https://r.io/          | false
            *.r.io                     | https://a.r.io/        | true
            *.r.io                     | https://r.io/          | false
            *                          | https://r.io/          | true
            a.io,*                     | https://r.io/          | true
            r.io:5000                  | https://r.io:5000/     | true
            r.io:5000                  | https://r.io/          | false
            r.io:443                   | https://r.io/          | true
            r.io:nonsense              | https://r.io/          | false
            a.io, r.io                 | https://r.io/          | true
            a.io r.io                  | https://r.io/          | true
            ,,r.io,                    | https://r.io/          | true
            10.0.0.1                   | https://10.0.0.1/      | true
            10.0.0.1:5000              | https://10.0.0.1:5000/ | true
            10.0.0.1:5000              | https://10.0.0.1/      | false
            10.0.0.1                   | https://10.0.0.11/     | false
            0.0.1                      | https://10.0.0.1/      | false
            10.0.0.0/8                 | https://10.255.0.1/    | true
            10.0.0.0/8                 | https://11.0.0.1/      | false
            10.1.2.3/8                 | https://10.9.9.9/      | true
            10.0.0.0/8                 | https://r.io/          | false
            0.0.0.0/0                  | https://8.8.8.8/       | true
            0.0.0.0/0                  | https://[fd00::1]/     | false
            192.168.1.128/25           | https://192.168.1.127/ | false
            192.168.1.128/25           | https://192.168.1.129/ | true
            10.0.0.0/33                | https://10.0.0.0/      | false
            10.0.0.0/x                 | https://10.0.0.0/      | false
            fd00::/8                   | https://[fd12::1]/     | true
            fd00::/8                   | https://[fe80::1]/     | false
            fd00::1                    | https://[fd00::1]/     | true
            [fd00::1]                  | https://[fd00:0::1]/   | true
            [fd00::1]:5000             | https://[fd00::1]:5000/| true
            [fd00::1]:5000             | https://[fd00::1]/     | false
            .                          | https://r.io/          | false
            :                          | https://r.io/          | false
            ]:/:[,/                    | https://r.io/          | false
            """)
    void reachesDirectlyWhatIsListed(String exceptions, String url, boolean direct) {
        assertThat(chosen(Map.of("HTTPS_PROXY", "p:1", "NO_PROXY", exceptions), url))
                .isEqualTo(direct ? "direct" : "http://p:1");
        assertThat(chosen(Map.of("all_proxy", "p:1", "no_proxy", exceptions), url))
                .isEqualTo(direct ? "direct" : "http://p:1");
    }

    @Test
    void theLowerCaseListOfExceptionsCounts() {
        Map<String, String> environment = Map.of("HTTPS_PROXY", "p:1", "NO_PROXY", "r.io", "no_proxy", "other.io");

        assertThat(chosen(environment, "https://r.io/")).isEqualTo("http://p:1");
        assertThat(chosen(environment, "https://other.io/")).isEqualTo("direct");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://u:hunter2@p:443",
                "socks5://u:hunter2@p:1080",
                "socks4://p:hunter2",
                "ftp://u:hunter2@p",
                "http://u:hunter2@p:0",
                "http://u:hunter2@p:65536",
                "http://u:hunter2@p:port",
                "http://u:hunter2@",
                "http://",
                "://p",
                "http://u:hunter2#x@p:1",
                "http://u:hunter2/x@p:1",
                "http://u:hunter2%@p:1",
                "http://u:hunter2%zz@p:1",
                "http://u:hunter2%0a@p:1",
                "http://u:hunter2%ff@p:1",
                "http://p q:hunter2",
                "http://[hunter2]:1",
                "http://p:1\nhunter2"
            })
    void saysWhichVariableIsUnusableWithoutItsSecret(String value) {
        for (String variable : new String[] {"https_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> EnvironmentProxySelector.of(Map.of(variable, value)))
                    .withMessageContaining("environment variable " + variable + " cannot be used: ")
                    .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("hunter2"))
                    .withNoCause();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "u:w, u, w",
        "u, u, ''",
        "u:, u, ''",
        ":w, '', w",
        "u:a:b, u, a:b",
        "u%40corp:p%3a%2F%23%25, u@corp, p:/#%",
        "u:a+b, u, a+b",
        "u@corp:w, u@corp, w",
        "u:%C3%A4, u, ä"
    })
    void readsUserAndPassword(String login, String user, String password) throws Exception {
        EnvironmentProxySelector proxies =
                EnvironmentProxySelector.of(Map.of("HTTPS_PROXY", "http://" + login + "@p.example:3128"));

        PasswordAuthentication answer = ask(proxies, "p.example", 3128, Authenticator.RequestorType.PROXY);

        assertThat(answer.getUserName()).isEqualTo(user);
        assertThat(answer.getPassword()).containsExactly(password.toCharArray());
        assertThat(ask(proxies, "p.example", 3128, Authenticator.RequestorType.SERVER))
                .isNull();
        assertThat(ask(proxies, "p.example", 3129, Authenticator.RequestorType.PROXY))
                .isNull();
        assertThat(ask(proxies, "q.example", 3128, Authenticator.RequestorType.PROXY))
                .isNull();
        assertThat(proxies).hasToString("https: http://p.example:3128 (with a login), http: direct");
    }

    private static PasswordAuthentication ask(
            EnvironmentProxySelector proxies, String host, int port, Authenticator.RequestorType type)
            throws Exception {
        return proxies.authenticator()
                .requestPasswordAuthenticationInstance(
                        host,
                        null,
                        port,
                        "http",
                        "realm",
                        "Basic",
                        URI.create("https://r.io/").toURL(),
                        type);
    }

    @Test
    void knowsWhetherAnyProxyIsNamed() {
        assertThat(EnvironmentProxySelector.of(Map.of()).namesAny()).isFalse();
        assertThat(EnvironmentProxySelector.of(Map.of("NO_PROXY", "*")).namesAny())
                .isFalse();
        assertThat(EnvironmentProxySelector.of(Map.of("HTTP_PROXY", " ")).namesAny())
                .isFalse();
        assertThat(EnvironmentProxySelector.of(Map.of("HTTP_PROXY", "p")).namesAny())
                .isTrue();
        assertThat(EnvironmentProxySelector.of(Map.of("all_proxy", "p")).namesAny())
                .isTrue();
    }
}
