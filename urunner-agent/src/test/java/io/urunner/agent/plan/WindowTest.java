package io.urunner.agent.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WindowTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // windows                                | time                  | empty: open; else opens at
                "08:00-18:00                              | 2030-01-07T08:00:00Z  |",
                "08:00-18:00                              | 2030-01-07T17:59:59Z  |",
                "08:00-18:00                              | 2030-01-07T18:00:00Z  | 2030-01-08T08:00:00Z",
                "8:00-18:00                               | 2030-01-07T07:59:59Z  | 2030-01-07T08:00:00Z",
                "00:00-24:00                              | 2030-01-07T23:59:59Z  |",
                "06:00-06:00                              | 2030-01-07T05:00:00Z  |",
                "Mon-Fri 20:00-06:00 Europe/Rome          | 2030-01-07T18:59:59Z  | 2030-01-07T19:00:00Z",
                "Mon-Fri 20:00-06:00 Europe/Rome          | 2030-01-07T19:00:00Z  |",
                "Mon-Fri 20:00-06:00 Europe/Rome          | 2030-01-12T04:59:59Z  |", // Saturday, opened on Friday
                "Mon-Fri 20:00-06:00 Europe/Rome          | 2030-01-12T05:00:00Z  | 2030-01-14T19:00:00Z",
                "Mon-Fri 20:00-06:00 Europe/Rome          | 2030-01-07T04:00:00Z  | 2030-01-07T19:00:00Z", // not on
                // Sunday
                "Mon-Fri 20:00-06:00 Europe/Rome          | 2030-07-08T18:00:00Z  |", // summer
                "Fri-Mon 10:00-11:00                      | 2030-01-06T10:30:00Z  |",
                "Fri-Mon 10:00-11:00                      | 2030-01-08T10:30:00Z  | 2030-01-11T10:00:00Z",
                "sat,SUNDAY 10:00 - 11:00 Z               | 2030-01-07T00:00:00Z  | 2030-01-12T10:00:00Z",
                "Mon 10:00-11:00 ; Tue 10:00-11:00        | 2030-01-07T12:00:00Z  | 2030-01-08T10:00:00Z",
                // the night of 2030-03-31 has no 02:30 in Rome: 02:30 is 03:30 there, 01:30 in UTC
                "02:30-05:00 Europe/Rome                  | 2030-03-31T01:29:59Z  | 2030-03-31T01:30:00Z",
                "02:30-05:00 Europe/Rome                  | 2030-03-31T02:59:59Z  |",
                "02:30-05:00 Europe/Rome                  | 2030-03-31T03:00:00Z  | 2030-04-01T00:30:00Z",
                // the night of 2030-10-27 has 02:30 twice: at 00:30 and at 01:30 in UTC
                "02:30-05:00 Europe/Rome                  | 2030-10-27T00:30:00Z  |",
                "20:00-02:30 Europe/Rome                  | 2030-10-27T01:29:59Z  |",
                "20:00-02:30 Europe/Rome                  | 2030-10-27T01:30:00Z  | 2030-10-27T19:00:00Z"
            })
    void isOpenOrSaysWhenItOpens(String windows, Instant now, Instant opens) {
        assertThat(Window.closedUntil(Window.parse(windows), now)).isEqualTo(Optional.ofNullable(opens));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ; ",
                "always",
                "20:00",
                "20:00-25:00",
                "20:60-22:00",
                "Mon-Fri-Sat 20:00-22:00",
                "Mo 20:00-22:00",
                "Mon, Tue 20:00-22:00",
                "20:00-22:00 Europe/Nowhere",
                "Mon- 20:00-22:00",
                "20:00-22:00 Europe/Rome now"
            })
    void anInvalidFormIsRefusedWithAnExample(String text) {
        assertThatThrownBy(() -> Window.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Mon-Fri 20:00-06:00 Europe/Rome");
    }
}
