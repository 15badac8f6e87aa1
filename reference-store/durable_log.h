#pragma once
// DurableLog: the one file of a node, append-only. A record is length (4 bytes), checksum (XXH3 of
// the payload, 8 bytes), payload. At start the log is read up to the first record that is cut or
// whose checksum is wrong; the rest, which no sync covered, is cut off.
//
// A snapshot replaces the whole log by the records that stand for it, in one rename.
//
// --disk volatile is a shim that stands for a power cut at every kill: bytes appended since the
// last sync live in memory only. --fsync never never syncs, so under that shim nothing survives:
// the control that proves that a test for lost writes can fail. With --fsync interval the node
// syncs now and then and answers before, so a power cut takes the last moments. Single-threaded. A
// failed write or fsync ends the process: its state is not to be trusted.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace refstore {

class DurableLog {
 public:
  enum class Fsync { always, interval, never };
  struct Options {
    Fsync fsync = Fsync::always;
    bool volatile_disk = false;
  };

  /// Opens or creates `path`; throws std::runtime_error with the reason if it cannot.
  DurableLog(const std::string& path, Options options);
  ~DurableLog();
  DurableLog(const DurableLog&) = delete;
  DurableLog& operator=(const DurableLog&) = delete;

  /// Calls `visit` for each record, then cuts off a torn tail and returns its size in bytes.
  std::size_t replay(const std::function<void(std::string_view)>& visit);

  void append(std::string_view payload);
  /// Appends `payloads` in place of everything appended before.
  void replace(const std::vector<std::string>& payloads);
  /// Must what was appended be synced before anything is answered?
  bool must_sync() const { return dirty_ && !deferred(); }
  bool deferred() const { return options_.fsync == Fsync::interval; }
  /// Makes everything appended so far durable (unless --fsync never).
  void sync();
  /// At an orderly stop: hands over what the shim still holds, whatever --fsync says.
  void close_orderly();

 private:
  void write_out();

  std::string path_;
  int file_ = -1;
  Options options_;
  std::string pending_;
  bool dirty_ = false;
};

/// Reads, adds one to and durably writes the number in `path`: how often the node has started. It
/// is made durable whatever --fsync says, for it keeps versions and request ids from being used
/// twice.
std::uint64_t next_incarnation(const std::string& path);

}  // namespace refstore
