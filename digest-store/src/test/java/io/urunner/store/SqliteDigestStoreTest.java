package io.urunner.store;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class SqliteDigestStoreTest extends DigestStoreContract {
    @TempDir
    Path folder;

    @Override
    DigestStore open(String cluster) {
        return DigestStores.sqlite(folder.resolve("urunner.db"), cluster);
    }
}
