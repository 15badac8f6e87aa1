#pragma once
// What `adapter new` writes.

#include <span>
#include <string_view>

namespace consistory {

struct AdapterTemplate {
  std::string_view language;
  std::string_view extension;
  std::string_view summary;
  std::string_view text;
  std::string_view next;  ///< what to do with it; {} is its path
};

std::span<const AdapterTemplate> adapter_templates();

}  // namespace consistory
