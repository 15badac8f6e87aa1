#include "checkers/imports/jepsen_operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/escape.h"
#include "base/suggest.h"
#include "checkers/history/builder.h"

namespace consistory {
namespace {

Error wrong(const std::string& source, const JepsenOperation& operation, const std::string& why) {
  return usage_error(fmt::format("{}:{}: {}", source, operation.invoked.line, why));
}

/// Values are compared only: what is no number or text is kept as it was written.
std::string text_of(const Edn& edn) {
  if (edn.kind == Edn::Kind::nil) return "nil";
  if (edn.kind == Edn::Kind::integer) return std::to_string(edn.integer);
  if (edn.kind != Edn::Kind::sequence && edn.kind != Edn::Kind::map) return edn.text;
  std::string text = "[";
  for (const std::int64_t number : edn.numbers)
    text += (text.size() > 1 ? " " : "") + std::to_string(number);
  for (const Edn& item : edn.items) text += (text.size() > 1 ? " " : "") + text_of(item);
  return text + "]";
}

Value value_of(const Edn& edn) {
  if (edn.is_nil()) return Value::nil();
  if (edn.kind == Edn::Kind::integer) return Value::of(edn.integer);
  return Value::of(text_of(edn));
}

bool is_sequence_of(const Edn& edn, std::size_t size) {
  return edn.kind == Edn::Kind::sequence && edn.items.size() == size;
}

/// What operations of one kind become.
class Target {
 public:
  virtual ~Target() = default;
  virtual std::optional<Error> add(const JepsenOperation& operation) = 0;
  virtual Result<Imported> finish() = 0;
};

/// Registers: read, write, cas; one of them, or one for each key of a tuple. Or sets: add and read.
class Registers : public Target {
 public:
  Registers(std::string source, bool keyed, bool sets)
      : source_(source), keyed_(keyed), sets_(sets), builder_(source) {}

  std::optional<Error> add(const JepsenOperation& operation) override {
    RawOperation raw;
    raw.session = operation.session;
    raw.line = operation.invoked.line;
    raw.invoke = operation.invoke;
    raw.invoke_ns = operation.invoked.time;
    raw.outcome = operation.ok() ? Outcome::ok : operation.failed() ? Outcome::fail : Outcome::info;
    if (operation.completed) {
      raw.complete = operation.complete;
      raw.complete_ns = operation.completed->time;
    }
    const Edn* value = &operation.value();
    raw.key = "register";
    if (keyed_) {
      if (!is_sequence_of(*value, 2))
        return wrong(source_, operation, "expected a tuple [key value], as --keyed says");
      raw.key = text_of(value->items[0]);
      value = &value->items[1];
    } else if (shows_key(operation)) {
      return wrong(source_, operation,
                   "expected values without keys, got tuples [key value] as jepsen.independent "
                   "writes them: say --keyed");
    } else if (operation.invoked.key) {
      raw.key = text_of(*operation.invoked.key);
    }
    if (operation.invoked.function == "cas") {
      if (!is_sequence_of(*value, 2))
        return wrong(source_, operation, "expected [old new] as the value of a cas");
      raw.function = Function::cas;
      raw.expected = value_of(value->items[0]);
      raw.value = value_of(value->items[1]);
    } else {
      const std::string& function = operation.invoked.function;
      raw.function = function == "read"  ? Function::read
                     : function == "add" ? Function::add
                                         : Function::write;
      if (sets_ && raw.function == Function::read && value->kind == Edn::Kind::sequence)
        read_elements(*value, raw);
      else if (raw.function != Function::read || operation.ok()) raw.value = value_of(*value);
    }
    builder_.add(raw);
    return std::nullopt;
  }

  Result<Imported> finish() override {
    Result<History> history = std::move(builder_).finish();
    if (!history) return history.error();
    return Imported(std::move(*history));
  }

