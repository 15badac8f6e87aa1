// The models that give each session one view of its own: causal memory, PRAM, and the session
// guarantees judged per view (MODELS §3.3, §3.4, §3.6 V). Each is a Serialisation per session; they
// differ in which operations take part and in which order they must keep.
#include "checkers/models/session_views.h"

#include <algorithm>
#include <set>

#include "checkers/models/causal.h"

namespace consistory {
namespace {

struct Session {
  SessionId id = 0;
  std::vector<Point> own;
  bool reads = false;
  /// An observed indeterminate cas is a leaf: later reads of its session are not ordered after it.
  bool forks = false;
};

std::vector<Session> sessions_of(const Resolved& resolved) {
  std::vector<Session> sessions(resolved.history->sessions.size());
  for (Point point = 0; point < resolved.size(); ++point) {
    Session& session = sessions[resolved[point].session];
    session.id = resolved[point].session;
    session.own.push_back(point);
    session.reads = session.reads || resolved[point].reads;
    session.forks = session.forks || (resolved[point].reads && resolved[point].info);
  }
  std::erase_if(sessions, [](const Session& session) { return !session.reads; });
  return sessions;
}

void validate_own_reads(Serialisation& problem, const Session& session) {
  for (const Point point : session.own) problem.validated[point] = (*problem.resolved)[point].reads;
  problem.reads_are_a_chain = !session.forks;
}

/// Every session's view in turn; the first that has none refutes the model.
template <class MakeView>
Decision decide_views(const Resolved& resolved, Budget& budget, const MakeView& make_view) {
  Decision result{Answer::yes, {}};
  for (const Session& session : sessions_of(resolved)) {
    Decision decision = solve(make_view(resolved, session), budget);
    if (decision.answer == Answer::no) return decision;
    if (decision.answer == Answer::open) result = std::move(decision);
  }
  return result;
}

Serialisation causal_memory_view(const Resolved& resolved, const Session& session) {
  Serialisation problem(resolved);
  std::vector<Point> todo = session.own;
  for (const Point point : todo) problem.included[point] = true;
  const auto include = [&](Point point) {
    if (problem.included[point]) return;
    problem.included[point] = true;
    todo.push_back(point);
  };
  while (!todo.empty()) {
    const Point point = todo.back();
    todo.pop_back();
    const ResolvedOperation& operation = resolved[point];
    if (operation.previous != kNoPoint) {
      include(operation.previous);
      problem.require(operation.previous, point, Why::session_order);
    }
    for (const Point source : operation.sources) {
      include(source);
      problem.require(source, point, Why::reads_from);
    }
  }
  validate_own_reads(problem, session);
  return problem;
}

Serialisation pram_view(const Resolved& resolved, const Session& session) {
  Serialisation problem(resolved);
  for (Point point = 0; point < resolved.size(); ++point) {
    problem.included[point] = true;  // others' reads only carry their session's order
    const Point previous = resolved[point].previous;
    if (previous != kNoPoint) problem.require(previous, point, Why::session_order);
  }
  validate_own_reads(problem, session);
  return problem;
}

/// "Everything of this kind that this session completed so far" as a line of auxiliary nodes.
class Line {
 public:
  explicit Line(Serialisation& problem) : problem_(problem) {}
  void push(Node node, Why why) {
    const Node next = problem_.order.add_node();
    if (last_ != kNoPoint) problem_.require(last_, next, why);
    problem_.require(node, next, why);
    last_ = next;
  }
  void lead_to(Node node, Why why) const {
    if (last_ != kNoPoint) problem_.require(last_, node, why);
  }

 private:
  Serialisation& problem_;
  Node last_ = kNoPoint;
};

class GuaranteeView {
 public:
  GuaranteeView(const Resolved& resolved, const Session& session, Guarantee guarantee)
      : resolved_(resolved), session_(session), guarantee_(guarantee), problem_(resolved) {}

  Serialisation build() {
    for (Point point = 0; point < resolved_.size(); ++point) {
      problem_.included[point] = resolved_[point].updates;
    }
    for (const Point point : session_.own) problem_.included[point] = true;
    validate_own_reads(problem_, session_);
    problem_.reads_are_a_chain =
        problem_.reads_are_a_chain && guarantee_ == Guarantee::monotonic_reads;
    order_own();
    if (guarantee_ == Guarantee::monotonic_writes) order_updates_of_sessions();
    if (guarantee_ == Guarantee::writes_follow_reads) order_updates_after_what_was_read();
    return std::move(problem_);
  }

 private:
  /// Own reads precede own later updates; MR and RYW add their half of the session's order.
  void order_own() {
    Line reads(problem_), updates(problem_);
    for (const Point point : session_.own) {
      const ResolvedOperation& operation = resolved_[point];
      if (operation.updates) reads.lead_to(point, Why::session_order);
      if (operation.reads && guarantee_ == Guarantee::monotonic_reads) {
        reads.lead_to(point, Why::session_order);
      }
      if (operation.reads && guarantee_ == Guarantee::read_your_writes) {
        updates.lead_to(point, Why::session_order);
      }
      if (operation.info) continue;
      if (operation.reads) reads.push(point, Why::session_order);
      if (operation.updates) updates.push(point, Why::session_order);
    }
  }

  void order_updates_of_sessions() {
    std::vector<Point> last(resolved_.history->sessions.size(), kNoPoint);
    for (Point point = 0; point < resolved_.size(); ++point) {
      const ResolvedOperation& operation = resolved_[point];
      if (!operation.updates) continue;
      Point& previous = last[operation.session];
      if (previous != kNoPoint) problem_.require(previous, point, Why::session_order);
      if (!operation.info) previous = point;
    }
  }

  void order_updates_after_what_was_read() {
    std::vector<Line> lines(resolved_.history->sessions.size(), Line(problem_));
    std::vector<std::set<Point>> pushed(lines.size());  // a line is cumulative: once is enough
    for (Point point = 0; point < resolved_.size(); ++point) {
      const ResolvedOperation& operation = resolved_[point];
      Line& line = lines[operation.session];
      if (operation.updates) {
        line.lead_to(point, Why::read_then_updated);
        for (const Point source : operation.sources)
          problem_.require(source, point, Why::reads_from);
      }
      if (operation.info) continue;
      for (const Point source : operation.sources) {
        if (pushed[operation.session].insert(source).second)
          line.push(source, Why::read_then_updated);
      }
    }
  }

  const Resolved& resolved_;
  const Session& session_;
  Guarantee guarantee_;
  Serialisation problem_;
};

}  // namespace

ModelVerdict judge_causal_memory(const History& history, Budget& budget) {
  return judge_history(history, budget, [](const Resolved& resolved, Budget& steps) {
    const OrderGraph order = causal_order(resolved);
    if (!order.topological_order()) {
      return Decision{Answer::no,
                      unfold_cycle(order, order.find_cycle(), ids_of(resolved, order.size()))};
    }
    return decide_views(resolved, steps, causal_memory_view);
  });
}

ModelVerdict judge_pram(const History& history, Budget& budget) {
  return judge_history(history, budget, [](const Resolved& resolved, Budget& steps) {
    return decide_views(resolved, steps, pram_view);
  });
}

ModelVerdict judge_guarantee_view(const History& history, Budget& budget, Guarantee guarantee) {
  return judge_history(history, budget, [&](const Resolved& resolved, Budget& steps) {
    return decide_views(resolved, steps, [&](const Resolved& whole, const Session& session) {
      return GuaranteeView(whole, session, guarantee).build();
    });
  });
}

}  // namespace consistory
