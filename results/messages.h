#pragma once
// Messages between the nodes of a store that lets them be seen, and between nodes and clients.

#include <string>
#include <vector>

#include "base/clock.h"

namespace consistory {

struct Message {
  Nanos sent_ns = 0;       ///< since the load began, as all times of a history
  Nanos received_ns = -1;  ///< below 0: it never came
  std::string from, to;    ///< "n1"; "clients"
  std::string body;        ///< one line of JSON, as the store sent it: not trusted
};

/// One line of JSON a message.
std::string messages_jsonl(const std::vector<Message>& messages);

/// Those worth drawing, in the order of sending: around the time from `from` to `to`, or the first
/// ones if that is none (`to` below 0); never more than a page holds.
std::vector<Message> messages_around(const std::vector<Message>& messages, Nanos from, Nanos to);

/// A lane for each place, time downwards (every event takes one step, and the axis tells the real
/// times), an arrow from sender to receiver; a message that never came ends half-way in a cross.
std::string message_diagram_svg(const std::vector<Message>& messages);

}  // namespace consistory
