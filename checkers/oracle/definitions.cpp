#include "checkers/oracle/definitions.h"

#include <algorithm>
#include <map>
#include <set>

namespace consistory::oracle {
namespace {

using Relation = std::vector<Mask>;  // per operation: its predecessors

std::size_t index(int i) { return static_cast<std::size_t>(i); }

/// Is there a sequence of exactly `items` that extends `before`, in which every reading operation
/// of `validated` returns its source?
class Serialiser {
 public:
  Serialiser(const Differentiated& it, Mask items, const Relation& before, Mask validated,
             Steps& steps)
      : it_(it), items_(items), before_(before), validated_(validated), steps_(steps) {}

  bool exists() { return extend(0, {}); }

 private:
  using State = std::map<KeyId, std::vector<int>>;  // the key's updates so far, or the last of them

  bool extend(Mask done, const State& state) {
    if (done == items_) return true;
    if (!steps_.spend() || dead_.contains({done, state})) return false;
    for (int i = 0; i < it_.size(); ++i) {
      if ((items_ & ~done & bit(i)) == 0 || (before_[index(i)] & items_ & ~done) != 0) continue;
      if (!returns_its_source(i, state)) continue;
      State next = state;
      if ((it_.updates & bit(i)) != 0) {
        std::vector<int>& key = next[it_.at(i).key];
        if (!it_.is_list(i)) key.clear();
        key.push_back(i);
      }
      if (extend(done | bit(i), next)) return true;
    }
    dead_.insert({done, state});
    return false;
  }

  bool returns_its_source(int i, const State& state) const {
    if ((it_.readers & validated_ & bit(i)) == 0) return true;
    const auto found = state.find(it_.at(i).key);
    return it_.sources(i) == (found == state.end() ? std::vector<int>{} : found->second);
  }

  const Differentiated& it_;
  Mask items_;
  const Relation& before_;
  Mask validated_;
  Steps& steps_;
  std::set<std::pair<Mask, State>> dead_;
};

bool serialises(const Differentiated& it, Mask items, const Relation& before, Mask validated,
                Steps& steps) {
  return Serialiser(it, items, before, validated, steps).exists();
}

Relation with_versions(const Differentiated& it, Relation before) {
  for (int i = 0; i < it.size(); ++i) before[index(i)] |= it.lower[index(i)];
  return before;
}

std::set<SessionId> sessions(const Differentiated& it) {
  std::set<SessionId> all;
  for (const Operation* op : it.ops) all.insert(op->session);
  return all;
}

/// co = (so ∪ rf)+; none if cyclic.
std::optional<Relation> causal_order(const Differentiated& it) {
  Relation co = it.so;
  for_each(it.readers, [&](int r) {
    for (const int source : it.sources(r)) co[index(r)] |= bit(source);
  });
  for (bool changed = true; changed;) {
    changed = false;
    for (int i = 0; i < it.size(); ++i) {
      Mask more = co[index(i)];
      for_each(co[index(i)], [&](int j) { more |= co[index(j)]; });
      changed = changed || more != co[index(i)];
      co[index(i)] = more;
    }
  }
  for (int i = 0; i < it.size(); ++i) {
    if ((co[index(i)] & bit(i)) != 0) return std::nullopt;
  }
  return co;
}

/// Enumerates arbitration orders for causal convergence.
class Arbiter {
 public:
  Arbiter(const Differentiated& it, const Relation& co, Steps& steps)
      : it_(it), steps_(steps), before_(co) {
    for (int i = 0; i < it.size(); ++i)
      before_[index(i)] = (co[index(i)] & it.updates) | it.lower[index(i)];
    for_each(it.readers, [&](int r) {
      Mask past = 0;
      for_each(co[index(r)] & it.updates, [&](int u) {
        if (it.at(u).key == it.at(r).key) past |= bit(u);
      });
      reads_.push_back({past, r});
    });
  }

  bool exists() {
    for (const Read& read : reads_) {
      if (read.past == 0 && !it_.sources(read.reader).empty()) return false;
    }
    return extend(0, {});
  }

 private:
  struct Read {
    Mask past;
    int reader;
  };

  bool extend(Mask done, const std::vector<int>& order) {
    if (done == it_.updates) return true;
    if (!steps_.spend()) return false;
    for (int u = 0; u < it_.size(); ++u) {
      if ((it_.updates & ~done & bit(u)) == 0 || (before_[index(u)] & ~done) != 0) continue;
      std::vector<int> next = order;
      next.push_back(u);
      const bool right = std::all_of(reads_.begin(), reads_.end(), [&](const Read& read) {
        const bool completes = (read.past & bit(u)) != 0 && (read.past & ~(done | bit(u))) == 0;
        return !completes || fold(read, next) == it_.sources(read.reader);
      });
      if (right && extend(done | bit(u), next)) return true;
    }
    return false;
  }

