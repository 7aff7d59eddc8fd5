package io.urunner.kube.testing;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The part of a registry that a simulated node uses: which digest a tag has. */
public final class TagServer implements AutoCloseable {
    private final HttpServer server;
    private final Map<String, String> digests = new ConcurrentHashMap<>();

    public TagServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.createContext("/v2/", exchange -> {
            String[] path = exchange.getRequestURI()
                    .getPath()
                    .substring("/v2/".length())
                    .split("/manifests/", 2);
            String asked = path[path.length - 1];
            String digest = asked.startsWith("sha256:") ? asked : digests.get(path[0] + ":" + asked);
            if (digest != null) {
                exchange.getResponseHeaders().set("Docker-Content-Digest", digest);
            }
            exchange.sendResponseHeaders(digest == null ? 404 : 200, -1);
            exchange.close();
        });
        server.start();
    }

    /** Moves a tag, and returns the image's name. */
    public String push(String repository, String tag, String digest) {
        digests.put(repository + ":" + tag, digest);
        return image(repository, tag);
    }

    /** Deletes a tag: it is not found from now on. */
    public void delete(String repository, String tag) {
        digests.remove(repository + ":" + tag);
    }

    public String image(String repository, String tag) {
        return "127.0.0.1:" + server.getAddress().getPort() + "/" + repository + ":" + tag;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
