#pragma once
// What the hosts of Maelstrom nodes logged, put together: who sent what when, and when it came.

#include <string>
#include <vector>

#include "results/messages.h"

namespace consistory {

/// Of the logs of n1, n2, … in order; those sent since `origin` (monotonic) alone, which their
/// times count from. In the order of sending. What was sent once and came twice is there twice. Of
/// each log at most 200,000 messages, and none of one that is over 256 MB.
std::vector<Message> read_message_logs(const std::vector<std::string>& paths, Nanos origin);

}  // namespace consistory
