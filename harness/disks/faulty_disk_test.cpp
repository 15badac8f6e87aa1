// What programs see on a disk that is told to misbehave: everything through ordinary system calls
// on the mount, nothing by reading settings back. Runs in a sandbox of its own, so that no mount is
// left whatever happens.
#include "harness/disks/faulty_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/descriptor.h"
#include "harness/sandbox/enter.h"

namespace consistory {
namespace {

namespace fs = std::filesystem;

class FaultyDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    fs::create_directory(folder_ + "/backing");
    fs::create_directory(folder_ + "/disk");
    auto mounted =
        FaultyDisk::mount(folder_ + "/backing", folder_ + "/disk", [this](pid_t) { ++crashes_; });
    ASSERT_TRUE(mounted) << mounted.error().message;
    disk_ = std::move(*mounted);
  }
  void TearDown() override {
    disk_.reset();
    fs::remove_all(folder_);
  }

  std::string on_disk(const std::string& name) const { return folder_ + "/disk/" + name; }
  Descriptor open_file(const std::string& name, int flags = 0) const {
    return Descriptor(open(on_disk(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600));
  }
  static ssize_t put(const Descriptor& file, const std::string& bytes) {
    return write(*file, bytes.data(), bytes.size());
  }
  std::string content(const std::string& name) const {
    std::ifstream file(on_disk(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string folder_ = "/tmp/faulty-disk-XXXXXX";
  std::atomic<int> crashes_ = 0;
  std::unique_ptr<FaultyDisk> disk_;
};

TEST_F(FaultyDiskTest, IsAnOrdinaryFileSystem) {
  fs::create_directories(on_disk("a/b"));
  std::ofstream(on_disk("a/b/c")) << "text";
  fs::rename(on_disk("a/b/c"), on_disk("d"));
  fs::create_symlink("d", on_disk("e"));
  EXPECT_EQ(content("e"), "text");
  EXPECT_EQ(fs::file_size(on_disk("d")), 4U);
  fs::resize_file(on_disk("d"), 2);
  EXPECT_EQ(content("d"), "te");
  std::ofstream(on_disk("d"), std::ios::app) << "st";
  EXPECT_EQ(content("d"), "test");
  fs::remove_all(on_disk("a"));
  std::size_t entries = 0;
  for (const auto& entry : fs::directory_iterator(folder_ + "/disk")) {
    static_cast<void>(entry);
    ++entries;
  }
  EXPECT_EQ(entries, 2U);
}

TEST_F(FaultyDiskTest, APowerCutLeavesExactlyWhatWasSynced) {
  {
    const Descriptor file = open_file("log", O_APPEND);
    ASSERT_EQ(put(file, "one "), 4);
    ASSERT_EQ(fsync(*file), 0);
    ASSERT_EQ(put(file, "two "), 4);
    ASSERT_EQ(fdatasync(*file), 0);
    ASSERT_EQ(put(file, "three "), 6);
    const Descriptor other = open_file("other");
    ASSERT_EQ(put(other, "never synced"), 12);
  }
  EXPECT_EQ(content("log"), "one two three ");
  EXPECT_EQ(disk_->lose_unsynced(false), "lost 18 bytes of 2 unsynced writes to 2 files");
  EXPECT_EQ(content("log"), "one two ");
  EXPECT_EQ(content("other"), "");
}

TEST_F(FaultyDiskTest, WhatIsWrittenSynchronouslyOrMappedAndSyncedSurvives) {
  {
    const Descriptor file = open_file("direct", O_DSYNC);
    ASSERT_EQ(put(file, "at once"), 7);
    const Descriptor mapped = open_file("mapped");
    ASSERT_EQ(ftruncate(*mapped, 4096), 0);
    ASSERT_EQ(fsync(*mapped), 0);
    void* memory = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, *mapped, 0);
    ASSERT_NE(memory, MAP_FAILED);
    std::memcpy(memory, "by memory", 9);
    ASSERT_EQ(msync(memory, 4096, MS_SYNC), 0);
    munmap(memory, 4096);
  }
  disk_->lose_unsynced(false);
  EXPECT_EQ(content("direct"), "at once");
  EXPECT_EQ(content("mapped").substr(0, 9), "by memory");
}

TEST_F(FaultyDiskTest, TheNthWriteOrFsyncFailsOnce) {
  DiskTrouble trouble;
  trouble.failing_write = 2;
  trouble.failing_fsync = 1;
  disk_->set_trouble(trouble);
  const Descriptor file = open_file("file");
  EXPECT_EQ(put(file, "a"), 1);
  EXPECT_EQ(put(file, "b"), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(put(file, "c"), 1);
  EXPECT_EQ(fsync(*file), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(fsync(*file), 0);
  EXPECT_EQ(disk_->counters().failed, 2U);
}

TEST_F(FaultyDiskTest, IsFullAndHasRoomAgain) {
  DiskTrouble trouble;
  trouble.bytes_left = 5;
  disk_->set_trouble(trouble);
  const Descriptor file = open_file("file");
  EXPECT_EQ(put(file, "12345"), 5);
  EXPECT_EQ(put(file, "6"), -1);
  EXPECT_EQ(errno, ENOSPC);
  disk_->set_trouble({});
  EXPECT_EQ(put(file, "6"), 1);
  EXPECT_EQ(disk_->counters().refused, 1U);
}

TEST_F(FaultyDiskTest, AnFsyncTakesItsTime) {
  DiskTrouble trouble;
  trouble.fsync_delay = 100 * kMillisecond;
  disk_->set_trouble(trouble);
  const Descriptor file = open_file("file");
  ASSERT_EQ(put(file, "x"), 1);
  const Nanos from = monotonic_now();
  ASSERT_EQ(fsync(*file), 0);
  EXPECT_GE(monotonic_now() - from, 100 * kMillisecond);
}

TEST_F(FaultyDiskTest, ALieIsFoundOutByThePowerCut) {
  DiskTrouble trouble;
  trouble.fsyncs_lie = true;
  disk_->set_trouble(trouble);
  {
    const Descriptor file = open_file("file");
    ASSERT_EQ(put(file, "promised"), 8);
    ASSERT_EQ(fsync(*file), 0);
  }
  disk_->lose_unsynced(false);
  EXPECT_EQ(content("file"), "");
  EXPECT_EQ(disk_->counters().lied, 1U);
}

TEST_F(FaultyDiskTest, CrashesExactlyAtTheFsyncThatWasAsked) {
  DiskTrouble trouble;
  trouble.crash_at_fsync = 2;
  disk_->set_trouble(trouble);
  {
    const Descriptor file = open_file("file");
    ASSERT_EQ(put(file, "first"), 5);
    ASSERT_EQ(fsync(*file), 0);
    EXPECT_EQ(crashes_, 0);
    ASSERT_EQ(put(file, "second"), 6);
    ASSERT_NE(fsync(*file), 0);
    EXPECT_EQ(crashes_, 1);
  }
  disk_->lose_unsynced(false);
  EXPECT_EQ(content("file"), "first");
}

TEST_F(FaultyDiskTest, OneBitIsAnother) {
  std::ofstream(on_disk("file")) << std::string(100, 'x');
  Random random(1);
  const Result<std::string> flipped = disk_->flip_bit(random);
  ASSERT_TRUE(flipped);
  const std::string now = content("file");
  int bits = 0;
  for (const char byte : now) bits += __builtin_popcount(static_cast<unsigned char>(byte ^ 'x'));
  EXPECT_EQ(bits, 1) << *flipped;
}

}  // namespace
}  // namespace consistory

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto skip = [](const consistory::Status& status) {
    std::printf("skipped: %s\n", status.error().message.c_str());
    return 77;
  };
  if (const consistory::Status can = consistory::can_mount_disks(); !can) return skip(can);
  if (const consistory::Status inside = consistory::enter_sandbox(); !inside) return skip(inside);
  return RUN_ALL_TESTS();
}
