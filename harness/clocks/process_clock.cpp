#include "harness/clocks/process_clock.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>

#include "harness/clocks/clock_stub.h"
#include "harness/clocks/stopped_process.h"

namespace consistory {
namespace {

constexpr std::size_t kJumpSize = 5;  // e9, and 32 bits of distance
constexpr int kAttempts = 50;         // to find no thread in the bytes that change
constexpr Nanos kBetweenAttempts = kMillisecond;

/// The vdso as the kernel gave it to this process; that of any other of its kind is the same.
struct Vdso {
  std::vector<std::byte> image;          // whole pages
  std::size_t code = 0;                  // where there is room for the stub
  std::array<std::size_t, 3> entries{};  // clock_gettime, gettimeofday, time; 0: there is none
};

struct Mapping {
  std::uint64_t begin = 0, end = 0;
};

std::optional<Mapping> vdso_mapping(pid_t process) {
  std::ifstream maps(fmt::format("/proc/{}/maps", process));
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with("[vdso]")) continue;
    Mapping mapping;
    const char* end = line.data() + line.size();
    const auto [dash, status] = std::from_chars(line.data(), end, mapping.begin, 16);
    if (status != std::errc{} || dash == end) return std::nullopt;
    std::from_chars(dash + 1, end, mapping.end, 16);
    return mapping;
  }
  return std::nullopt;
}

std::optional<Vdso> find_vdso() {
  const auto mapping = vdso_mapping(getpid());
  void* library = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
  if (!mapping || library == nullptr || clock_stub().bytes.empty()) return std::nullopt;
  Vdso vdso;
  const auto* begin = reinterpret_cast<const std::byte*>(mapping->begin);
  vdso.image.assign(begin, begin + (mapping->end - mapping->begin));
  const std::array<const char*, 3> names = {"__vdso_clock_gettime", "__vdso_gettimeofday",
                                            "__vdso_time"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* function = static_cast<const std::byte*>(dlsym(library, names[i]));
    vdso.entries[i] = function == nullptr ? 0 : static_cast<std::size_t>(function - begin);
  }
  dlclose(library);
  std::size_t used = vdso.image.size();
  while (used > 0 && vdso.image[used - 1] == std::byte{0}) --used;
  vdso.code = (used + 63) / 64 * 64;
  const bool fits = vdso.code + clock_stub().bytes.size() <= vdso.image.size();
  return fits && vdso.entries[0] != 0 ? std::optional(std::move(vdso)) : std::nullopt;
}

const std::optional<Vdso>& own_vdso() {
  static const std::optional<Vdso> vdso = find_vdso();
  return vdso;
}

