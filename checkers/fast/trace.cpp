#include "checkers/fast/trace.h"

#include <algorithm>
#include <utility>

#include "base/parallel.h"
#include "checkers/fast/writers.h"

namespace consistory {
namespace {

constexpr OperationId kNobody = Writers::kNobody;
constexpr OperationId kSeveral = Writers::kSeveral;
constexpr Point kWorthThreads = 20'000;

/// Turns a list of (item, point) pairs, given twice in the same order, into PointLists.
template <class ForEach>
PointLists lists_of(std::uint32_t items, const ForEach& for_each) {
  PointLists lists;
  lists.begin.assign(items + 1, 0);
  for_each([&](std::uint32_t item, Point) { ++lists.begin[item + 1]; });
  for (std::uint32_t i = 0; i < items; ++i) lists.begin[i + 1] += lists.begin[i];
  lists.points.resize(lists.begin[items]);
  std::vector<std::uint32_t> next(lists.begin.begin(), lists.begin.end() - 1);
  for_each([&](std::uint32_t item, Point point) { lists.points[next[item]++] = point; });
  return lists;
}

}  // namespace

class TraceBuilder {
 public:
  TraceBuilder(const History& history, Trace::Refusal& refusal)
      : history_(history), refusal_(refusal), writers_(history) {}

