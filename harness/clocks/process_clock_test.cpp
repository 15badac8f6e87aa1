// A child that looks at its clocks all the time, in several threads, and tells through shared
// memory what it sees; its clocks are moved from outside while it does.
#include "harness/clocks/process_clock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "harness/processes/processes.h"

namespace consistory {
namespace {

constexpr Nanos kMargin = 50 * kMillisecond;  // the child may be kept from running that long

Nanos now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

/// What the child saw last.
struct Seen {
  std::atomic<Nanos> wall, wall_by_gettimeofday, wall_by_time, monotonic;
  std::atomic<Nanos> largest_step_back;
  std::atomic<std::uint64_t> rounds;
};

[[noreturn]] void look_all_the_time(Seen& seen) {
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([] {
      for (;;) static_cast<void>(now(CLOCK_REALTIME));
    });
  }
  Nanos before = now(CLOCK_REALTIME);
  for (;;) {
    const Nanos wall = now(CLOCK_REALTIME);
    if (before - wall > seen.largest_step_back) seen.largest_step_back = before - wall;
    before = wall;
    timeval microseconds{};
    gettimeofday(&microseconds, nullptr);
    seen.wall_by_gettimeofday = microseconds.tv_sec * kSecond + microseconds.tv_usec * 1000;
    seen.wall_by_time = time(nullptr) * kSecond;
    seen.monotonic = now(CLOCK_MONOTONIC);
    seen.wall = wall;
    ++seen.rounds;
    usleep(200);
  }
}

class ProcessClock : public testing::Test {
 protected:
  void SetUp() override {
    if (const Status can = can_move_clocks(); !can) GTEST_SKIP() << can.error().message;
    void* memory =
        mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    seen_ = new (memory) Seen{};
    child_ = fork();
    if (child_ == 0) look_all_the_time(*seen_);
    await_rounds();
  }

  void TearDown() override {
    if (child_ <= 0) return;
    int status = 0;
    EXPECT_EQ(waitpid(child_, &status, WNOHANG), 0) << "the child ended: " << status;
    kill(child_, SIGKILL);
    waitpid(child_, &status, 0);
    munmap(seen_, sizeof(Seen));
  }

  /// Until the child has looked at all its clocks again.
  void await_rounds() {
    const std::uint64_t from = seen_->rounds;
    const Nanos deadline = monotonic_now() + 10 * kSecond;
    while (seen_->rounds < from + 2 && monotonic_now() < deadline) pause_for(kMillisecond);
    ASSERT_GE(seen_->rounds, from + 2) << "the child stands still";
  }

  Nanos wall_offset() {
    await_rounds();
    return seen_->wall - now(CLOCK_REALTIME);
  }
  Nanos monotonic_offset() {
    await_rounds();
    return seen_->monotonic - now(CLOCK_MONOTONIC);
  }

