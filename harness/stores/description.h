#pragma once
// StoreDescription: a store as a TOML file tells of it (docs/ADAPTERS.md): how its nodes start, and
// how clients speak to them, by HTTP or through a plugin.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "checkers/history/operation.h"

namespace consistory {

/// One kind of request: what is sent, and what the answers mean. Texts have placeholders.
struct HttpMapping {
  std::string method = "GET";
  std::string path;
  std::string body;
  std::vector<long> ok = {200};
  std::vector<long> missing;  ///< read: the key has no value. cas: it was not swapped
  std::string value;          ///< a JSON pointer into the answer; empty: the answer itself
  std::string absent;         ///< read: the key has no value if the answer lacks this pointer
  bool base64 = false;        ///< the value is coded so
  std::string version;        ///< the same, to a whole number; empty: there is none
  std::string swapped;        ///< cas: the same, to a boolean; empty: the status tells
};

struct StoreDescription {
  std::string name = "store";
  std::string here;  ///< the directory that the file lies in
  std::vector<std::string> claims;
  std::vector<std::string> functions;  ///< of a plugin; empty: as it says itself

  std::vector<std::string> command;  ///< of a node; empty: nodes run elsewhere
  std::string each_peer;             ///< what {each_peer} repeats for every node, with commas
  std::string ready;                 ///< "http://…", which answers 200, or "tcp://host:port"
  std::string settled;  ///< "http://…", the answer to which is the same at all nodes once they hold
                        ///< the same updates; empty: nobody can tell
  std::string settled_value;  ///< a JSON pointer into that answer; empty: all of it counts
  Nanos start_timeout = 10 * kSecond;
  bool own_address = false;  ///< nodes use more than the port that they are given

  std::map<std::string, HttpMapping> http;  ///< by function; "local-read": of a node's own copy
  std::vector<long> failed;                 ///< statuses after which nothing was done
  std::vector<std::string> failed_texts;    ///< the same, in the answer
  std::vector<std::string> plugin;          ///< the command of a client; empty: HTTP
};

/// Errors have file, line and column.
Result<StoreDescription> read_description(const std::string& path);

/// What placeholders stand for: "{key}" -> "r1". Of an unknown one nothing is replaced.
using Placeholders = std::map<std::string, std::string>;
std::string fill_in(const std::string& text, const Placeholders& placeholders);

}  // namespace consistory
