# The image of the agent: a runtime made with jlink, the C library, the jar, a cache of its classes; no shell, no packages.
# The build without a container engine (./mvnw -Pimage) takes the same script, and is the one that is tested.
#
# What it is built with is named by its digest, which a tag is not. There is no default, which would grow old; without a digest
# nothing is pulled:
#
#   docker build --build-arg JDK=eclipse-temurin:25-jdk --build-arg DIGEST=$(./urunner digest eclipse-temurin:25-jdk) .
ARG JDK
ARG DIGEST
FROM ${JDK}@${DIGEST} AS build
WORKDIR /build
COPY . .
RUN ./mvnw -B -Dquick -DskipTests -pl urunner-agent -am package \
 && sh urunner-agent/image/stage urunner-agent/target/urunner-agent.jar /image

FROM scratch
ARG VERSION=1.0.0-SNAPSHOT
# Where its sources are, for who publishes it.
ARG SITE
LABEL org.opencontainers.image.title="urunner" \
      org.opencontainers.image.description="Rolls out Kubernetes workloads when the digest behind their image tag moves." \
      org.opencontainers.image.url="$SITE" \
      org.opencontainers.image.source="$SITE" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /image /
ENV PATH=/usr/bin MALLOC_ARENA_MAX=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/bin/urunner"]
CMD ["run"]
