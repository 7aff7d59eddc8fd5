package io.urunner.agent.run;

/** A registry with the queue through which everything goes that it is asked. */
record Watched(WatchedRegistry registry, HostQueue queue) {}
