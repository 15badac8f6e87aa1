#include "checkers/imports/jepsen_operations.h"

#include <fmt/format.h>

#include <set>

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
  if (edn.kind != Edn::Kind::sequence && edn.kind != Edn::Kind::map) return edn.text;
  std::string text = "[";
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

/// Registers: read, write, cas; one of them, or one for each key of a tuple.
class Registers {
 public:
  Registers(std::string source, bool keyed) : source_(source), keyed_(keyed), builder_(source) {}

  std::optional<Error> add(const JepsenOperation& operation) {
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
      raw.function = operation.invoked.function == "read" ? Function::read : Function::write;
      if (raw.function == Function::write || operation.ok()) raw.value = value_of(*value);
    }
    builder_.add(raw);
    return std::nullopt;
  }

  Result<Imported> finish() {
    Result<History> history = std::move(builder_).finish();
    if (!history) return history.error();
    return Imported(std::move(*history));
  }

 private:
  std::string source_;
  bool keyed_;
  HistoryBuilder builder_;
};

/// Locks and strings.
Result<Imported> objects(const std::vector<JepsenOperation>& operations, ObjectKind kind,
                         const std::string& source) {
  ObjectHistory history;
  history.kind = kind;
  for (const JepsenOperation& operation : operations) {
    if (operation.failed()) continue;
    ObjectCall call;
    const std::string& function = operation.invoked.function;
    call.method = function == "acquire"   ? Method::acquire
                  : function == "release" ? Method::release
                  : function == "put"     ? Method::put
                  : function == "append"  ? Method::append
                                          : Method::get;
    call.session = operation.session;
    if (operation.invoked.key) call.object = text_of(*operation.invoked.key);
    if (kind == ObjectKind::string) {
      const Edn& value = operation.value();
      if (!value.is_nil() && value.kind != Edn::Kind::text)
        return wrong(source, operation, "expected a string as the value");
      call.argument = value.text;
    }
    call.invoke = operation.invoke;
    if (operation.ok()) call.complete = operation.complete;
    history.calls.push_back(std::move(call));
  }
  return Imported(std::move(history));
}

/// [[:append 1 2] [:r 3 nil]], and the same with :w.
std::optional<Error> add_transaction(const JepsenOperation& operation, const std::string& source,
                                     TransactionBuilder& builder) {
  builder.begin(operation.session,
                operation.ok()       ? Outcome::ok
                : operation.failed() ? Outcome::fail
                                     : Outcome::info,
                operation.invoke, operation.completed ? operation.complete : kNever);
  for (const Edn& step : operation.value().items) {
    if (!is_sequence_of(step, 3) || !step.items[0].is_word())
      return wrong(source, operation,
                   "expected steps such as [:r key value] or [:append key value]");
    const std::string& name = step.items[0].text;
    const std::string key = text_of(step.items[1]);
    const Edn& value = step.items[2];
    if (name == "w" || name == "write") {
      builder.write(key, value_of(value));
    } else if (name == "append") {
      builder.append(key, value_of(value));
    } else if (name != "r" && name != "read") {
      return wrong(source, operation,
                   "expected :r, :w or :append as the first word of a step, got " +
                       escape_terminal(shorten(name, 40)));
    } else if (!operation.ok()) {
      continue;  // what was read is not known
    } else if (value.kind == Edn::Kind::sequence) {
      std::vector<Value> elements;
      for (const Edn& element : value.items) elements.push_back(value_of(element));
      builder.read_list(key, elements);
    } else {
      builder.read(key, value_of(value));
    }
  }
  return std::nullopt;
}

Result<Imported> transactions(const std::vector<JepsenOperation>& operations,
                              const std::string& source) {
  TransactionBuilder builder;
  for (const JepsenOperation& operation : operations) {
    if (std::optional<Error> error = add_transaction(operation, source, builder)) return *error;
  }
  Result<TransactionHistory> history = std::move(builder).finish(source);
  if (!history) return history.error();
  return Imported(std::move(*history));
}

bool consists_of(const std::set<std::string>& functions, const std::set<std::string>& allowed) {
  return std::includes(allowed.begin(), allowed.end(), functions.begin(), functions.end());
}

bool is_transaction(const JepsenOperation& operation) {
  const Edn& value = operation.invoked.value;
  const std::string& function = operation.invoked.function;
  if (function == "txn") return true;
  return (function.empty() || function == "read" || function == "write") &&
         value.kind == Edn::Kind::sequence && !value.items.empty() &&
         is_sequence_of(value.items[0], 3) && value.items[0].items[0].is_word();
}

}  // namespace

Result<Imported> from_jepsen(std::string_view content, const std::string& source,
                             JepsenNotation notation, bool keyed) {
  const Result<std::vector<JepsenOperation>> operations = read_jepsen(content, source, notation);
  if (!operations) return operations.error();
  if (operations->empty()) return usage_error(source + ": expected a history, found no operation");
  std::set<std::string> functions;
  for (const JepsenOperation& operation : *operations) functions.insert(operation.invoked.function);
  if (std::all_of(operations->begin(), operations->end(), is_transaction))
    return transactions(*operations, source);
  if (consists_of(functions, {"acquire", "release"}))
    return objects(*operations, ObjectKind::mutex, source);
  if (consists_of(functions, {"get", "put", "append"}))
    return objects(*operations, ObjectKind::string, source);
  if (!consists_of(functions, {"read", "write", "cas"}))
    return usage_error(fmt::format(
        "{}: expected operations of registers (read, write, cas), of a lock (acquire, release), of "
        "strings (get, put, append) or transactions (txn), got {}",
        source, escape_terminal(shorten(fmt::format("{}", fmt::join(functions, ", ")), 120))));
  Registers registers(source, keyed);
  for (const JepsenOperation& operation : *operations) {
    if (std::optional<Error> error = registers.add(operation)) return *error;
  }
  return registers.finish();
}

}  // namespace consistory
