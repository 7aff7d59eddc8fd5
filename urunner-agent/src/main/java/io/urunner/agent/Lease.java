package io.urunner.agent;

/**
 * A Lease of the cluster: of all agents that name the same Lease, its holder acts.
 *
 * @param namespace its namespace
 * @param name its name
 * @param identity the name of this agent in it, different from that of any other process
 */
public record Lease(String namespace, String name, String identity) {}
