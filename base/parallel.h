#pragma once
// Work that falls into independent numbered parts, done by several threads. What comes out must not
// depend on how many: parts write to places of their own, and choices go by number, not by time.

#include <cstddef>
#include <functional>
#include <thread>

namespace consistory {

constexpr std::size_t kWorkersMax = 64;

/// How many threads work at once: what set_worker_count() said, else one for each processor.
std::size_t worker_count();
/// At most kWorkersMax; 0 goes back to one for each processor. Not while work is under way.
void set_worker_count(std::size_t count);

/// Calls part(number, worker) once for each number below `count`, roughly in ascending order;
/// `worker` is below worker_count(), and no two calls with one worker overlap. Returns when all are
/// done. The first exception, by number, is thrown again here.
void in_parallel(std::size_t count,
                 const std::function<void(std::size_t number, std::size_t worker)>& part);

/// Does `work`, which must not throw, while its owner does something else: by a thread of its own,
/// or at once if there is only one to have. The end of its life waits for the work's.
class Beside {
 public:
  explicit Beside(const std::function<void()>& work);

 private:
  std::jthread thread_;
};

}  // namespace consistory
