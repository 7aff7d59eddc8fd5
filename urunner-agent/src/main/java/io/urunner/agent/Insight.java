package io.urunner.agent;

import io.urunner.agent.cli.Answer;
import io.urunner.agent.cli.Answers;
import io.urunner.agent.cli.ExitCode;
import io.urunner.agent.cli.Wiring;
import io.urunner.agent.config.ConfigurationException;
import io.urunner.agent.doctor.Doctor;
import io.urunner.agent.doctor.Finding;
import io.urunner.agent.explain.Explainer;
import io.urunner.agent.explain.Explanation;
import io.urunner.agent.http.Endpoint;
import io.urunner.agent.run.Agent;
import io.urunner.agent.run.AgentStatus;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/** Answers what the commands {@code explain} and {@code doctor} ask of an agent. Thread-safe. */
final class Insight {
    private final String version;
    private final String instance;
    private final Agent agent;
    private final Explainer explainer;
    private final Doctor doctor;
    /** Every examination asks all registries. */
    private final Semaphore examining = new Semaphore(1);

    Insight(String version, String instance, Agent agent, Explainer explainer, Doctor doctor) {
        this.version = version;
        this.instance = instance;
        this.agent = agent;
        this.explainer = explainer;
        this.doctor = doctor;
    }

    /** What a look saw; {@code late} says what it did not see in time. */
    Answer explain(Optional<String> late, Optional<WorkloadId> workload, boolean json) throws InterruptedException {
        Optional<AgentStatus> status = agent.status();
        return status.isPresent()
                ? Answers.explanation(explainer.explain(looked(late), status.get(), workload), json)
                : silent();
    }

    Answer doctor(Optional<String> late, List<Finding> configuration, boolean json) throws InterruptedException {
        Optional<AgentStatus> status = agent.status();
        if (status.isEmpty()) {
            return silent();
        }
        List<Finding> findings = new ArrayList<>(configuration);
        findings.addAll(doctor.examine(status.get(), false));
        return Answers.findings(looked(late), findings, json);
    }

    private static String looked(Optional<String> late) {
        return "no running agent was found here: this is one look at the cluster, the registries and the history, that"
                + " changes nothing"
                + late.map(what -> "; " + what).orElse("");
    }

    private static Answer silent() {
        return new Answer("the agent does not answer within a few seconds\n", ExitCode.HINDERED);
    }

    /** The endpoints of a running agent, which must be guarded; {@code reader} reads its configuration again. */
    Map<String, Endpoint> endpoints(Wiring.ConfigurationReader reader) {
        return Map.of(
                "/status",
                Endpoint.reading(request -> answered(() -> explain(request))),
                "/doctor",
                Endpoint.reading(request -> answered(() -> examine(reader, isJson(request)))));
    }

    private static boolean isJson(Endpoint.Request request) {
        return !request.query().getOrDefault("output", "json").equals("text");
    }

    private Endpoint.Response explain(Endpoint.Request request) throws InterruptedException {
        Optional<WorkloadId> workload;
        try {
            workload = Optional.ofNullable(request.query().get("workload")).map(WorkloadId::parse);
        } catch (IllegalArgumentException e) {
            return Endpoint.Response.text(400, e.getMessage() + "\n");
        }
        Optional<AgentStatus> status = agent.status();
        if (status.isEmpty()) {
            return Endpoint.Response.text(503, silent().text());
        }
        Explanation explanation = explainer.explain(source(status.get()), status.get(), workload);
        return response(
                explanation.found() ? 200 : 404, Answers.explanation(explanation, isJson(request)), isJson(request));
    }

    private Endpoint.Response examine(Wiring.ConfigurationReader reader, boolean json) throws InterruptedException {
        Optional<AgentStatus> status = agent.status();
        if (status.isEmpty() || !examining.tryAcquire()) {
            return Endpoint.Response.text(503, "the agent is busy, ask again\n");
        }
        try {
            List<Finding> findings = new ArrayList<>();
            try {
                findings.addAll(Finding.of(reader.read()));
            } catch (ConfigurationException e) {
                findings.addAll(Finding.of(e));
            }
            findings.addAll(doctor.examine(status.get(), true));
            return response(200, Answers.findings(source(status.get()), findings, json), json);
        } finally {
            examining.release();
        }
    }

    private String source(AgentStatus status) {
        return "the running agent " + instance + " (urunner " + version + ")"
                + (status.synced() ? "" : ", which has not seen the cluster yet")
                + status.lastPass()
                        .map(last -> ", last pass "
                                + Duration.between(last, status.at()).toSeconds() + " s ago")
                        .orElse(", no pass over yet");
    }

    private static Endpoint.Response response(int status, Answer answer, boolean json) {
        return new Endpoint.Response(
                status,
                json ? "application/json" : "text/plain; charset=utf-8",
                answer.text(),
                Map.of(Answer.EXIT_CODE, Integer.toString(answer.code())));
    }

    private interface Work {
        Endpoint.Response run() throws InterruptedException;
    }

    private static Endpoint.Response answered(Work work) {
        try {
            return work.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Endpoint.Response.text(503, "the agent ends\n");
        }
    }
}
