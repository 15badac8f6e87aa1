#include "results/run_directory.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/clock.h"

namespace consistory {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 24> kWords = {
    "avocet", "bittern", "curlew",  "dipper",  "egret",  "finch",    "godwit", "heron",
    "ibis",   "jackdaw", "kestrel", "lapwing", "merlin", "nuthatch", "osprey", "plover",
    "quail",  "redwing", "siskin",  "teal",    "thrush", "veery",    "wren",   "yaffle"};

}  // namespace

Result<RunDirectory> RunDirectory::create(const std::string& root) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error) {
    return environment_error(
        fmt::format("cannot create the results directory {}: {} (choose another with --out)", root,
                    error.message()));
  }
  const std::string stamp = calendar_utc();
  Random random(draw_seed());
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::string path =
        fmt::format("{}/{}-{}", root, stamp, kWords[random.below(kWords.size())]);
    if (!fs::create_directory(path, error)) {
      if (!error) continue;  // taken: another word
      return environment_error(fmt::format("cannot create {}: {} (choose another place with --out)",
                                           path, error.message()));
    }
    fs::create_directory(path + "/logs", error);
    fs::create_directory(path + "/data", error);
    return RunDirectory(path);
  }
  return environment_error(fmt::format("cannot find a free name for a run in {}", root));
}

RunDirectory RunDirectory::existing(std::string path) { return RunDirectory(std::move(path)); }

std::string RunDirectory::id() const { return fs::path(path_).filename().string(); }

void RunDirectory::mark_latest() const {
  std::error_code ignored;
  const fs::path link = fs::path(path_).parent_path() / "latest";
  const fs::path fresh = fs::path(path_).parent_path() / fmt::format(".latest-{}", id());
  fs::create_directory_symlink(id(), fresh, ignored);
  fs::rename(fresh, link, ignored);
}

Status write_file(const std::string& path, const std::string& content) {
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file)
    return environment_error(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  std::error_code error;
  fs::rename(fresh, path, error);
  if (error) return environment_error(fmt::format("cannot write {}: {}", path, error.message()));
  return Done{};
}

}  // namespace consistory
