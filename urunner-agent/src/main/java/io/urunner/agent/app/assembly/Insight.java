package io.urunner.agent.app.assembly;

import io.urunner.agent.Agent;
import io.urunner.agent.AgentStatus;
import io.urunner.agent.app.cli.Answer;
import io.urunner.agent.app.cli.Answers;
import io.urunner.agent.app.cli.ExitCode;
import io.urunner.agent.app.cli.View;
import io.urunner.agent.app.cli.Wiring;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.doctor.Doctor;
import io.urunner.agent.app.doctor.Finding;
import io.urunner.agent.app.doctor.Vantage;
import io.urunner.agent.app.explain.Explainer;
import io.urunner.agent.app.explain.Explanation;
import io.urunner.agent.app.http.Endpoint;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.KubeName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/** Answers the questions of the commands {@code explain} and {@code doctor} to an agent. Thread-safe. */
final class Insight {
    private final String version;
    private final String instance;
    private final Agent agent;
    private final Explainer explainer;
    private final Doctor doctor;
    private final Vantage vantage;
    /** One at a time, because every examination asks all registries. */
    private final Semaphore examining = new Semaphore(1);

    Insight(String version, String instance, Agent agent, Explainer explainer, Doctor doctor, Vantage vantage) {
        this.version = version;
        this.instance = instance;
        this.agent = agent;
        this.explainer = explainer;
        this.doctor = doctor;
        this.vantage = vantage;
    }

    /** Explains what a look saw; {@code late} says what it did not see in time. */
    Answer explain(Optional<String> late, View view) throws InterruptedException {
        Optional<AgentStatus> status = agent.status();
        return status.isPresent()
                ? Answers.explanation(
                        explainer.explain(looked(late), status.get(), view.workload(), view.namespace()), view)
                : silent();
    }

    Answer doctor(Optional<String> late, List<Finding> configuration, View view) throws InterruptedException {
        Optional<AgentStatus> status = agent.status();
        if (status.isEmpty()) {
            return silent();
        }
        List<Finding> findings = new ArrayList<>(configuration);
        findings.addAll(doctor.examine(status.get(), false));
        return Answers.findings(looked(late), findings, view);
    }

    private String looked(Optional<String> late) {
        return vantage.source() + late.map(what -> "; " + what).orElse("");
    }

    private static Answer silent() {
        return new Answer("the agent does not answer within a few seconds\n", ExitCode.HINDERED);
    }

    /** The endpoints of a running agent, which must be protected; {@code reader} reads its configuration again. */
    Map<String, Endpoint> endpoints(Wiring.ConfigurationReader reader) {
        return Map.of(
                "/status", Endpoint.reading(request -> answered(request, this::explain)),
                "/doctor", Endpoint.reading(request -> answered(request, view -> examine(reader, view))));
    }

    private Endpoint.Response explain(View view) throws InterruptedException {
        Optional<AgentStatus> status = agent.status();
        if (status.isEmpty()) {
            return Endpoint.Response.text(503, silent().text());
        }
        Explanation explanation =
                explainer.explain(source(status.get()), status.get(), view.workload(), view.namespace());
        return response(explanation.found() ? 200 : 404, Answers.explanation(explanation, view), view, status.get());
    }

    private Endpoint.Response examine(Wiring.ConfigurationReader reader, View view) throws InterruptedException {
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
            return response(200, Answers.findings(source(status.get()), findings, view), view, status.get());
        } finally {
            examining.release();
        }
    }

    private String source(AgentStatus status) {
        return "the running agent " + instance + " (urunner " + version + ")"
                + (status.synced() ? "" : ", not synced with the cluster yet")
                + status.lastPass()
                        .map(last -> ", last pass " + Phrases.when(status.at(), last))
                        .orElse(", no pass complete yet");
    }

    static Endpoint.Response response(int code, Answer answer, View view, AgentStatus status) {
        Map<String, String> headers = new HashMap<>(Map.of(Answer.EXIT_CODE, Integer.toString(answer.code())));
        status.election()
                .filter(election -> !status.acts())
                .flatMap(AgentStatus.Election::leader)
                .map(leader -> leader.replaceFirst("_[^_]*$", ""))
                .filter(KubeName::isOfObject)
                .ifPresent(pod -> headers.put(Answer.LEADER, pod));
        return new Endpoint.Response(code, view.form().mediaType(), answer.text(), headers);
    }

    private interface Work {
        Endpoint.Response run(View view) throws InterruptedException;
    }

    private static Endpoint.Response answered(Endpoint.Request request, Work work) {
        try {
            return work.run(View.of(request.query()));
        } catch (IllegalArgumentException e) {
            return Endpoint.Response.text(400, e.getMessage() + "\n");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Endpoint.Response.text(503, "the agent is shutting down\n");
        }
    }
}
