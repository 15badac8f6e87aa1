#include "results/json_files.h"

#include <nlohmann/json.hpp>

namespace consistory {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json step_json(const Witness& witness, const ProofStep& step) {
  Json json{{"from", witness.original[step.from]},
            {"to", witness.original[step.to]},
            {"why", why_name(step.why)}};
  if (step.because) json["because"] = witness.original[*step.because];
  return json;
}

Json witness_json(const JudgedModel& judged) {
  const Witness& witness = *judged.witness;
  Json operations = Json::array();
  for (OperationId id = 0; id < witness.history.size(); ++id) {
    const Operation& operation = witness.history.operations[id];
    operations.push_back(
        {{"letter", letter(id)},
         {"operation", witness.original[id]},
         {"text", operation_text(witness.history, operation)},
         {"invoke_ns", operation.invoke_ns},
         {"complete_ns", operation.complete_ns < 0 ? Json() : Json(operation.complete_ns)}});
  }
  Json cycle = Json::array();
  for (const ProofStep& step : witness.proof.cycle) cycle.push_back(step_json(witness, step));
  Json support = Json::array();
  for (const ProofStep& step : witness.proof.support) support.push_back(step_json(witness, step));
  return {{"headline", headline(witness, *judged.model)},
          {"minimal", witness.minimal},
          {"rechecked", witness.recheck == OracleAnswer::violated},
          {"operations", operations},
          {"cycle", cycle},
          {"support", support},
          {"reasons", reasons(witness)}};
}

Json models_json(const RunRecord& run) {
  Json models = Json::array();
  for (const JudgedModel& judged : run.judgement.models) {
    Json row{{"model", judged.model->name},
             {"state", name_of(judged.verdict.verdict)},
             {"required", run.required.contains(std::string(judged.model->name))},
             {"why", judged.verdict.why},
             {"steps", judged.verdict.steps}};
    row["vacuous"] = judged.verdict.verdict == Verdict::holds && !run.pressure.missing.empty();
    if (judged.split) row["state_with_sessions_split_by_node"] = name_of(*judged.split);
    if (judged.witness) row["witness"] = witness_json(judged);
    models.push_back(std::move(row));
  }
  return models;
}

Json sets_json(const Judgement& judgement) {
  Json sets = Json::array();
  for (const GuaranteeSet set : judgement.violated_sets) sets.push_back(name_of(set));
  return sets;
}

Json fault_json(const FaultRecord& fault) {
  const auto time = [](Nanos nanos) { return nanos < 0 ? Json() : Json(nanos); };
  return {{"number", fault.number},
          {"fault", fault.name},
          {"what", fault.what},
          {"targets", fault.targets},
          {"evidence", fault.evidence},
          {"recovery", fault.recovery},
          {"requested_ns", time(fault.requested_ns)},
          {"confirmed_ns", time(fault.confirmed_ns)},
          {"healed_ns", time(fault.healed_ns)}};
}

Json counts_json(const Counts& counts) {
  return {{"ok", counts.ok}, {"fail", counts.fail}, {"info", counts.info}};
}

Json availability_json(const Availability& availability) {
  Json nodes = Json::array();
  for (const NodeAvailability& node : availability.nodes) {
    nodes.push_back({{"node", node.node},
                     {"ops", counts_json(node.counts)},
                     {"longest_gap_ns", node.longest_gap_ns}});
  }
  return {{"nodes", nodes},
          {"ok_share_outside_faults", availability.ok_share_outside_faults},
          {"operations_outside_faults", availability.operations_outside_faults},
          {"recovery_ns", availability.recovery_ns},
          {"acknowledged_updates_missing", availability.acknowledged_updates_missing}};
}

Json lag_json(const Lag& lag) { return {{"versions", lag.versions}, {"time_ns", lag.time}}; }

Json staleness_json(const Staleness& staleness) {
  return {{"reads", staleness.reads},
          {"fresh", staleness.fresh},
          {"median", lag_json(staleness.median)},
          {"p99", lag_json(staleness.p99)},
          {"most", lag_json(staleness.most)},
          {"visible_99_ns", staleness.visible_99},
          {"visible_999_ns", staleness.visible_999}};
}

Json agreement_json(const Agreement& agreement) {
  return {{"pairs", agreement.pairs},
          {"agreeing", agreement.agreeing},
          {"keys_converged", agreement.keys_converged},
          {"keys_diverged", agreement.keys_diverged},
          {"converged_after_at_least_ns", agreement.converged_after_at_least},
          {"converged_after_at_most_ns", agreement.converged_after_at_most}};
}

Json anomalies_json(const RunRecord& run) {
  Json groups = Json::array();
  for (const AnomalyGroup& group : run.anomalies)
    groups.push_back({{"anomaly", name_of(group.anomaly)},
                      {"meaning", meaning_of(group.anomaly)},
                      {"count", group.count},
                      {"keys", group.keys},
                      {"sessions", group.sessions},
                      {"first_ns", group.first_ns},
                      {"example", group.example}});
  return groups;
}

Json confidence_json(const RunRecord& run) {
  std::size_t observed = 0;
  for (const FaultRecord& fault : run.faults) observed += fault.evidence.empty() ? 0 : 1;
  return {{"vacuous", !run.pressure.missing.empty()},
          {"missing", run.pressure.missing},
          {"ops", counts_json(run.pressure.counts)},
          {"contended_keys", run.pressure.counts.contended_keys},
          {"settled", run.history().settled},
          {"faults", {{"requested", run.faults.size()}, {"observed", observed}}}};
}

}  // namespace

