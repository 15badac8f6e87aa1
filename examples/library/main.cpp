// Judges a history that a test of your own recorded: two sessions on a store that lags behind.
// Prints what breaks and why; ends with 1 if a model that the store promises is violated.
#include <checkers/history/builder.h>
#include <checkers/judge.h>

#include <cstdio>

namespace {

consistory::RawOperation operation(std::string session, consistory::Function function,
                                   consistory::Value value, std::int64_t invoke,
                                   std::int64_t complete) {
  consistory::RawOperation operation;
  operation.session = std::move(session);
  operation.key = "x";
  operation.function = function;
  operation.value = std::move(value);
  operation.invoke = invoke;
  operation.complete = complete;
  return operation;
}

}  // namespace

int main() {
  consistory::HistoryBuilder builder("my test");
  using consistory::Function;
  using consistory::Value;
  builder.add(operation("alice", Function::write, Value::of(1), 0, 10));
  builder.add(operation("bob", Function::read, Value::of(1), 20, 30));
  builder.add(operation("bob", Function::read, Value::nil(), 40, 50));  // x is gone again
  consistory::Result<consistory::History> history = std::move(builder).finish();
  if (!history) {
    std::fprintf(stderr, "%s\n", history.error().message.c_str());
    return 64;
  }
  const consistory::Judgement judgement = consistory::judge(*history, {});
  bool broken = false;
  for (const consistory::JudgedModel& judged : judgement.models) {
    if (judged.verdict.verdict != consistory::Verdict::violated) continue;
    broken = broken || judged.model->name == "monotonic-reads";
    std::printf("%s is violated\n", std::string(judged.model->name).c_str());
    for (const std::string& reason : consistory::reasons(*judged.witness))
      std::printf("  %s\n", reason.c_str());
  }
  return broken ? 1 : 0;
}
