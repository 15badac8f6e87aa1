#pragma once
// Names: gives each distinct string the index at which it stands in a list of names. A history
// names a session, a key and a node on every line, so a name met before has to be found fast:
// short ones, which nearly all are, hash and compare as one or two words.

#include <tsl/robin_map.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace consistory {

/// Not thread-safe; refers to the list, which must outlive it and grow through it only. `Text` owns
/// the names or is a view of them.
template <class Text>
class NamesOf {
 public:
  explicit NamesOf(std::vector<Text>& list) : list_(&list) {}

  /// Expected O(1), plus the name's length if it is over 16 bytes.
  std::uint32_t intern(std::string_view name) {
    const Code code = code_of(name);
    if (code.size > kShort) return intern_long(name);
    Recent& recent = recent_[place_of(code)];
    if (recent.code != code) recent = {code, intern_short(code, name)};
    return recent.id;
  }

 private:
  static constexpr std::size_t kShort = 16;

  /// The whole of a short name.
  struct Code {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::size_t size = 0;
    bool operator==(const Code&) const = default;
  };
  struct CodeHash {
    std::size_t operator()(const Code& code) const {
      return mix_(mix_(code.low) ^ code.high ^ code.size << 56);
    }

   private:
    MixHash mix_;
  };

  /// A name met lately: most are of a few sessions and nodes, and need no table.
  struct Recent {
    Code code = {0, 0, SIZE_MAX};
    std::uint32_t id = 0;
  };
  static constexpr std::size_t kRecent = 256;
  static std::size_t place_of(const Code& code) {
    return (code.low ^ code.high ^ code.size) * 0x9E3779B97F4A7C15U >> 56U;
  }

  /// Its first and its last bytes, which overlap and so leave none out.
  static Code code_of(std::string_view name) {
    const char* end = name.data() + name.size();
    if (name.size() > kShort || name.empty()) return {0, 0, name.size()};
    if (name.size() >= 8)
      return {load<std::uint64_t>(name.data()), load<std::uint64_t>(end - 8), name.size()};
    if (name.size() >= 4)
      return {load<std::uint32_t>(name.data()), load<std::uint32_t>(end - 4), name.size()};
    return {load<std::uint8_t>(name.data()),
            std::uint64_t{load<std::uint8_t>(name.data() + name.size() / 2)} << 8 |
                load<std::uint8_t>(end - 1),
            name.size()};
  }

  template <class Number>
  static Number load(const char* bytes) {
    Number number;
    std::memcpy(&number, bytes, sizeof number);
    return number;
  }

  std::uint32_t intern_short(const Code& code, std::string_view name) {
    const auto known = short_.find(code);
    return known != short_.end() ? known->second : add(short_, code, name);
  }

  std::uint32_t intern_long(std::string_view name) {
    std::string text(name);
    const auto known = long_.find(text);
    return known != long_.end() ? known->second : add(long_, std::move(text), name);
  }

  template <class Map, class Key>
  std::uint32_t add(Map& map, Key key, std::string_view name) {
    const auto id = static_cast<std::uint32_t>(list_->size());
    list_->emplace_back(name);
    map.emplace(std::move(key), id);
    return id;
  }

  std::vector<Text>* list_;
  std::array<Recent, kRecent> recent_;
  tsl::robin_map<Code, std::uint32_t, CodeHash> short_;
  std::map<std::string, std::uint32_t> long_;
};

using Names = NamesOf<std::string>;

}  // namespace consistory
