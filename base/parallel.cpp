#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

#include "base/limits.h"

namespace consistory {
namespace {

std::atomic<std::size_t> chosen_count = 0;

}  // namespace

std::size_t worker_count() {
  const std::size_t chosen = chosen_count.load();
  if (chosen > 0) return chosen;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kWorkersMax);
}

void set_worker_count(std::size_t count) { chosen_count.store(std::min(count, kWorkersMax)); }

void in_parallel(std::size_t count,
                 const std::function<void(std::size_t number, std::size_t worker)>& part) {
  const std::size_t workers = std::min(worker_count(), count);
  if (workers <= 1) {
    for (std::size_t number = 0; number < count; ++number) {
      check_time();
      part(number, 0);
    }
    return;
  }
  std::atomic<std::size_t> next = 0;
  std::vector<std::exception_ptr> failures(count);
  const auto work = [&](std::size_t worker) {
    for (std::size_t number = next++; number < count; number = next++) {
      try {
        check_time();
        part(number, worker);
      } catch (...) {
        failures[number] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t worker = 1; worker < workers; ++worker) threads.emplace_back(work, worker);
    work(0);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

Beside::Beside(const std::function<void()>& work) {
  bool started = false;
  try {
    if (worker_count() > 1) thread_ = std::jthread(work);
    started = thread_.joinable();
  } catch (const std::system_error&) {  // no thread to have
  }
  if (!started) work();
}

}  // namespace consistory
