package io.urunner.agent.config;

/** The policies that hold where a workload's annotations say nothing else. */
public record Policies() {}