std::string run_json(const RunRecord& run) {
  return dump({{"schema", "consistory.run/1"},
               {"id", run.id},
               {"status", run.status},
               {"failure", run.failure},
               {"store", run.store},
               {"arguments", run.arguments},
               {"seed", run.seed},
               {"started", run.started},
               {"duration_ns", run.duration_ns},
               {"nodes", run.nodes},
               {"promised", run.promised},
               {"required_by_user", run.required_by_user},
               {"expected_violations", run.expected_violations},
               {"models_judged", run.models_judged},
               {"check_steps", run.check_steps},
               {"workloads_left_out", run.left_out},
               {"rerun", run.command}},
              2);
}

std::string verdict_json(const RunRecord& run) {
  Json faults = Json::array();
  for (const FaultRecord& fault : run.faults) faults.push_back(fault_json(fault));
  return dump({{"schema", "consistory.verdict/1"},
               {"run", run.id},
               {"status", run.status},
               {"overall", name_of(run.overall.word)},
               {"exit", run.overall.exit_code},
               {"sentence", run.overall.sentence},
               {"frontier", run.overall.frontier},
               {"store", run.store},
               {"seed", run.seed},
               {"required", run.required},
               {"expected_violations", run.expected_violations},
               {"models", models_json(run)},
               {"violated_sets", sets_json(run.judgement)},
               {"confidence", confidence_json(run)},
               {"anomalies", anomalies_json(run)},
               {"staleness", staleness_json(run.staleness)},
               {"agreement", agreement_json(run.agreement)},
               {"availability", availability_json(run.availability)},
               {"faults", faults},
               {"notes", run.recording.notes},
               {"check_ns", run.check_ns},
               {"reproduce", run.command}},
              2);
}

std::string faults_jsonl(const RunRecord& run) {
  std::string lines;
  for (const FaultRecord& fault : run.faults) lines += dump(fault_json(fault), -1);
  return lines;
}

std::string batch_line(const std::string& id, const Judgement& judgement) {
  Json models = Json::object();
  for (const JudgedModel& judged : judgement.models) {
    models[std::string(judged.model->name)] = name_of(judged.verdict.verdict);
  }
  Json line{{"id", id}, {"models", std::move(models)}, {"violated_sets", sets_json(judgement)}};
  Json split = Json::object();
  for (const JudgedModel& judged : judgement.models) {
    if (judged.split) split[std::string(judged.model->name)] = name_of(*judged.split);
  }
  if (!split.empty()) line["sessions_split_by_node"] = std::move(split);
  return dump(line, -1);
}

}  // namespace consistory
