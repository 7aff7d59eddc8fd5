package io.urunner.registry.ecr;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EcrHostTest {
    @ParameterizedTest
    @CsvSource({
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com, eu-west-1, false, false",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com:8443, eu-west-1, false, false",
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com, us-east-1, true, false",
        "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com, us-gov-west-1, false, false",
        "123456789012.dkr.ecr-fips.us-gov-east-1.amazonaws.com, us-gov-east-1, true, false",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn, cn-north-1, false, false",
        "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu, eusc-de-east-1, false, false",
        "123456789012.dkr-ecr.eu-west-1.on.aws, eu-west-1, false, true",
        "123456789012.dkr-ecr-fips.us-west-2.on.aws, us-west-2, true, true",
        "123456789012.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn, cn-northwest-1, false, true",
        "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov, us-iso-east-1, false, false",
        "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov, us-isob-east-1, false, false",
        "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk, eu-isoe-west-1, false, false",
        "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov, us-isof-south-1, false, false"
    })
    void readsAccountRegionAndEndpoint(String host, String region, boolean fips, boolean dualStack) {
        assertThat(EcrHost.parse(host)).contains(new EcrHost("123456789012", region, fips, dualStack));
        assertThat(new EcrPlugin().recognises(host)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
                "evil-123456789012.dkr.ecr.eu-west-1.amazonaws.com",
                "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
                "123456789012.dkr.ecr.eu-west-1.example.com",
                "123456789012.dkr.ecr.amazonaws.com",
                "dkr.ecr.eu-west-1.amazonaws.com",
                "123456789012.dkrxecr.eu-west-1.amazonaws.com",
                "api.ecr.eu-west-1.amazonaws.com",
                "docker.io",
                ""
            })
    void rejectsOtherHosts(String host) {
        assertThat(EcrHost.parse(host)).isEmpty();
        assertThat(new EcrPlugin().recognises(host)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"public.ecr.aws", "ecr-public.aws.com"})
    void recognisesThePublicRegistry(String host) {
        assertThat(EcrHost.isPublic(host)).isTrue();
        assertThat(new EcrPlugin().recognises(host)).isTrue();
    }
}
