/** Credentials for Amazon ECR. */
@SuppressWarnings("requires-automatic") // The AWS SDK has no modules; its jars declare the module names.
module io.urunner.registry.ecr {
    requires com.fasterxml.jackson.databind;
    requires transitive io.urunner.registry;
    requires org.slf4j;
    requires software.amazon.awssdk.auth;
    requires software.amazon.awssdk.awscore;
    requires software.amazon.awssdk.core;
    requires software.amazon.awssdk.http;
    requires software.amazon.awssdk.http.auth.aws;
    requires software.amazon.awssdk.http.auth.spi;
    requires software.amazon.awssdk.http.urlconnection;
    requires software.amazon.awssdk.identity.spi;
    requires software.amazon.awssdk.regions;
    requires software.amazon.awssdk.services.ecr;
    requires software.amazon.awssdk.utils;
    requires static org.jspecify;

    // What the AWS SDK needs: as it is not a module, it cannot declare it.
    requires java.xml;

    exports io.urunner.registry.ecr;

    provides io.urunner.registry.auth.CredentialPlugin with
            io.urunner.registry.ecr.EcrPlugin;
}
