/** The host runs among modules as well as on the class path. */
module org.example.host {
    requires com.fasterxml.jackson.databind;
    requires com.fasterxml.jackson.module.paramnames;
    requires io.urunner.agent;
    requires io.urunner.kube;
    requires io.urunner.registry;
    requires io.urunner.registry.gitlab;
    requires io.urunner.store;
    requires okhttp3;
    requires org.slf4j;

    opens org.example.host to
            com.fasterxml.jackson.databind;
}
