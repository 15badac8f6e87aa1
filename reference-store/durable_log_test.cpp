#include "reference-store/durable_log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace refstore {
namespace {

class DurableLogTest : public testing::Test {
 protected:
  DurableLogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "durable-log-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/log";
  }
  ~DurableLogTest() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> reopen(std::size_t* torn = nullptr) {
    DurableLog log(path_, {});
    std::vector<std::string> records;
    const std::size_t cut =
        log.replay([&](std::string_view record) { records.emplace_back(record); });
    if (torn != nullptr) *torn = cut;
    return records;
  }
  void write(const DurableLog::Options& options) {
    DurableLog log(path_, options);
    log.append("one");
    log.sync();
    log.append("two");  // never synced
  }

  std::string folder_, path_;
};

TEST_F(DurableLogTest, KeepsWhatWasSynced) {
  write({.volatile_disk = true});
  EXPECT_EQ(reopen(), (std::vector<std::string>{"one"}));
}

TEST_F(DurableLogTest, WithoutFsyncAVolatileDiskKeepsNothing) {
  write({.fsync = DurableLog::Fsync::never, .volatile_disk = true});
  EXPECT_TRUE(reopen().empty());
}

TEST_F(DurableLogTest, ASnapshotTakesThePlaceOfTheLog) {
  {
    DurableLog log(path_, {});
    for (const char* record : {"one", "two"}) log.append(record);
    log.sync();
    log.append("three");
    log.replace({"all three"});
    log.append("four");
    log.sync();
  }
  EXPECT_EQ(reopen(), (std::vector<std::string>{"all three", "four"}));
}

TEST_F(DurableLogTest, ASnapshotIsWholeWhateverThePolicy) {
  for (const auto fsync :
       {DurableLog::Fsync::always, DurableLog::Fsync::interval, DurableLog::Fsync::never}) {
    {
      DurableLog log(path_, {.fsync = fsync});
      log.append("one");
      log.replace({"all", "of it"});
      log.append("next");
      log.sync();
    }
    EXPECT_EQ(reopen(), (std::vector<std::string>{"all", "of it", "next"}));
  }
}

TEST_F(DurableLogTest, ASnapshotOnAVolatileDiskWithoutFsyncIsLostToo) {
  {
    DurableLog log(path_, {.fsync = DurableLog::Fsync::never, .volatile_disk = true});
    log.replace({"all"});
    log.sync();
  }
  EXPECT_TRUE(reopen().empty());
}

TEST_F(DurableLogTest, CutsATornTail) {
  write({});
  std::ofstream(path_, std::ios::app) << "torn";
  std::size_t torn = 0;
  EXPECT_EQ(reopen(&torn), (std::vector<std::string>{"one"}));
  EXPECT_EQ(torn, 4U);
  EXPECT_EQ(reopen(&torn).size(), 1U);
  EXPECT_EQ(torn, 0U);
}

TEST_F(DurableLogTest, RefusesARecordWhoseBytesChanged) {
  write({});
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(13);
  file.put('X');
  file.close();
  EXPECT_TRUE(reopen().empty());
}

TEST_F(DurableLogTest, IncarnationsNeverRepeat) {
  EXPECT_EQ(next_incarnation(folder_ + "/incarnation"), 1U);
  EXPECT_EQ(next_incarnation(folder_ + "/incarnation"), 2U);
}

}  // namespace
}  // namespace refstore
