#pragma once
// One session's view: the saturation of views.h.

#include <set>
#include <vector>

#include "checkers/fast/cycles.h"
#include "checkers/fast/visibility.h"

namespace consistory {

/// What the views of all sessions share. Immutable; refers to the trace and the visibility.
class ViewGround {
 public:
  struct Update {
    Point point = kNoPoint;
    KeyId key = 0;
  };
  /// A read of an indeterminate update: it arrives with what the read rests on.
  struct InfoRead {
    Point position = 0;
    Point update = kNoPoint;
  };

  ViewGround(const Trace& trace, const Visibility* base);

  const Trace& trace() const { return trace_; }
  bool causal() const { return base_ != nullptr; }
  const Visibility& base() const { return *base_; }

  /// How much of `chain` an update rests on, itself left out.
  Point rests_on(Point update, Chain chain) const {
    if (causal()) return base_->seen(update, chain);
    return chain == trace_.chain(update) ? trace_.position(update) : 0;
  }
  /// Updates of a chain, ascending.
  std::span<const Update> updates_of_chain(Chain chain) const {
    return std::span(updates_).subspan(begin_[chain], begin_[chain + 1] - begin_[chain]);
  }
  std::span<const InfoRead> info_reads(Chain chain) const { return info_reads_[chain]; }
  /// A number for each update that grows along whatever updates rest on.
  std::uint64_t rank(Point update) const {
    return rank_.empty() ? trace_.id(update) : rank_[update];
  }

 private:
  void note_info_read(Point reader, Point source);
  bool reads_are_of_the_past() const;
  void rank_by_schedule();

  const Trace& trace_;
  const Visibility* base_;
  std::vector<Update> updates_;       // chain by chain
  std::vector<std::uint32_t> begin_;  // per chain: into updates_; and their end
  std::vector<std::vector<InfoRead>> info_reads_;
  std::vector<std::uint32_t> rank_;  // empty: invocation order serves
};

/// Tables by update or key, made once and handed from session to session.
struct ViewScratch {
  explicit ViewScratch(const Trace& trace);

  std::vector<std::uint32_t> last_reader;   ///< per update: the last row that returned it
  std::vector<std::uint32_t> list_place;    ///< per append: its index in the session's list
  std::vector<std::uint32_t> info_arrival;  ///< per indeterminate update: by which row it arrived
  /// The session does not read the key, or reads it as what it is.
  enum class Use : std::uint32_t { none, a_register, a_list };
  /// Every arrival looks at one: kept small, so that they stay near.
  struct OfKey {
    Use use = Use::none;
    std::uint32_t initial = 0;       ///< one more than the last row that read the initial value
    Point guard = kNoPoint;          ///< what later reads will still return; a list: its place
    std::uint32_t since = 0;         ///< the row by which the guard arrived
    std::uint32_t until = 0;         ///< one more than the last row that returns it; 0: no guard
    std::uint32_t row = UINT32_MAX;  ///< the last row at which one of its updates arrived
  };
  std::vector<OfKey> of_key;
  std::vector<std::uint64_t> lowest;  ///< per key, block_agrees(): rank of those of crowded_ it has
};

class SessionView {
 public:
  SessionView(const ViewGround& ground, Chain session, ViewScratch& scratch);
  ~SessionView();
  SessionView(const SessionView&) = delete;
  SessionView& operator=(const SessionView&) = delete;

  /// Empty if the view exists; else points that show that it does not.
  std::vector<Point> refute();

 private:
  static constexpr std::uint32_t kNoRow = UINT32_MAX;

  /// `update` had to arrive by `row`: the read at row `reader` came after it (or a list shows so)
  /// and returned `source`, which had arrived by `row`.
  struct Raise {
    Point update = kNoPoint;
    std::uint32_t row = 0;
    std::uint32_t reader = 0;
    Point source = kNoPoint;
  };
  /// Two arrivals of one row, the order of which the read at row `reader` tells.
  struct InBlock {
    Point before = kNoPoint;
    Point after = kNoPoint;
    std::uint32_t reader = 0;
  };

  // Set-up (session_view.cpp).
  void collect_reads();
  void collect_list_read(std::uint32_t row, Point reader);
  void fill_rows();

  // Saturation.
  bool sweep();
  void arrive_at_row();
  void arrive_range(Chain chain, Point end);
  void arrive_info(Point update);
  void arrive(Point update, KeyId key);
  void arrive_in_register(Point update, ViewScratch::OfKey& key);
  void arrive_in_list(Point append);
  void overwrite_initial(Point update, std::uint32_t last_row);
  void take_own(Point point);
  void look_at_future(std::uint32_t row);
  void close_block();
  void collect_here();
  bool block_agrees();
  void order_crowd();
  void raise(const Raise& raise);
  bool raise_chain(Chain chain, Point prefix, std::uint32_t row);
  void solve_block();

  // Evidence (explain_view.cpp).
  void refute_by(std::uint32_t row) { seed_.push_back(at(row)); }
  void explain(Point update, std::uint32_t row, std::size_t raises_before);
  bool explain_base(Point update, std::uint32_t row);
  void explain_order(const InBlock& order);
  bool rests(Point update, Point on) const;
  void explain_rest(Point update, Point on);

  Point at(std::uint32_t row) const { return trace_.first(session_) + row; }
  /// How much of a chain has arrived by a row; nothing had before the first.
  Point& arrived(std::uint32_t row, Chain chain) {
    return rows_[(std::size_t{row} + 1) * trace_.chains() + chain];
  }
  Point before_row(Chain chain) { return rows_[std::size_t{row_} * trace_.chains() + chain]; }

  const ViewGround& ground_;
  const Trace& trace_;
  Chain session_;
  ViewScratch& scratch_;
  std::uint32_t row_count_;
  std::vector<Point> rows_;                     // see arrived(); of the session itself, 0
  std::vector<bool> active_;                    // per row: something arrives
  std::vector<std::vector<Point>> list_reads_;  // per list key that is read: its readers
  std::vector<Point> infos_;                    // indeterminate updates that a raise moved

  // The sweep at hand.
  std::uint32_t row_ = 0;
  std::vector<std::size_t> cursor_;       // per chain: into its updates
  std::vector<std::size_t> info_cursor_;  // per chain: into its reads of indeterminate updates
  std::vector<bool> info_here_;           // per indeterminate update: has arrived
  std::vector<Chain> grown_;              // chains of which more arrived at this row
  std::vector<Point> here_;               // what of them updates registers read: collect_here()
  std::vector<Point> infos_here_;         // indeterminate updates that arrived at this row
  std::vector<Point> crowded_;            // guards of keys of which more arrived at this row
  std::vector<InBlock> list_order_;
  bool changed_ = false;

  std::vector<Raise> raises_;
  std::vector<Point> seed_;
  std::set<std::pair<Point, std::uint32_t>> explained_;  // (update, row)
};

}  // namespace consistory
