#include "checkers/history/event_batch.h"

#include <algorithm>

namespace consistory {

void EventBatch::reserve(std::size_t capacity_wanted) {
  if (capacity >= capacity_wanted && bytes != nullptr) return;
  auto more = std::make_unique_for_overwrite<char[]>(capacity_wanted + PlainLineParser::kPadding);
  std::copy_n(bytes.get(), size, more.get());
  bytes = std::move(more);
  capacity = capacity_wanted;
}

}  // namespace consistory