Nanos read_own(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

ClockSlot slot_of(clockid_t clock, Nanos offset, double drift) {
  return {offset, read_own(clock), static_cast<std::int64_t>(drift * kClockRateUnit)};
}

/// A process of which every thread stands still, and where its vdso is.
class Patient {
 public:
  static Result<Patient> stop(pid_t process) {
    if (!own_vdso())
      return environment_error("clocks cannot be moved: there is no vdso that we know");
    const auto mapping = vdso_mapping(process);
    Result<StoppedProcess> stopped = StoppedProcess::stop(process);
    if (!stopped) return stopped.error();
    if (!mapping || mapping->end - mapping->begin != own_vdso()->image.size()) {
      return environment_error(fmt::format(
          "the clock of process {} cannot be moved: its vdso is missing or another than ours",
          process));
    }
    return Patient(std::move(*stopped), mapping->begin);
  }

  /// Apart from what we put there ourselves, is the vdso what we know?
  bool is_known() const {
    std::vector<std::byte> image(own_vdso()->image.size());
    if (!process_.read(base_, image)) return false;
    patched_ = has_stub(image);
    if (patched_) return true;
    return image == own_vdso()->image;
  }

  bool runs_in_entries() const {
    for (const std::size_t entry : own_vdso()->entries) {
      if (entry != 0 && process_.runs_in(base_ + entry + 1, base_ + entry + kJumpSize)) return true;
    }
    return false;
  }

  bool write_slots(const ClockSlots& slots) {
    if (patched_) return write(own_vdso()->code + clock_stub().slots, bytes_of(slots));
    std::vector<std::byte> code(clock_stub().bytes.begin(), clock_stub().bytes.end());
    std::memcpy(code.data() + clock_stub().slots, &slots, sizeof slots);
    return write(own_vdso()->code, code);
  }

  bool lead_to_stub() {
    const std::array<std::size_t, 3> functions = {clock_stub().clock_gettime,
                                                  clock_stub().gettimeofday, clock_stub().time};
    bool fine = true;
    for (std::size_t i = 0; i < functions.size(); ++i) {
      const std::size_t entry = own_vdso()->entries[i];
      if (entry == 0) continue;
      const auto distance =
          static_cast<std::int32_t>(static_cast<std::int64_t>(own_vdso()->code + functions[i]) -
                                    static_cast<std::int64_t>(entry + kJumpSize));
      std::array<std::byte, kJumpSize> jump{std::byte{0xe9}};
      std::memcpy(jump.data() + 1, &distance, sizeof distance);
      fine = write(entry, jump) && fine;
    }
    return fine;
  }

  /// The stub stays, since a thread may be in it; nothing leads there any more.
  bool lead_back() {
    bool fine = true;
    for (const std::size_t entry : own_vdso()->entries) {
      if (entry == 0) continue;
      fine = write(entry, std::span(own_vdso()->image).subspan(entry, kJumpSize)) && fine;
    }
    return fine;
  }

  std::optional<Nanos> ask(clockid_t clock) {
    timespec time{};
    const std::uint64_t trap = base_ + own_vdso()->code + clock_stub().trap;
    const bool told =
        process_.call(base_ + own_vdso()->entries[0], static_cast<std::uint64_t>(clock), trap,
                      std::as_writable_bytes(std::span(&time, 1)));
    if (!told) return std::nullopt;
    return time.tv_sec * kSecond + time.tv_nsec;
  }

  bool patched() const { return patched_; }

 private:
  Patient(StoppedProcess process, std::uint64_t base) : process_(std::move(process)), base_(base) {}

  static bool has_stub(const std::vector<std::byte>& image) {
    const auto mark = clock_stub().bytes.first(clock_stub().slots);
    return std::equal(mark.begin(), mark.end(),
                      image.begin() + static_cast<std::ptrdiff_t>(own_vdso()->code));
  }
  static std::span<const std::byte> bytes_of(const ClockSlots& slots) {
    return std::as_bytes(std::span(&slots, 1));
  }
  bool write(std::size_t offset, std::span<const std::byte> bytes) {
    return process_.write(base_ + offset, bytes);
  }

  StoppedProcess process_;
  std::uint64_t base_;
  mutable bool patched_ = false;
};

/// Tries until no thread stands in the middle of the bytes that change.
template <class Work>
Status operate(pid_t process, const Work& work) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    {
      Result<Patient> patient = Patient::stop(process);
      if (!patient) return patient.error();
      if (!patient->is_known()) {
        return environment_error(fmt::format(
            "the clock of process {} cannot be moved: its vdso is not the kernel's", process));
      }
      if (!patient->runs_in_entries()) {
        if (work(*patient)) return Done{};
        return environment_error(fmt::format(
            "the clock of process {} cannot be moved: its memory cannot be written", process));
      }
    }
    pause_for(kBetweenAttempts);
  }
  return environment_error(fmt::format(
      "the clock of process {} cannot be moved: it asks for the time all the time", process));
}

}  // namespace

namespace {

/// On a child of our own, since a container may forbid to trace.
Status try_it_out() {
  if (!own_vdso()) {
    return environment_error(
        "clocks of processes cannot be moved on this machine: it takes x86-64, and a vdso with "
        "some room at its end");
  }
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  if (child < 0) return environment_error("no process can be started to try to move its clock");
  Status moved = move_clock(child, {kSecond, 0, 0, 0});
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return moved;
}

}  // namespace

Status can_move_clocks() {
  static const Status tried = try_it_out();
  return tried;
}

Status move_clock(pid_t process, const ClockSkew& skew) {
  const ClockSlots slots{slot_of(CLOCK_REALTIME, skew.wall, skew.wall_drift),
                         slot_of(CLOCK_MONOTONIC, skew.monotonic, skew.monotonic_drift)};
  return operate(process, [&](Patient& patient) {
    if (skew.none()) return !patient.patched() || (patient.lead_back() && patient.write_slots({}));
    return patient.write_slots(slots) && patient.lead_to_stub();
  });
}

Result<ClockReading> read_clock(pid_t process) {
  ClockReading reading;
  const Status asked = operate(process, [&](Patient& patient) {
    if (!patient.patched()) return true;  // never moved
    const Nanos wall_before = read_own(CLOCK_REALTIME);
    const auto wall = patient.ask(CLOCK_REALTIME);
    const Nanos monotonic_before = read_own(CLOCK_MONOTONIC);
    const auto monotonic = patient.ask(CLOCK_MONOTONIC);
    if (!wall || !monotonic) return false;
    reading = {*wall - wall_before, *monotonic - monotonic_before};
    return true;
  });
  if (!asked) return asked.error();
  return reading;
}

}  // namespace consistory
