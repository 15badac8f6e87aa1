#include "checkers/testing/random_transactions.h"

#include <algorithm>

#include "base/check.h"

namespace consistory {
namespace {

/// A store that is now strict, now forgetful.
class RandomTransactions {
 public:
  explicit RandomTransactions(Random& random) : random_(random) {
    keys_ = 1 + random.below(3);
    for (std::size_t key = 0; key < keys_; ++key) {
      lists_.push_back(random.chance(0.4));
      written_.emplace_back();
    }
    stale_ = random.chance(0.5) ? 0.1 : 0.5;
  }

  TransactionHistory make() {
    TransactionBuilder builder;
    const std::size_t count = 2 + random_.below(4);
    std::vector<std::int64_t> free(3, 0);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t session = random_.below(3);
      const std::int64_t invoke = free[session] + 1 + static_cast<std::int64_t>(random_.below(4));
      const std::int64_t complete = invoke + 1 + static_cast<std::int64_t>(random_.below(10));
      free[session] = complete;
      const Outcome outcome = random_.chance(0.08)   ? Outcome::info
                              : random_.chance(0.05) ? Outcome::fail
                                                     : Outcome::ok;
      builder.begin(std::string(1, static_cast<char>('A' + session)), outcome, invoke, complete);
      for (std::size_t steps = 1 + random_.below(3); steps > 0; --steps) step(builder, outcome);
    }
    auto history = std::move(builder).finish("random");
    CONSISTORY_CHECK(history, "a random history that is none");
    return std::move(*history);
  }

 private:
  void step(TransactionBuilder& builder, Outcome outcome) {
    const std::size_t key = random_.below(keys_);
    const std::string name(1, static_cast<char>('x' + key));
    std::vector<std::int64_t>& written = written_[key];
    if (random_.chance(0.45)) {
      written.push_back(++last_);
      if (lists_[key]) builder.append(name, Value::of(last_));
      else builder.write(name, Value::of(last_));
    } else if (outcome == Outcome::ok) {
      std::size_t seen = written.size();
      if (random_.chance(stale_)) seen = random_.below(seen + 1);
      if (lists_[key]) {
        std::vector<Value> list;
        for (std::size_t i = 0; i < seen; ++i) list.push_back(Value::of(written[i]));
        if (list.size() > 1 && random_.chance(0.03)) std::swap(list[0], list[1]);
        if (!list.empty() && random_.chance(0.03)) list.erase(list.begin());
        builder.read_list(name, list);
      } else {
        builder.read(name, seen == 0 ? Value::nil() : Value::of(written[seen - 1]));
      }
    }
  }

  Random& random_;
  std::size_t keys_ = 1;
  double stale_ = 0.3;
  std::vector<bool> lists_;
  std::vector<std::vector<std::int64_t>> written_;
  std::int64_t last_ = 0;
};

}  // namespace

TransactionHistory random_transactions(Random& random) { return RandomTransactions(random).make(); }

std::string text_of(const TransactionHistory& history) {
  std::string text;
  for (TransactionId id = 0; id < history.transactions.size(); ++id) {
    const Transaction& transaction = history.transactions[id];
    text += describe(history, id) + " " + std::string(name_of(transaction.outcome)) + " [" +
            std::to_string(transaction.invoke) + "," +
            (transaction.complete == kNever ? "?" : std::to_string(transaction.complete)) + "]\n";
  }
  return text;
}

}  // namespace consistory