  std::optional<Trace> build() {
    trace_.history_ = &history_;
    source_.assign(history_.size(), kNobody);
    observed_.assign(history_.size(), false);
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (takes_part(id) && history_.operations[id].updates()) writers_.add(id);
    }
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (!takes_part(id) || history_.operations[id].is_info()) continue;
      if (!resolve(id)) return std::nullopt;
    }
    while (!to_resolve_.empty()) {
      const OperationId id = to_resolve_.back();
      to_resolve_.pop_back();
      if (!resolve(id)) return std::nullopt;
    }
    lay_out();
    if (!settle_versions()) return std::nullopt;
    index();
    return std::move(trace_);
  }

 private:
  bool takes_part(OperationId id) const {
    const Operation& operation = history_.operations[id];
    if (operation.local || operation.outcome == Outcome::fail) return false;
    return !(operation.is_info() && operation.function == Function::read);
  }

  bool refuse(bool thin_air, std::vector<OperationId> operations) {
    refusal_ = {thin_air, std::move(operations)};
    return false;
  }

  bool resolve(OperationId id) {
    const Operation& operation = history_.operations[id];
    if (!operation.reads()) return true;
    if (history_.is_list[operation.key]) return resolve_list(id);
    const bool mismatch = operation.function == Function::cas && !operation.updates();
    if (mismatch && !operation.has_seen()) return refuse(false, {id});
    ValueId value = operation.function == Function::cas ? operation.expected : operation.value;
    if (mismatch) value = operation.seen;
    const OperationId writer = writers_.find(operation.key, value);
    if (writer == kSeveral) return refuse(false, {id});
    if (value == kNil) {
      if (writer != kNobody) return refuse(false, {id});
      const bool versioned = operation.function == Function::read && operation.has_version();
      if (versioned && operation.version != 0) return refuse(true, {id});
      return true;
    }
    if (writer == kNobody || writer == id) return refuse(true, {id});
    source_[id] = writer;
    observe(writer);
    return true;
  }

  bool resolve_list(OperationId id) {
    if (last_reader_.empty()) last_reader_.assign(history_.size(), kNobody);
    const Operation& operation = history_.operations[id];
    for (const ValueId element : history_.elements_of(operation)) {
      const OperationId writer = writers_.find(operation.key, element);
      if (writer == kSeveral) return refuse(false, {id});
      const bool twice = writer != kNobody && last_reader_[writer] == id;
      if (writer == kNobody || twice) return refuse(true, {id});
      last_reader_[writer] = id;
      observe(writer);
    }
    return true;
  }

  void observe(OperationId writer) {
    if (!history_.operations[writer].is_info() || observed_[writer]) return;
    observed_[writer] = true;
    to_resolve_.push_back(writer);
  }

  /// Numbers the points chain by chain, then the observed indeterminate updates.
  void lay_out() {
    const auto sessions = static_cast<Chain>(history_.sessions.size());
    std::vector<Point>& begin = trace_.chain_begin_;
    begin.assign(sessions + 1, 0);
    Point infos = 0;
    for_each_kept([&](OperationId, const Operation& operation) {
      if (operation.is_info()) ++infos;
      else ++begin[operation.session + 1];
    });
    for (Chain chain = 0; chain < sessions; ++chain) begin[chain + 1] += begin[chain];
    const Point size = begin[sessions] + infos;
    for (auto* column : {&trace_.id_, &trace_.key_, &trace_.chain_, &trace_.position_})
      column->resize(size);
    trace_.kind_.resize(size);
    point_of_.assign(history_.size(), kNoPoint);
    std::vector<Point> next(sessions, 0);
    Point next_info = begin[sessions];
    for_each_kept([&](OperationId id, const Operation& operation) {
      const Point position = next[operation.session];
      const bool info = operation.is_info();
      const Point point = info ? next_info++ : begin[operation.session] + position;
      if (!info) ++next[operation.session];
      place(point, id, operation, position);
    });
    trace_.source_.resize(size);
    for (Point point = 0; point < size; ++point) {
      const OperationId source = source_[trace_.id_[point]];
      if (!trace_.reads_register(point)) trace_.source_[point] = kNoPoint;
      else trace_.source_[point] = source == kNobody ? kInitial : point_of_[source];
    }
  }

  template <class Visit>
  void for_each_kept(const Visit& visit) const {
    for (OperationId id = 0; id < history_.size(); ++id) {
      if (!takes_part(id)) continue;
      const Operation& operation = history_.operations[id];
      if (!operation.is_info() || observed_[id]) visit(id, operation);
    }
  }

  void place(Point point, OperationId id, const Operation& operation, Point position) {
    point_of_[id] = point;
    trace_.id_[point] = id;
    trace_.key_[point] = operation.key;
    trace_.chain_[point] = operation.session;
    trace_.position_[point] = position;
    const bool list = history_.is_list[operation.key];
    trace_.kind_[point] = static_cast<std::uint8_t>((operation.reads() ? 1 : 0) |
                                                    (operation.updates() ? 2 : 0) | (list ? 4 : 0));
    trace_.has_lists_ = trace_.has_lists_ || list;
    trace_.has_cas_ = trace_.has_cas_ || operation.function == Function::cas;
    if (operation.has_version() && (operation.reads() || operation.updates())) versions_ = true;
  }

  /// A read reveals its source's version; false if versions contradict each other.
  bool settle_versions() {
    if (!versions_) return true;
    trace_.version_.assign(trace_.size(), kNoVersion);
    for (Point point = 0; point < trace_.size(); ++point) {
      if (trace_.updates(point)) trace_.version_[point] = trace_.operation(point).version;
    }
    for (Point point = 0; point < trace_.size(); ++point) {
      if (!settle_read(point)) return false;
    }
    return versions_differ();
  }

  bool settle_read(Point point) {
    const Operation& operation = trace_.operation(point);
    if (operation.function != Function::read || !operation.has_version()) return true;
    if (!trace_.reads_register(point) || trace_.source_[point] == kInitial) return true;
    std::int64_t& version = trace_.version_[trace_.source_[point]];
    if (version == kNoVersion) version = operation.version;
    if (version == operation.version) return true;
    return refuse(true, {trace_.id(point), trace_.id(trace_.source_[point])});
  }

  /// No two updates of a key may have one version, and none that of the initial value.
  bool versions_differ() {
    std::vector<Point> versioned;
    for (Point point = 0; point < trace_.size(); ++point) {
      if (trace_.version_[point] == 0) return refuse(true, readers_and(point));
      if (trace_.version_[point] != kNoVersion) versioned.push_back(point);
    }
    const auto order = [&](Point p) { return std::pair(trace_.key_[p], trace_.version_[p]); };
    std::sort(versioned.begin(), versioned.end(),
              [&](Point a, Point b) { return order(a) < order(b); });
    const auto same = std::adjacent_find(versioned.begin(), versioned.end(),
                                         [&](Point a, Point b) { return order(a) == order(b); });
    if (same == versioned.end()) return true;
    std::vector<OperationId> operations = readers_and(*same);
    const std::vector<OperationId> more = readers_and(same[1]);
    operations.insert(operations.end(), more.begin(), more.end());
    return refuse(true, std::move(operations));
  }

  /// An update and a reader that may have told its version.
  std::vector<OperationId> readers_and(Point update) const {
    std::vector<OperationId> operations = {trace_.id(update)};
    for (Point point = 0; point < trace_.size(); ++point) {
      const Operation& operation = trace_.operation(point);
      const bool tells = operation.function == Function::read && operation.has_version();
      if (trace_.source_[point] != update || !tells) continue;
      operations.push_back(trace_.id(point));
      break;
    }
    return operations;
  }

  void index() {
    if (trace_.has_lists_) index_appends();
    if (trace_.size() < kWorthThreads) {
      index_keys();
      return index_readers();
    }
    in_parallel(
        2, [this](std::size_t part, std::size_t) { part == 0 ? index_keys() : index_readers(); });
  }

  void index_keys() {
    const std::uint32_t keys = trace_.keys();
    trace_.updates_ = lists_of(keys, [&](const auto& add) {
      for (Point point = 0; point < trace_.size(); ++point) {
        if (trace_.updates(point)) add(trace_.key_[point], point);
      }
    });
    trace_.other_readers_ = lists_of(keys, [&](const auto& add) {
      for (Point point = 0; point < trace_.size(); ++point) {
        const bool other = trace_.reads_list(point) || trace_.source_[point] == kInitial;
        if (other) add(trace_.key_[point], point);
      }
    });
  }

  void index_readers() {
    trace_.readers_ = lists_of(trace_.size(), [&](const auto& add) {
      std::vector<Chain> told(trace_.size() - trace_.first_info(), UINT32_MAX);
      for (Point point = 0; point < trace_.size(); ++point) {
        if (trace_.source_[point] < kInitial) add(trace_.source_[point], point);
        if (trace_.reads_list(point) && !told.empty()) add_info_elements(point, told, add);
      }
    });
  }

  /// `told`: the last session told to have read each indeterminate append.
  template <class Add>
  void add_info_elements(Point reader, std::vector<Chain>& told, const Add& add) const {
    for (const ValueId element : history_.elements_of(trace_.operation(reader))) {
      const Point append = trace_.append_of(trace_.key(reader), element);
      if (!trace_.is_info(append)) continue;
      Chain& last = told[append - trace_.first_info()];
      if (last != trace_.chain(reader)) add(append, reader);
      last = trace_.chain(reader);
    }
  }

  void index_appends() {
    std::vector<Point>& of_value = trace_.append_of_value_;
    of_value.assign(history_.values.size(), kNoPoint);
    for (Point point = 0; point < trace_.size(); ++point) {
      if (!trace_.updates(point) || !trace_.is_list(trace_.key_[point])) continue;
      const ValueId value = trace_.operation(point).value;
      const Point first = std::exchange(of_value[value], point);
      if (first == kNoPoint) continue;
      of_value[value] = kInitial;
      if (first != kInitial)
        trace_.shared_appends_[Writers::code(trace_.key_[first], value)] = first;
      trace_.shared_appends_[Writers::code(trace_.key_[point], value)] = point;
    }
  }

  const History& history_;
  Trace::Refusal& refusal_;
  Writers writers_;
  Trace trace_;
  std::vector<OperationId> source_;       // per operation: the update it read
  std::vector<OperationId> last_reader_;  // per append: the list read that met it last
  std::vector<bool> observed_;
  std::vector<OperationId> to_resolve_;  // observed indeterminate updates
  std::vector<Point> point_of_;
  bool versions_ = false;
};

std::optional<Trace> Trace::of(const History& history, Refusal& refusal) {
  return TraceBuilder(history, refusal).build();
}

Point Trace::append_of(KeyId key, ValueId value) const {
  const Point known = append_of_value_[value];
  if (known != kInitial) return known;
  return shared_appends_.at(Writers::code(key, value));
}

Point Trace::teller_of(Point update) const {
  for (const Point reader : readers_of(update)) {
    if (operation(reader).function == Function::read && operation(reader).has_version())
      return reader;
  }
  return update;
}

}  // namespace consistory