 private:
  /// Nobody asks for [key nil] and reads [key value] but whoever reads one key of many.
  static bool shows_key(const JepsenOperation& operation) {
    const Edn& asked = operation.invoked.value;
    if (operation.invoked.function != "read" || !operation.ok()) return false;
    const Edn& read = operation.completed->value;
    return is_sequence_of(asked, 2) && asked.items[1].is_nil() && is_sequence_of(read, 2) &&
           text_of(asked.items[0]) == text_of(read.items[0]);
  }

  static void read_elements(const Edn& array, RawOperation& raw) {
    raw.elements.emplace();
    for (const std::int64_t element : array.numbers) raw.elements->push_back(Value::of(element));
    for (const Edn& element : array.items) raw.elements->push_back(value_of(element));
  }

  std::string source_;
  bool keyed_;
  bool sets_;
  HistoryBuilder builder_;
};

/// Locks and strings.
class Objects : public Target {
 public:
  Objects(std::string source, ObjectKind kind) : source_(std::move(source)) {
    history_.kind = kind;
  }

  std::optional<Error> add(const JepsenOperation& operation) override {
    if (operation.failed()) return std::nullopt;
    ObjectCall call;
    const std::string& function = operation.invoked.function;
    call.method = function == "acquire"   ? Method::acquire
                  : function == "release" ? Method::release
                  : function == "put"     ? Method::put
                  : function == "append"  ? Method::append
                                          : Method::get;
    call.session = operation.session;
    if (operation.invoked.key) call.object = text_of(*operation.invoked.key);
    if (history_.kind == ObjectKind::string) {
      const Edn& value = operation.value();
      if (!value.is_nil() && value.kind != Edn::Kind::text)
        return wrong(source_, operation, "expected a string as the value");
      call.argument = value.text;
    }
    call.invoke = operation.invoke;
    if (operation.ok()) call.complete = operation.complete;
    history_.calls.push_back(std::move(call));
    return std::nullopt;
  }

  Result<Imported> finish() override {
    std::stable_sort(history_.calls.begin(), history_.calls.end(),
                     [](const ObjectCall& a, const ObjectCall& b) { return a.invoke < b.invoke; });
    return Imported(std::move(history_));
  }

 private:
  std::string source_;
  ObjectHistory history_;
};

/// [[:append 1 2] [:r 3 nil]], and the same with :w.
class Transactions : public Target {
 public:
  explicit Transactions(std::string source) : source_(std::move(source)) {}

  std::optional<Error> add(const JepsenOperation& operation) override {
    builder_.begin(operation.session,
                   operation.ok()       ? Outcome::ok
                   : operation.failed() ? Outcome::fail
                                        : Outcome::info,
                   operation.invoke, operation.completed ? operation.complete : kNever);
    for (const Edn& step : operation.value().items) {
      if (!is_sequence_of(step, 3) || !step.items[0].is_word())
        return wrong(source_, operation,
                     "expected steps such as [:r key value] or [:append key value]");
      if (std::optional<Error> error = add_step(operation, step)) return error;
    }
    return std::nullopt;
  }

  Result<Imported> finish() override {
    Result<TransactionHistory> history = std::move(builder_).finish(source_);
    if (!history) return history.error();
    return Imported(std::move(*history));
  }

 private:
  std::optional<Error> add_step(const JepsenOperation& operation, const Edn& step) {
    const std::string& name = step.items[0].text;
    const KeyId key = builder_.key(text_of(step.items[1]));
    const Edn& value = step.items[2];
    if (name == "w" || name == "write") {
      builder_.add(key, Access::write, id_of(value));
    } else if (name == "append") {
      builder_.add(key, Access::append, id_of(value));
    } else if (name != "r" && name != "read") {
      return wrong(source_, operation,
                   "expected :r, :w or :append as the first word of a step, got " +
                       escape_terminal(shorten(name, 40)));
    } else if (!operation.ok() || operation.completed->value.kind != Edn::Kind::sequence) {
      return std::nullopt;  // what was read is not known
    } else if (value.kind == Edn::Kind::sequence) {
      elements_.clear();
      for (const std::int64_t element : value.numbers) elements_.push_back(builder_.value(element));
      for (const Edn& element : value.items) elements_.push_back(id_of(element));
      builder_.read_list(key, elements_);
    } else {
      builder_.add(key, Access::read, id_of(value));
    }
    return std::nullopt;
  }

