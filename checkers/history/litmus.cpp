#include "checkers/history/litmus.h"

#include <fmt/format.h>

#include "base/suggest.h"
#include "checkers/history/json_input.h"

namespace consistory {
namespace {

Error at(const std::string& place, std::string_view what) {
  return usage_error(fmt::format("{}: {}", place, what));
}

/// An integer stamp; null (a completion that never came) leaves `stamp` alone.
std::optional<Error> read_stamp(const Json& object, const char* name, bool required,
                                std::int64_t& stamp, const std::string& place) {
  const auto found = object.find(name);
  if (found != object.end() && found->is_number_integer()) {
    stamp = found->get<std::int64_t>();
    return std::nullopt;
  }
  const bool absent = found == object.end() || found->is_null();
  if (absent && !required) return std::nullopt;
  return at(place, fmt::format("\"{}\" must be an integer stamp", name));
}

Result<RawOperation> parse_operation(const Json& object, const std::string& place) {
  RawOperation raw;
  if (!object.is_object()) return at(place, "each of \"ops\" must be an object");
  for (const char* field : {"process", "f", "key", "type"}) {
    if (!object.contains(field)) return at(place, fmt::format("an operation needs \"{}\"", field));
  }
  const auto session = name_from_json(object["process"]);
  const auto key = name_from_json(object["key"]);
  if (!session || !key) return at(place, "\"process\" and \"key\" must be strings or integers");
  raw.session = *session;
  raw.key = *key;
  const auto function = function_named(name_from_json(object["f"]).value_or(""));
  const auto outcome = outcome_named(name_from_json(object["type"]).value_or(""));
  if (!function) return at(place, "\"f\" must be read, write, cas, delete or append");
  if (!outcome) return at(place, "\"type\" must be ok, fail or info");
  raw.function = *function;
  raw.outcome = *outcome;
  if (auto error = read_stamp(object, "invoke", true, raw.invoke, place)) return *error;
  const bool completes = raw.outcome == Outcome::ok;
  if (auto error = read_stamp(object, "complete", completes, raw.complete, place)) return *error;
  raw.invoke_ns = raw.invoke;
  raw.complete_ns = raw.complete == kNever ? -1 : raw.complete;
  if (auto error = read_payload(object, raw, place)) return *error;
  return raw;
}

void read_words(const Json& object, std::map<std::string, std::string>& words) {
  for (const auto& [name, verdict] : object.items()) {
    if (verdict.is_string()) words[name] = verdict.get<std::string>();
  }
}

void read_expectations(const Json& line, LitmusCase& out) {
  const auto expect = line.find("expect");
  if (expect == line.end() || !expect->is_object()) return;
  read_words(*expect, out.expect);
  if (const auto split = expect->find("sticky"); split != expect->end()) {
    read_words(*split, out.expect_split);
  }
  const auto sets = expect->find("sg_min_violated");
  if (sets == expect->end() || !sets->is_array()) return;
  for (const Json& set : *sets) {
    if (set.is_string()) out.expect_violated_sets.push_back(set.get<std::string>());
  }
}

}  // namespace

Result<LitmusCase> parse_litmus_line(std::string_view line, const std::string& place) {
  Result<Json> parsed = parse_json_line(line, place);
  if (!parsed) return parsed.error();
  const Json& object = *parsed;
  LitmusCase out;
  if (const auto id = object.find("id"); id != object.end())
    out.id = name_from_json(*id).value_or("");
  if (const auto text = object.find("description"); text != object.end() && text->is_string()) {
    out.description = text->get<std::string>();
  }
  HistoryBuilder builder(place);
  if (const auto nodes = object.find("nodes"); nodes != object.end() && nodes->is_array()) {
    std::vector<std::string> names;
    for (const Json& node : *nodes) names.push_back(name_from_json(node).value_or("?"));
    builder.set_replicas(names);
  }
  if (const auto settled = object.find("settled");
      settled != object.end() && settled->is_boolean()) {
    builder.set_settled(settled->get<bool>());
  }
  const auto operations = object.find("ops");
  if (operations == object.end() || !operations->is_array()) {
    return at(place, "a litmus case needs an array \"ops\"");
  }
  for (const Json& operation : *operations) {
    Result<RawOperation> raw = parse_operation(operation, place);
    if (!raw) return raw.error();
    builder.add(*raw);
  }
  Result<History> history = std::move(builder).finish();
  if (!history) return history.error();
  out.history = std::move(*history);
  read_expectations(object, out);
  return out;
}

}  // namespace consistory
