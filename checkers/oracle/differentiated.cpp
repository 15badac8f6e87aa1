#include "checkers/oracle/differentiated.h"

#include <algorithm>

namespace consistory::oracle {
namespace {

class Enumeration {
 public:
  Enumeration(const History& history, const Scope& scope, Steps& steps,
              const std::function<bool(const Differentiated&)>& visit)
      : history_(history), scope_(scope), steps_(steps), visit_(visit) {}

  std::optional<bool> run() {
    std::vector<std::size_t> infos;
    for (std::size_t i = 0; i < scope_.ops.size(); ++i) {
      if (scope_.ops[i]->is_info()) infos.push_back(i);
    }
    for (Mask kept = 0; kept < bit(static_cast<int>(infos.size())); ++kept) {
      Differentiated completed;
      completed.history = &history_;
      std::size_t info = 0;
      for (const Operation* op : scope_.ops) {
        if (op->is_info() && (kept >> info++ & 1) == 0) continue;
        completed.ops.push_back(op);
      }
      if (try_completion(completed)) return true;
      if (steps_.left == 0) return std::nullopt;
    }
    return false;
  }

 private:
  bool try_completion(Differentiated& it) {
    const auto n = it.ops.size();
    it.so.assign(n, 0);
    it.reads.assign(n, false);
    it.source.assign(n, {});
    for (int b = 0; b < it.size(); ++b) {
      for (int a = 0; a < b; ++a) {
        const bool before = it.at(a).session == it.at(b).session && !it.at(a).is_info();
        if (before) it.so[static_cast<std::size_t>(b)] |= bit(a);
      }
      const bool updates = it.at(b).updates();
      it.reads[static_cast<std::size_t>(b)] = it.at(b).reads() && !(scope_.blind_cas && updates);
      if (updates) it.updates |= bit(b);
      if (it.reads[static_cast<std::size_t>(b)]) it.readers |= bit(b);
    }
    return resolve(it, 0);
  }

  bool resolve(Differentiated& it, int reader) {
    if (!steps_.spend()) return false;
    if (reader == it.size()) return deliver(it);
    if (!it.reads[static_cast<std::size_t>(reader)]) return resolve(it, reader + 1);
    if (it.is_list(reader)) return resolve_list(it, reader, 0);
    auto& source = it.source[static_cast<std::size_t>(reader)];
    for (int update = kInit; update < it.size(); ++update) {
      if (!may_read(it, reader, update)) continue;
      source = {update};
      if (resolve(it, reader + 1)) return true;
    }
    return false;
  }

  bool resolve_list(Differentiated& it, int reader, std::size_t element) {
    const auto elements = history_.elements_of(it.at(reader));
    auto& source = it.source[static_cast<std::size_t>(reader)];
    if (element == 0) source.clear();
    if (element == elements.size()) return resolve(it, reader + 1);
    for (int update = 0; update < it.size(); ++update) {
      const Operation& append = it.at(update);
      if (!append.updates() || append.key != it.at(reader).key) continue;
      if (append.value != elements[element]) continue;
      if (std::find(source.begin(), source.end(), update) != source.end()) continue;
      source.push_back(update);
      const std::vector<int> before = source;
      if (resolve_list(it, reader, element + 1)) return true;
      source = before;
      source.pop_back();
    }
    return false;
  }

  static ValueId written(const Operation& update) {
    return update.function == Function::remove ? kNil : update.value;
  }

  bool may_read(const Differentiated& it, int reader, int update) const {
    const Operation& read = it.at(reader);
    const bool versioned = read.function == Function::read && read.has_version();
    ValueId value = kNil;
    if (update == kInit) {
      if (versioned && read.version != 0) return false;
    } else {
      const Operation& write = it.at(update);
      if (!write.updates() || write.key != read.key || update == reader) return false;
      if (versioned && write.has_version() && write.version != read.version) return false;
      value = written(write);
    }
    if (read.function == Function::read) return read.value == value;
    if (read.updates()) return read.expected == value;
    return read.has_seen() ? read.seen == value : read.expected != value;
  }

  bool deliver(Differentiated& it) {
    if (!settle_versions(it)) return false;
    return visit_(it);
  }

  /// A read may tell the version of its source; versions of a key are distinct and not 0.
  static bool settle_versions(Differentiated& it) {
    it.version.assign(it.ops.size(), std::nullopt);
    it.lower.assign(it.ops.size(), 0);
    for_each(it.updates, [&](int u) {
      if (it.at(u).has_version()) it.version[static_cast<std::size_t>(u)] = it.at(u).version;
    });
    bool right = true;
    for_each(it.readers, [&](int r) {
      const Operation& read = it.at(r);
      if (it.is_list(r) || read.function != Function::read || !read.has_version()) return;
      const int source = it.source[static_cast<std::size_t>(r)][0];
      if (source == kInit) return;
      auto& version = it.version[static_cast<std::size_t>(source)];
      if (!version) version = read.version;
      right = right && *version == read.version;
    });
    for_each(it.updates, [&](int a) {
      const auto& mine = it.version[static_cast<std::size_t>(a)];
      if (!mine) return;
      right = right && *mine != 0;
      for_each(it.updates, [&](int b) {
        const auto& other = it.version[static_cast<std::size_t>(b)];
        if (a == b || !other || it.at(a).key != it.at(b).key) return;
        right = right && *mine != *other;
        if (*mine < *other) it.lower[static_cast<std::size_t>(b)] |= bit(a);
      });
    });
    return right;
  }

  const History& history_;
  const Scope& scope_;
  Steps& steps_;
  const std::function<bool(const Differentiated&)>& visit_;
};

}  // namespace

std::optional<bool> any_differentiated(const History& history, const Scope& scope, Steps& steps,
                                       const std::function<bool(const Differentiated&)>& visit) {
  const std::optional<bool> answer = Enumeration(history, scope, steps, visit).run();
  if (answer && !*answer && steps.left == 0) return std::nullopt;
  return answer;
}

}  // namespace consistory::oracle
