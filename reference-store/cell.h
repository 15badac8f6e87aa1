#pragma once
// What a replica that accepts updates anywhere holds of a key: a register, or a list that grows by
// appends, each in the order of places that the protocol gives (versions, or arrivals).

#include <map>
#include <string>

#include "reference-store/protocol.h"

namespace refstore {

struct Cell {
  std::int64_t place = 0;  ///< of the value: a later one replaces it
  Json value;
  std::map<std::int64_t, Json> elements;  ///< of a list, in its order
  bool list = false;

  void append(std::int64_t at, const Json& element) {
    list = true;
    elements[at] = element;
  }
  void write(std::int64_t at, const Json& written) {
    if (at <= place) return;
    place = at;
    value = written;
  }
  Json shown() const {
    if (!list) return value;
    Json all = Json::array();
    for (const auto& [at, element] : elements) all.push_back(element);
    return all;
  }
};

using Cells = std::map<std::string, Cell>;

inline Json shown(const Cells& cells) {
  Json all = Json::object();
  for (const auto& [key, cell] : cells) all[key] = cell.shown();
  return all;
}

/// (Lamport time, node, incarnation) in one integer, which orders all updates of a store.
inline std::int64_t version_of(std::int64_t lamport, const Config& config) {
  const auto node = static_cast<std::int64_t>(config.self);
  const auto incarnation = static_cast<std::int64_t>(config.incarnation % 128);
  return lamport << 12 | node << 7 | incarnation;
}
/// The Lamport time of a version.
inline std::int64_t lamport_of(std::int64_t version) { return version >> 12; }

}  // namespace refstore
