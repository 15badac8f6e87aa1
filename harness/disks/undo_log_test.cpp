#include "harness/disks/undo_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

namespace consistory {
namespace {

class UndoLogTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/file";
    file_ = Descriptor(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_TRUE(file_);
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }

  void write(UndoLog& log, const std::string& bytes, off_t offset) {
    log.before_change(*file_, offset, bytes.size());
    ASSERT_EQ(pwrite(*file_, bytes.data(), bytes.size(), offset),
              static_cast<ssize_t>(bytes.size()));
  }
  void cut(UndoLog& log, off_t size) {
    log.before_change(*file_, size, 0);
    ASSERT_EQ(ftruncate(*file_, size), 0);
  }
  std::string content() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string folder_ = "/tmp/undo-log-XXXXXX", path_;
  Descriptor file_;
};

TEST_F(UndoLogTest, ExactlyWhatWasSyncedSurvives) {
  UndoLog log;
  write(log, "synced", 0);
  log.synced(*file_);
  write(log, " and not", 6);
  write(log, "SY", 0);
  EXPECT_EQ(content(), "SYnced and not");
  const UndoLog::Loss loss = log.take_back(false);
  EXPECT_EQ(content(), "synced");
  EXPECT_EQ(loss.changes, 2U);
  EXPECT_EQ(loss.files, 1U);
  EXPECT_EQ(loss.bytes, 10U);
  EXPECT_TRUE(log.empty());
}

TEST_F(UndoLogTest, ATruncationIsTakenBack) {
  UndoLog log;
  write(log, "0123456789", 0);
  log.synced(*file_);
  cut(log, 3);
  write(log, "abc", 3);
  log.take_back(false);
  EXPECT_EQ(content(), "0123456789");
}

TEST_F(UndoLogTest, AGapIsTakenBack) {
  UndoLog log;
  write(log, "ab", 0);
  log.synced(*file_);
  write(log, "cd", 10);
  log.take_back(false);
  EXPECT_EQ(content(), "ab");
}

TEST_F(UndoLogTest, TornLeavesHalfOfTheLastWrite) {
  UndoLog log;
  write(log, "old old ", 0);
  log.synced(*file_);
  write(log, "XXXX", 8);
  write(log, "new new ", 0);
  log.take_back(true);
  EXPECT_EQ(content(), "new old ");
}

TEST_F(UndoLogTest, TornLeavesHalfOfTheLastOfSeveralAppends) {
  UndoLog log;
  write(log, "S", 0);
  log.synced(*file_);
  write(log, "AAAA", 1);
  write(log, "BBBB", 5);
  const UndoLog::Loss loss = log.take_back(true);
  EXPECT_TRUE(loss.torn);
  EXPECT_EQ(content(), std::string("S\0\0\0\0BB", 7));
  EXPECT_EQ(loss.bytes, 6U);
}

TEST_F(UndoLogTest, ASyncCoversWhatWasWrittenBeforeIt) {
  UndoLog log;
  write(log, "before", 0);
  const std::uint64_t until = log.changes();
  write(log, " after", 6);
  log.synced(*file_, until);
  EXPECT_FALSE(log.take_back(true).changes == 0);
  EXPECT_EQ(content(), "before af");
}

TEST_F(UndoLogTest, WhatIsOldOrTooMuchCountsAsWrittenBack) {
  UndoLog young(kSecond / 2);
  write(young, "first", 0);
  pause_for(kSecond * 6 / 10);
  write(young, "second", 5);
  young.take_back(false);
  EXPECT_EQ(content(), "first");
  UndoLog small(30 * kSecond, 4);
  write(small, "FIRST", 0);  // remembers five bytes
  write(small, "!", 5);
  small.take_back(false);
  EXPECT_EQ(content(), "FIRST");
}

TEST_F(UndoLogTest, OutlivesTheNameOfTheFile) {
  UndoLog log;
  write(log, "x", 0);
  ASSERT_EQ(rename(path_.c_str(), (path_ + "2").c_str()), 0);
  path_ += "2";
  file_.reset();
  log.take_back(false);
  EXPECT_EQ(content(), "");
}

}  // namespace
}  // namespace consistory