  ValueId id_of(const Edn& edn) {
    return edn.kind == Edn::Kind::integer ? builder_.value(edn.integer)
                                          : builder_.value(value_of(edn));
  }

  std::string source_;
  TransactionBuilder builder_;
  std::vector<ValueId> elements_;
};

bool is_transaction(const JepsenOperation& operation) {
  const Edn& value = operation.invoked.value;
  const std::string& function = operation.invoked.function;
  if (function == "txn") return true;
  return (function.empty() || function == "read" || function == "write") &&
         value.kind == Edn::Kind::sequence && !value.items.empty() &&
         is_sequence_of(value.items[0], 3) && value.items[0].items[0].is_word();
}

enum class Kind : std::uint8_t { transactions, lock, string, registers, unknown };

Kind kind_of(const JepsenOperation& operation) {
  if (is_transaction(operation)) return Kind::transactions;
  static constexpr std::array<std::pair<std::string_view, Kind>, 9> kFunctions = {{
      {"acquire", Kind::lock},
      {"release", Kind::lock},
      {"get", Kind::string},
      {"put", Kind::string},
      {"append", Kind::string},
      {"read", Kind::registers},
      {"write", Kind::registers},
      {"cas", Kind::registers},
      {"add", Kind::registers},
  }};
  for (const auto& [name, kind] : kFunctions) {
    if (operation.invoked.function == name) return kind;
  }
  return Kind::unknown;
}

/// The first operation tells of what kind all are.
class Sink {
 public:
  Sink(std::string source, bool keyed, bool adds)
      : source_(std::move(source)), keyed_(keyed), adds_(adds) {}

  std::optional<Error> add(const JepsenOperation& operation) {
    const Kind kind = kind_of(operation);
    if (kind == Kind::unknown || (target_ && kind != kind_))
      return wrong(
          source_, operation,
          fmt::format(
              "expected operations of registers (read, write, cas) or sets (read, add), of a lock "
              "(acquire, release), of strings (get, put, append) or transactions "
              "(txn), and of one of these alone; got '{}'",
              escape_terminal(shorten(operation.invoked.function, 40))));
    if (!target_) target_ = target(kind);
    kind_ = kind;
    return target_->add(operation);
  }

  Result<Imported> finish() {
    if (!target_) return usage_error(source_ + ": expected a history, found no operation");
    return target_->finish();
  }

 private:
  std::unique_ptr<Target> target(Kind kind) const {
    if (kind == Kind::transactions) return std::make_unique<Transactions>(source_);
    if (kind == Kind::lock) return std::make_unique<Objects>(source_, ObjectKind::mutex);
    if (kind == Kind::string) return std::make_unique<Objects>(source_, ObjectKind::string);
    return std::make_unique<Registers>(source_, keyed_, adds_);
  }

  std::string source_;
  bool keyed_;
  bool adds_;  // the history is one of sets: what is read as a sequence is one
  Kind kind_ = Kind::unknown;
  std::unique_ptr<Target> target_;
};

}  // namespace

Result<Imported> from_jepsen(std::string_view content, const std::string& source,
                             JepsenNotation notation, bool keyed) {
  constexpr std::array<std::string_view, 4> kAdds = {":f :add", "\"f\":\"add\"", "\"f\": \"add\"",
                                                     "\t:add\t"};
  const std::string_view beginning = content.substr(0, 1U << 20);
  const bool adds = std::any_of(kAdds.begin(), kAdds.end(), [&](std::string_view words) {
    return beginning.find(words) != std::string_view::npos;
  });
  Sink sink(source, keyed, adds);
  const Status read = read_jepsen(content, source, notation, [&](const JepsenOperation& operation) {
    return sink.add(operation);
  });
  if (!read) return read.error();
  return sink.finish();
}

}  // namespace consistory
