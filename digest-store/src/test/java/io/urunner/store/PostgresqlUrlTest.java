package io.urunner.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresqlUrlTest {
    @Test
    void theLocationIsTheUrlWithoutItsParameters() {
        Database database = new PostgresqlDatabase(
                "jdbc:postgresql://db.example:5432/history?user=me&password=hunter2&sslmode=require",
                Optional.empty(),
                Optional.empty());
        assertThat(database.location()).isEqualTo("PostgreSQL database //db.example:5432/history");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "jdbc:mysql://db.example/history?password=hunter2",
                "postgresql://me:hunter2@db.example/history",
                "jdbc:postgresql://me:hunter2@db.example/history",
                "jdbc:postgresql://db.example/history?password=hunter2&currentSchema=a;drop",
                "jdbc:postgresql://db.example/history?password=hunter2%zz",
                "jdbc:postgresql://db.example/history?password=a&hunter2=%zz",
                "jdbc:postgresql://db.example/history;password=hunter2",
                "jdbc:postgresql://db.example/history&password=hunter2?x=y",
                "jdbc:postgresql://db.example/history password=hunter2",
                "jdbc:postgresql://db.example/history#hunter2",
            })
    void anInvalidUrlIsRejectedWithoutBeingRepeated(String url) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DigestStores.postgresql(url, "blue"))
                .satisfies(e ->
                        assertThat(e.getMessage()).doesNotContain("hunter2").contains("the URL of the database"));
    }
}
