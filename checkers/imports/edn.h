#pragma once
// Reads EDN, the notation in which Clojure programs such as Jepsen print their histories. Untrusted
// input: depth and size are bounded, and an error tells its line and column.
//
// Covers what histories are made of: nil, booleans, numbers, strings, characters, keywords,
// symbols, lists, vectors, sets, maps, tagged and record literals (the tag is dropped), comments
// and #_. Source: github.com/edn-format/edn.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace consistory {

struct Edn {
  enum class Kind : std::uint8_t {
    nil,
    boolean,
    integer,
    real,
    text,
    keyword,
    symbol,
    sequence,
    map
  };

  Kind kind = Kind::nil;
  std::int64_t integer = 0;  ///< of an integer; 1 or 0 of a boolean
  std::string text;  ///< of text; a keyword without its colon; others as they stand, but no integer
  std::vector<Edn> items;             ///< of a sequence; of a map: key, value, key, value, ...
  std::vector<std::int64_t> numbers;  ///< of a sequence, if the reader packed it; then no items
  std::uint32_t line = 0;             ///< 1 is the first

  bool is_nil() const { return kind == Kind::nil; }
  /// A word, whether written as keyword, symbol or string.
  bool is_word() const {
    return kind == Kind::keyword || kind == Kind::symbol || kind == Kind::text;
  }
  /// The value of a map under the word `key`; null if there is none.
  const Edn* find(std::string_view key) const;
  Edn* find(std::string_view key) { return const_cast<Edn*>(std::as_const(*this).find(key)); }
};

/// Not thread-safe. `content` must outlive it.
class EdnReader {
 public:
  /// Sequences of integers alone, nested at least `packed_from` deep, come as `numbers`: a history
  /// of lists has millions of them.
  EdnReader(std::string_view content, std::string source, int packed_from = kNeverPacked)
      : content_(content), source_(std::move(source)), packed_from_(packed_from) {}
  static constexpr int kNeverPacked = 1 << 30;

  /// The next form; none at the end. If the first form of the input is a list or vector, its
  /// elements are the forms, so that a history may be wrapped in one or not.
  Result<std::optional<Edn>> next();

  Error error(std::string_view expected) const;

 private:
  static constexpr int kDepthMax = 64;

  // Each fills `edn`; false with error_ set.
  bool form(Edn& edn, int depth);
  bool sequence(Edn& edn, char closing, int depth, Edn::Kind kind);
  bool packed(Edn& edn, char closing);
  bool text(Edn& edn);
  bool hashed(Edn& edn, int depth);
  void atom(Edn& edn);
  bool refuse(std::string_view expected);
  bool skip_blank();
  std::string_view word();
  bool at_end() const { return at_ == content_.size(); }
  char now() const { return content_[at_]; }

  std::string_view content_;
  std::string source_;
  int packed_from_;
  int nesting_ = 0;  // of sequences and maps; a tag is none
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;
  bool started_ = false;
  Error error_;
  char closing_ = 0;  ///< of the list that wraps all forms
};

}  // namespace consistory
