import com.artipie.asto.memory.InMemoryStorage;
import com.artipie.docker.asto.AstoDocker;
import com.artipie.docker.http.DockerSlice;
import com.artipie.vertx.VertxSliceServer;

/** Artipie's registry in memory, without accounts. Java runs this file as it is. It prints its port. */
final class ArtipieRegistry {
    public static void main(String[] arguments) {
        var registry = new DockerSlice(new AstoDocker(new InMemoryStorage()));
        System.out.println("port " + new VertxSliceServer(registry, 0).start());
    }
}
