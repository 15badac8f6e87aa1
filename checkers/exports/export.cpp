#include "checkers/exports/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/escape.h"
#include "base/suggest.h"

namespace consistory {
namespace {

constexpr std::array<std::pair<ExportFormat, std::string_view>, 3> kFormats = {{
    {ExportFormat::edn, "edn"},
    {ExportFormat::jepsen_log, "jepsen-log"},
    {ExportFormat::plume, "plume"},
}};

/// What could not be said ends the export.
struct Unsayable {
  std::string why;
};

bool takes_part(const Operation& operation) {
  const bool lost_read = operation.function == Function::read && operation.is_info();
  return !operation.local && operation.outcome != Outcome::fail && !lost_read;
}

std::string edn_text(const Value& value) {
  if (value.kind == Value::Kind::nil) return "nil";
  if (value.kind == Value::Kind::integer) return std::to_string(value.integer);
  if (value.kind == Value::Kind::json) {
    const bool scalar = value.text.find_first_of("[{") == std::string::npos;
    if (!scalar) throw Unsayable{"a value that is an array or an object"};
    return value.text;  // true, false, and numbers, which EDN writes alike
  }
  std::string quoted = "\"";
  for (const char byte : value.text) {
    if (byte == '"' || byte == '\\') quoted += '\\';
    if (byte == '\n') quoted += "\\n";
    else quoted += byte;
  }
  return quoted + "\"";
}

/// The invocations and completions in their order. Whose operation never completed goes on as
/// another process, as Jepsen's clients do; the lost operation's own line ends the file.
class Events {
 public:
  struct Event {
    std::int64_t stamp = 0;
    OperationId operation = 0;
    bool completion = false;
    std::size_t process = 0;
  };

  explicit Events(const History& history) : processes_(history.sessions.size()) {
    for (std::size_t i = 0; i < processes_.size(); ++i) processes_[i] = i;
    for (OperationId id = 0; id < history.size(); ++id) {
      const Operation& operation = history.operations[id];
      if (!takes_part(operation)) continue;
      std::size_t& process = processes_[operation.session];
      events_.push_back({operation.invoke, id, false, process});
      events_.push_back({operation.complete, id, true, process});
      if (operation.is_info()) process = processes_.size() + lost_++;
    }
    // Ends before beginnings: what touches at one stamp is concurrent, and each has its own.
    std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
      return std::pair(a.stamp, a.completion) < std::pair(b.stamp, b.completion);
    });
  }

  const std::vector<Event>& all() const { return events_; }

 private:
  std::vector<std::size_t> processes_;
  std::vector<Event> events_;
  std::size_t lost_ = 0;
};

class EdnWriter {
 public:
  EdnWriter(const History& history, bool tuples) : history_(history), tuples_(tuples) {}

  std::string write() {
    const Events events(history_);
    for (std::size_t i = 0; i < events.all().size(); ++i) add(events.all()[i], i);
    return std::move(text_);
  }

 private:
  void add(const Events::Event& event, std::size_t index) {
    const Operation& operation = history_.operations[event.operation];
    const bool list = history_.is_list[operation.key];
    const Nanos time = event.completion && operation.complete_ns >= 0 ? operation.complete_ns
                                                                      : operation.invoke_ns;
    text_ += fmt::format(
        "{{:process {}, :type {}, :f {}, :value {}, :time {}, :index {}}}\n", event.process,
        type(operation, event.completion), list ? ":txn" : function(operation),
        list ? step(operation, event.completion) : value(operation, event.completion), time, index);
  }

  static std::string_view type(const Operation& operation, bool completion) {
    if (!completion) return ":invoke";
    if (operation.is_info()) return ":info";
    const bool mismatch = operation.function == Function::cas && !operation.swapped;
    return mismatch ? ":fail" : ":ok";
  }

  static std::string_view function(const Operation& operation) {
    switch (operation.function) {
      case Function::read:
        return ":read";
      case Function::cas:
        return ":cas";
      default:
        return ":write";
    }
  }

  std::string key(const Operation& operation) const {
    return edn_text(Value::of(history_.keys[operation.key]));
  }

  std::string value(const Operation& operation, bool completion) const {
    std::string own = edn_text(history_.values[operation.value]);
    if (operation.function == Function::remove) own = "nil";
    if (operation.function == Function::read && !completion) own = "nil";
    if (operation.function == Function::cas)
      own = fmt::format("[{} {}]", edn_text(history_.values[operation.expected]), own);
    return tuples_ ? fmt::format("[{} {}]", key(operation), own) : own;
  }

  std::string step(const Operation& operation, bool completion) const {
    if (operation.function == Function::append)
      return fmt::format("[[:append {} {}]]", key(operation),
                         edn_text(history_.values[operation.value]));
    if (!completion) return fmt::format("[[:r {} nil]]", key(operation));
    std::string list;
    for (const ValueId element : history_.elements_of(operation))
      list += (list.empty() ? "" : " ") + edn_text(history_.values[element]);
    return fmt::format("[[:r {} [{}]]]", key(operation), list);
  }

  const History& history_;
  bool tuples_;
  std::string text_;
};

/// Lines "INFO  jepsen.util - PROCESS\t:TYPE\t:FUNCTION\tVALUE".
class LogWriter {
 public:
  explicit LogWriter(const History& history) : history_(history) {}

