#pragma once
// One question in text over TCP, and all that comes back until the other end closes.

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/descriptor.h"
#include "harness/cluster/ground.h"

namespace consistory {

/// Empty if there is no answer by then; at most 64 KB of it.
std::string exchange_text(const Endpoint& node, const std::string& question, Nanos timeout);

/// A TCP connection to the node as a descriptor, not blocking; none if it cannot be had by then.
Descriptor connect_to(const Endpoint& node, Nanos deadline);

/// A TCP connection that carries lines, or JSON documents one after the other. Used by one thread.
class TextConnection {
 public:
  /// What comes may not be longer than this.
  static constexpr std::size_t kBytesMax = 4 << 20;

  bool open(const Endpoint& node, Nanos deadline);
  bool is_open() const { return static_cast<bool>(socket_); }
  void close();

  /// False, and closed, if it cannot be sent by then.
  bool send(const std::string& text, Nanos deadline);
  /// Nothing, and closed, if none comes by then.
  std::optional<std::string> receive_line(Nanos deadline);
  /// The next JSON object or array, however it is laid out.
  std::optional<std::string> receive_json(Nanos deadline);

 private:
  bool receive_more(Nanos deadline);

  Descriptor socket_;
  std::string received_;
};

}  // namespace consistory
