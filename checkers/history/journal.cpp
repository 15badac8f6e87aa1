#include "checkers/history/journal.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "checkers/history/json_input.h"

namespace consistory {
namespace {

Json value_json(const ClientEvent& event) {
  if (event.function == Function::cas)
    return Json::array({json_from_value(event.expected), json_from_value(event.value)});
  if (!event.elements) return json_from_value(event.value);
  Json elements = Json::array();
  for (const Value& element : *event.elements) elements.push_back(json_from_value(element));
  return elements;
}

std::string dump_line(const Json& line) {
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<Journal> Journal::create(const std::string& path, const HistoryHeader& header) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) {
    return environment_error(fmt::format("cannot create {}: {}", path, std::strerror(errno)));
  }
  Journal journal(file, path);
  journal.buffer_ = dump_line(Json{{"schema", "consistory.history/1"},
                                   {"nodes", header.nodes},
                                   {"promised", header.promised},
                                   {"store", header.store},
                                   {"seed", header.seed}});
  if (Status written = journal.flush(); !written) return written.error();
  return journal;
}

void Journal::record(const ClientEvent& event) {
  Json line{
      {"index", next_index_++}, {"time", event.time}, {"process", json_from_name(event.session)}};
  line["type"] = event.outcome ? name_of(*event.outcome) : "invoke";
  line["f"] = name_of(event.function);
  line["key"] = event.key;
  line["value"] = value_json(event);
  line["node"] = event.node;
  if (event.version) line["ver"] = *event.version;
  if (event.outcome && event.function == Function::cas) line["swapped"] = event.swapped;
  if (event.seen) line["seen"] = json_from_value(*event.seen);
  if (event.final) line["final"] = true;
  if (event.local) line["local"] = true;
  if (!event.error.empty()) line["error"] = event.error;
  buffer_ += dump_line(line);
}

void Journal::record(const Mark& mark) {
  Json line{{"index", next_index_++},
            {"time", mark.time},
            {"process", mark.actor},
            {"type", "info"},
            {"f", mark.what}};
  if (!mark.state.empty()) line["state"] = mark.state;
  line["value"] = Json::parse(mark.detail.empty() ? "null" : mark.detail, nullptr, false);
  buffer_ += dump_line(line);
}

Status Journal::flush() {
  const bool written =
      std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) == buffer_.size();
  if (!written || std::fflush(file_.get()) != 0) {
    return environment_error(fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
  }
  buffer_.clear();
  return Done{};
}

}  // namespace consistory
