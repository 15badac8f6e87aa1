#pragma once
// How bad a link is when several faults strike it: their ailments add up, and each takes back only
// what it brought.

#include <vector>

#include "nemesis/controls.h"

namespace consistory {

class ImposedQuality {
 public:
  void impose(const LinkQuality& quality);
  /// Takes back one that was imposed; does nothing if none like it was.
  void lift(const LinkQuality& quality);
  const LinkQuality& total() const { return total_; }

 private:
  void combine();

  std::vector<LinkQuality> imposed_;
  LinkQuality total_;
};

}  // namespace consistory