  std::string write() {
    const Events events(history_);
    for (const Events::Event& event : events.all()) {
      const Operation& operation = history_.operations[event.operation];
      if (operation.function == Function::remove) throw Unsayable{"a delete"};
      const bool lost = event.completion && operation.is_info();
      const bool mismatch = operation.function == Function::cas && !operation.swapped;
      const std::string_view type = !event.completion ? "invoke"
                                    : lost            ? "info"
                                    : mismatch        ? "fail"
                                                      : "ok";
      text_ += fmt::format("INFO  jepsen.util - {}\t:{}\t:{}\t{}\n", event.process, type,
                           name_of(operation.function),
                           lost ? ":timed-out" : value(operation, event.completion));
    }
    return std::move(text_);
  }

 private:
  std::string value(const Operation& operation, bool completion) const {
    if (operation.function == Function::read && !completion) return "nil";
    if (operation.function == Function::cas)
      return fmt::format("[{} {}]", number(operation.expected), number(operation.value));
    return operation.value == kNil ? "nil" : number(operation.value);
  }

  /// Whole numbers from 0 on, the only values that the format has.
  std::string number(ValueId id) const {
    const Value value = history_.values[id];
    if (value.kind == Value::Kind::integer && value.integer >= 0)
      return std::to_string(value.integer);
    throw Unsayable{fmt::format("a value that is no number from 0 on: {}",
                                shorten(escape_terminal(to_string(value)), 40))};
  }

  const History& history_;
  std::string text_;
};

class PlumeWriter {
 public:
  explicit PlumeWriter(const History& history) : history_(history) {
    for (const Operation& operation : history.operations) {
      if (takes_part(operation) && operation.function == Function::read)
        read_.insert(operation.value);
      if (takes_part(operation) && operation.function == Function::cas)
        read_.insert(operation.expected);
    }
  }

  std::string write() {
    for (const Operation& operation : history_.operations) {
      if (takes_part(operation)) add(operation);
    }
    return std::move(text_);
  }

 private:
  /// An indeterminate update counts if somebody read it, in a session of its own.
  void add(const Operation& operation) {
    if (operation.is_info() && !read_.contains(operation.value)) return;
    const std::size_t session =
        operation.is_info() ? history_.sessions.size() + lost_++ : operation.session;
    const bool mismatch = operation.function == Function::cas && !operation.swapped;
    if (mismatch && !operation.has_seen()) return;
    if (mismatch) step('r', operation.key, operation.seen, session);
    else if (operation.function == Function::cas)
      step('r', operation.key, operation.expected, session);
    if (operation.updates()) step('w', operation.key, operation.value, session);
    else if (!mismatch) step('r', operation.key, operation.value, session);
    ++transaction_;
  }

  void step(char kind, KeyId key, ValueId value, std::size_t session) {
    if (kind == 'w' && value == kNil) throw Unsayable{"a delete"};
    if (kind == 'w' && !written_.emplace(key, value).second)
      throw Unsayable{"a value that was written twice"};
    text_ += fmt::format("{}({},{},{},{})\n", kind, key, value, session, transaction_);
  }

  const History& history_;
  std::set<ValueId> read_;
  std::set<std::pair<KeyId, ValueId>> written_;
  std::size_t lost_ = 0;
  std::size_t transaction_ = 0;
  std::string text_;
};

/// Do the operations have lists, and registers?
struct Content {
  bool lists = false;
  bool registers = false;
  std::set<KeyId> keys;
};

Content content_of(const History& history) {
  Content content;
  for (const Operation& operation : history.operations) {
    if (!takes_part(operation)) continue;
    (history.is_list[operation.key] ? content.lists : content.registers) = true;
    content.keys.insert(operation.key);
  }
  return content;
}

Result<History> of_one_key(const History& history, const std::string& key) {
  const auto found = std::find(history.keys.begin(), history.keys.end(), key);
  if (found == history.keys.end()) return usage_error(unknown_name("key", key, history.keys));
  const auto id = static_cast<KeyId>(found - history.keys.begin());
  std::vector<OperationId> kept;
  for (OperationId i = 0; i < history.size(); ++i) {
    if (history.operations[i].key == id) kept.push_back(i);
  }
  return subset(history, kept);
}

Error cannot(ExportFormat format, const std::string& why) {
  const auto row = std::find_if(kFormats.begin(), kFormats.end(),
                                [&](const auto& known) { return known.first == format; });
  return usage_error(fmt::format("{} cannot say this history: it holds {}", row->second, why));
}

}  // namespace

std::optional<ExportFormat> export_format_named(std::string_view name) {
  for (const auto& [format, known] : kFormats) {
    if (known == name) return format;
  }
  return std::nullopt;
}

std::vector<std::string> export_format_names() {
  std::vector<std::string> names;
  for (const auto& [format, name] : kFormats) names.emplace_back(name);
  return names;
}

Result<std::string> export_history(const History& whole, const ExportOptions& options) {
  History one;
  if (options.key) {
    Result<History> part = of_one_key(whole, *options.key);
    if (!part) return part.error();
    one = std::move(*part);
  }
  const History& history = options.key ? one : whole;
  if (history.sets) return cannot(options.format, "sets and counters");
  const Content content = content_of(history);
  const ExportFormat format = options.format;
  if (format == ExportFormat::edn && content.lists && content.registers)
    return cannot(format, "registers and lists; --key picks one key");
  if (format != ExportFormat::edn && content.lists) return cannot(format, "lists");
  if (format == ExportFormat::jepsen_log && content.keys.size() > 1)
    return cannot(format, fmt::format("{} keys; --key picks one", content.keys.size()));
  try {
    if (format == ExportFormat::edn) return EdnWriter(history, !options.key).write();
    if (format == ExportFormat::jepsen_log) return LogWriter(history).write();
    return PlumeWriter(history).write();
  } catch (const Unsayable& unsayable) {
    return cannot(format, unsayable.why);
  }
}

}  // namespace consistory
