#include "harness/cluster/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace consistory {
namespace {

class ChildProcessTest : public testing::Test {
 protected:
  ChildProcessTest() {
    std::string name = (std::filesystem::temp_directory_path() / "child-process-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    log_ = folder_ + "/log";
  }
  ~ChildProcessTest() override { std::filesystem::remove_all(folder_); }

  ChildProcess spawn(const std::string& script) {
    auto child = ChildProcess::spawn({"/bin/sh", {"-c", script}}, log_);
    EXPECT_TRUE(child) << (child ? "" : child.error().message);
    return std::move(*child);
  }
  static Nanos soon() { return monotonic_now() + 10 * kSecond; }

  std::string folder_, log_;
};

TEST_F(ChildProcessTest, ReportsHowItEnded) {
  EXPECT_EQ(describe_end(*spawn("exit 3").wait(soon())), "exited with 3");
  EXPECT_EQ(describe_end(*spawn("kill -SEGV $$").wait(soon())), "killed by signal 11");
}

TEST_F(ChildProcessTest, AKillReachesTheWholeGroup) {
  ChildProcess child = spawn("sleep 1000 & echo $! > " + folder_ + "/pid; wait");
  pid_t grandchild = 0;
  const Nanos deadline = soon();
  while (grandchild == 0 && monotonic_now() < deadline)
    std::ifstream(folder_ + "/pid") >> grandchild;
  ASSERT_GT(grandchild, 0);
  child.signal(SIGKILL);
  EXPECT_TRUE(child.wait(soon()));
  while (kill(grandchild, 0) == 0 && monotonic_now() < deadline) pause_for(kMillisecond);
  std::ifstream status("/proc/" + std::to_string(grandchild) + "/stat");
  std::string line;
  std::getline(status, line);
  EXPECT_TRUE(line.empty() || line.find(") Z") != std::string::npos) << line;
}

TEST_F(ChildProcessTest, PauseShowsInItsState) {
  ChildProcess child = spawn("exec sleep 1000");  // no shell that waits for it
  child.signal(SIGSTOP);
  const Nanos deadline = soon();
  while (child.state() != 'T' && monotonic_now() < deadline) pause_for(kMillisecond);
  EXPECT_EQ(child.state(), 'T');
  EXPECT_TRUE(child.running());
}

TEST_F(ChildProcessTest, NoDescriptorLeaks) {
  const int extra = ::dup(1);
  ChildProcess child = spawn("ls /proc/self/fd");
  ASSERT_TRUE(child.wait(soon()));
  close(extra);
  std::ifstream log(log_);
  std::ostringstream text;
  text << log.rdbuf();
  EXPECT_EQ(text.str(), "0\n1\n2\n3\n");  // 3 is the directory that ls reads
}

TEST_F(ChildProcessTest, AProgramThatIsNotThereIsAnError) {
  const auto child = ChildProcess::spawn({"/no/such/program", {}}, log_);
  ASSERT_FALSE(child);
  EXPECT_THAT(child.error().message, testing::HasSubstr("cannot start /no/such/program"));
}

}  // namespace
}  // namespace consistory