  pid_t child_ = -1;
  Seen* seen_ = nullptr;
};

TEST_F(ProcessClock, TheWallClockMovesAloneAndByEveryFunction) {
  const Nanos machine = now(CLOCK_REALTIME);
  ASSERT_TRUE(move_clock(child_, {(3600 * kSecond), 0, 0, 0}));
  EXPECT_NEAR(static_cast<double>(wall_offset()), (3600 * kSecond), kMargin);
  EXPECT_NEAR(static_cast<double>(seen_->wall_by_gettimeofday - now(CLOCK_REALTIME)),
              (3600 * kSecond), kMargin);
  EXPECT_NEAR(static_cast<double>(seen_->wall_by_time - now(CLOCK_REALTIME)), (3600 * kSecond),
              kSecond + kMargin);
  EXPECT_NEAR(static_cast<double>(monotonic_offset()), 0, kMargin);
  EXPECT_LT(now(CLOCK_REALTIME) - machine, (60 * kSecond)) << "the machine's own clock has moved";
}

TEST_F(ProcessClock, TheMonotonicClockMovesAlone) {
  ASSERT_TRUE(move_clock(child_, {0, 0, 5 * kSecond, 0}));
  EXPECT_NEAR(static_cast<double>(monotonic_offset()), 5 * kSecond, kMargin);
  EXPECT_NEAR(static_cast<double>(wall_offset()), 0, kMargin);
}

TEST_F(ProcessClock, GoesBackToBefore1970) {
  ASSERT_TRUE(move_clock(child_, {-now(CLOCK_REALTIME) - (3600 * kSecond), 0, 0, 0}));
  await_rounds();
  EXPECT_NEAR(static_cast<double>(seen_->wall), -(3600 * kSecond), kMargin);
}

TEST_F(ProcessClock, ADriftIsContinuousAndItsRemovalRestores) {
  ASSERT_TRUE(move_clock(child_, {0, 0.5, 0, 0}));
  const Nanos from = monotonic_now();
  pause_for(400 * kMillisecond);
  const Nanos offset = wall_offset();
  EXPECT_NEAR(static_cast<double>(offset), 0.5 * static_cast<double>(monotonic_now() - from),
              kMargin);
  EXPECT_LT(seen_->largest_step_back, kMillisecond);
  ASSERT_TRUE(move_clock(child_, {}));
  EXPECT_NEAR(static_cast<double>(wall_offset()), 0, kMargin);
}

TEST_F(ProcessClock, IsReadThroughTheProcessItself) {
  Result<ClockReading> reading = read_clock(child_);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->wall, 0);
  ASSERT_TRUE(move_clock(child_, {-(3600 * kSecond), 0, kSecond, 0}));
  reading = read_clock(child_);
  ASSERT_TRUE(reading) << reading.error().message;
  EXPECT_NEAR(static_cast<double>(reading->wall), -(3600 * kSecond), kMargin);
  EXPECT_NEAR(static_cast<double>(reading->monotonic), kSecond, kMargin);
  await_rounds();
}

TEST_F(ProcessClock, SurvivesHundredsOfMovesWhileItLooks) {
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(move_clock(child_, {(i % 7 - 3) * kSecond, 0, 0, 0}));
    if (i % 10 == 0) {
      ASSERT_TRUE(read_clock(child_));
    }
    ASSERT_TRUE(move_clock(child_, {}));
  }
  EXPECT_NEAR(static_cast<double>(wall_offset()), 0, kMargin);
}

TEST_F(ProcessClock, AStoppedProcessStaysStopped) {
  kill(child_, SIGSTOP);
  int status = 0;
  ASSERT_EQ(waitpid(child_, &status, WUNTRACED), child_);
  ASSERT_TRUE(move_clock(child_, {kSecond, 0, 0, 0}));
  const std::uint64_t rounds = seen_->rounds;
  pause_for(30 * kMillisecond);
  EXPECT_EQ(seen_->rounds, rounds);
  kill(child_, SIGCONT);
  EXPECT_NEAR(static_cast<double>(wall_offset()), kSecond, kMargin);
}

TEST(ProcessTree, HoldsChildrenOfChildren) {
  const pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) pause();
    pause();
  }
  const Nanos deadline = monotonic_now() + 5 * kSecond;
  while (process_tree(child).size() < 2 && monotonic_now() < deadline) pause_for(kMillisecond);
  const std::vector<pid_t> tree = process_tree(child);
  ASSERT_EQ(tree.size(), 2U);
  for (const pid_t pid : {tree[1], tree[0]}) kill(pid, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(MoveClock, SaysThatAProcessIsGone) {
  if (!can_move_clocks()) GTEST_SKIP();
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  const Status moved = move_clock(child, {kSecond, 0, 0, 0});
  ASSERT_FALSE(moved);
  EXPECT_NE(moved.error().message.find(std::to_string(child)), std::string::npos);
}

}  // namespace
}  // namespace consistory