  std::vector<int> fold(const Read& read, const std::vector<int>& order) const {
    std::vector<int> state;
    for (const int u : order) {
      if ((read.past & bit(u)) == 0) continue;
      if (!it_.is_list(read.reader)) state.clear();
      state.push_back(u);
    }
    return state;
  }

  const Differentiated& it_;
  Steps& steps_;
  Relation before_;
  std::vector<Read> reads_;
};

bool has_total_order(Mask items, const Relation& before) {
  Mask done = 0;
  for (bool moved = true; done != items && moved;) {
    moved = false;
    for_each(items & ~done, [&](int i) {
      if ((before[index(i)] & items & ~done) != 0) return;
      done |= bit(i);
      moved = true;
    });
  }
  return done == items;
}

constexpr unsigned kMr = 1, kMw = 2, kRyw = 4, kWfr = 8;

/// The least visibility closed under the guarantees.
Relation least_visibility(const Differentiated& it, unsigned set) {
  Relation seen(it.ops.size(), 0);
  const auto before = [&](int a, int b) { return (it.so[index(b)] >> a & 1) != 0; };
  for_each(it.readers, [&](int r) {
    for (const int source : it.sources(r)) seen[index(r)] |= bit(source);
    if ((set & kRyw) != 0) seen[index(r)] |= it.so[index(r)] & it.updates;
  });
  for (bool changed = true; changed;) {
    changed = false;
    for_each(it.readers, [&](int r) {
      Mask more = seen[index(r)];
      for_each(it.readers, [&](int r1) {
        if ((set & kMr) != 0 && before(r1, r)) more |= seen[index(r1)];
      });
      for_each(seen[index(r)], [&](int u2) {
        if ((set & kMw) != 0) more |= it.so[index(u2)] & it.updates;
        for_each(it.readers, [&](int r1) {
          if ((set & kWfr) != 0 && (before(r1, u2) || r1 == u2)) more |= seen[index(r1)];
        });
      });
      changed = changed || more != seen[index(r)];
      seen[index(r)] = more;
    });
  }
  return seen;
}

Mask on_key(const Differentiated& it, Mask mask, KeyId key) {
  Mask here = 0;
  for_each(mask, [&](int i) { here |= it.at(i).key == key ? bit(i) : 0; });
  return here;
}

void chain(const std::vector<int>& list, Relation& before) {
  for (std::size_t i = 1; i < list.size(); ++i) before[index(list[i])] |= bit(list[i - 1]);
}

/// What the read says about arbitration; false if nothing can make it right.
bool arbitrate(const Differentiated& it, int r, Mask seen, Relation& before) {
  const Mask here = on_key(it, seen, it.at(r).key);
  const std::vector<int> sources = it.sources(r);
  Mask returned = 0;
  for (const int source : sources) returned |= bit(source);
  if ((it.updates & bit(r)) != 0) before[index(r)] |= here;
  if (it.is_list(r)) {
    chain(sources, before);
    return here == returned;
  }
  if (sources.empty()) return here == 0;
  before[index(sources[0])] |= here & ~returned;
  return true;
}

}  // namespace

bool sequential(const Differentiated& it, Steps& steps) {
  return serialises(it, it.all(), with_versions(it, it.so), it.all(), steps);
}

bool linearizable(const Differentiated& it, Steps& steps) {
  Relation before = with_versions(it, it.so);
  for (int b = 0; b < it.size(); ++b) {
    for (int a = 0; a < it.size(); ++a) {
      if (it.at(a).complete < it.at(b).invoke) before[index(b)] |= bit(a);
    }
  }
  return serialises(it, it.all(), before, it.all(), steps);
}

bool per_key_sequential(const Differentiated& it, Steps& steps) {
  const Relation before = with_versions(it, it.so);
  std::set<KeyId> keys;
  for (const Operation* op : it.ops) keys.insert(op->key);
  return std::all_of(keys.begin(), keys.end(), [&](KeyId key) {
    return serialises(it, on_key(it, it.all(), key), before, it.all(), steps);
  });
}

bool pram(const Differentiated& it, Steps& steps) {
  const std::set<SessionId> all = sessions(it);
  return std::all_of(all.begin(), all.end(), [&](SessionId session) {
    const Mask own = it.of_session(session);
    return serialises(it, own | it.updates, it.so, own, steps);
  });
}

bool weak_causal(const Differentiated& it, Steps& steps) {
  const auto co = causal_order(it);
  bool right = co.has_value();
  for_each(it.readers, [&](int r) {
    right = right && serialises(it, (*co)[index(r)] | bit(r), *co, bit(r), steps);
  });
  return right;
}

bool causal_memory(const Differentiated& it, Steps& steps) {
  const auto co = causal_order(it);
  if (!co) return false;
  const std::set<SessionId> all = sessions(it);
  return std::all_of(all.begin(), all.end(), [&](SessionId session) {
    const Mask own = it.of_session(session);
    Mask items = own;
    for_each(own, [&](int o) { items |= (*co)[index(o)]; });
    return serialises(it, items, *co, own, steps);
  });
}

bool causal_convergence(const Differentiated& it, Steps& steps) {
  const auto co = causal_order(it);
  return co && Arbiter(it, *co, steps).exists();
}

bool guarantees(const Differentiated& it, unsigned set) {
  const Relation seen = least_visibility(it, set);
  const auto before = [&](int a, int b) { return (it.so[index(b)] >> a & 1) != 0; };
  Relation order = it.lower;
  bool right = true;
  for_each(it.readers, [&](int r) {
    for_each(seen[index(r)], [&](int u) { right = right && u != r && !before(r, u); });
    right = right && arbitrate(it, r, seen[index(r)], order);
  });
  for_each(it.updates, [&](int u2) {
    if ((set & kMw) != 0) order[index(u2)] |= it.so[index(u2)] & it.updates;
    for_each(it.readers, [&](int r1) {
      if ((set & kWfr) != 0 && (before(r1, u2) || r1 == u2)) order[index(u2)] |= seen[index(r1)];
    });
  });
  return right && has_total_order(it.updates, order);
}

bool guarantee_view(const Differentiated& it, unsigned set, Steps& steps) {
  Relation follows(it.ops.size(), 0);
  for_each(it.readers, [&](int r) {
    for_each(it.updates, [&](int u) {
      const bool later = (it.so[index(u)] >> r & 1) != 0 || u == r;
      if ((set & kWfr) == 0 || !later) return;
      for (const int source : it.sources(r)) follows[index(u)] |= bit(source);
    });
  });
  const std::set<SessionId> all = sessions(it);
  return std::all_of(all.begin(), all.end(), [&](SessionId session) {
    const Mask own = it.of_session(session);
    Relation before = follows;
    for_each(own | it.updates, [&](int b) {
      for_each(it.so[index(b)] & (own | it.updates), [&](int a) {
        const bool mine = it.at(a).session == session;
        const bool a_reads = (it.readers & bit(a)) != 0, a_updates = (it.updates & bit(a)) != 0;
        const bool b_reads = (it.readers & bit(b)) != 0, b_updates = (it.updates & bit(b)) != 0;
        const bool ordered = (mine && a_reads && b_updates) ||
                             ((set & kMr) != 0 && mine && a_reads && b_reads) ||
                             ((set & kRyw) != 0 && mine && a_updates && b_reads) ||
                             ((set & kMw) != 0 && a_updates && b_updates);
        if (ordered) before[index(b)] |= bit(a);
      });
    });
    return serialises(it, own | it.updates, before, own, steps);
  });
}

bool eventual(const Differentiated& it, bool settled) {
  Relation order = it.lower;
  bool right = true;
  for (int i = 0; i < it.size(); ++i) {
    const bool reads = (it.readers & bit(i)) != 0;
    if (reads && (it.updates & bit(i)) != 0) {
      for (const int source : it.sources(i)) order[index(i)] |= bit(source);
    }
    if (!reads || !it.at(i).final) continue;
    Mask must = 0;
    for_each(on_key(it, it.updates, it.at(i).key), [&](int u) {
      if (settled || !it.at(u).is_info()) must |= bit(u);
    });
    const std::vector<int> sources = it.sources(i);
    Mask returned = 0;
    for (const int source : sources) returned |= bit(source);
    if (it.is_list(i)) {
      right = right && (must & ~returned) == 0;
      chain(sources, order);
    } else if (sources.empty()) {
      right = right && must == 0;
    } else {
      order[index(sources[0])] |= must & ~returned;
    }
  }
  return right && has_total_order(it.updates, order);
}

bool same_order(const Differentiated& it) {
  std::map<std::pair<KeyId, std::set<int>>, std::vector<int>> orders;
  bool same = true;
  for_each(it.readers, [&](int r) {
    if (!it.is_list(r)) return;
    const std::vector<int> list = it.sources(r);
    const auto [first, fresh] =
        orders.try_emplace({it.at(r).key, std::set<int>(list.begin(), list.end())}, list);
    same = same && first->second == list;
  });
  return same;
}

}  // namespace consistory::oracle
