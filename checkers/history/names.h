#pragma once
// Names: gives each distinct string the index at which it stands in a list of names.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace consistory {

/// Not thread-safe; refers to the list, which must outlive it and grow through it only.
class Names {
 public:
  explicit Names(std::vector<std::string>& list) : list_(&list) {}

  std::uint32_t intern(std::string_view name) {
    const auto known = ids_.find(name);
    if (known != ids_.end()) return known->second;
    const auto id = static_cast<std::uint32_t>(list_->size());
    list_->emplace_back(name);
    ids_.emplace(name, id);
    return id;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };

  std::vector<std::string>* list_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> ids_;
};

}  // namespace consistory
