// ZooKeeper, by its C client, which is given one server and so stays with it. Updates go through
// the leader; a read is of the server's own state, or comes after a sync. A znode counts its
// changes, which is the version of its value.
//
// The client reconnects on its own and then refuses a server that is behind what it saw, so that a
// session's reads never go back. A handle whose session expired is given up; a new one starts with
// a sync, or it might see less than the old one did.
#include <fmt/format.h>
#define THREADED  // the client with threads of its own, which the header leaves out otherwise
#include <zookeeper/zookeeper.h>

#include <condition_variable>
#include <fstream>
#include <mutex>

#include "base/suggest.h"
#include "harness/clients/login.h"
#include "harness/stores/settings.h"
#include "harness/stores/text_exchange.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 2181;
constexpr int kSessionTimeoutMs = 10'000;

/// What the client's own thread tells; it may do so after we have stopped waiting.
struct Answer {
  std::mutex mutex;
  std::condition_variable wake;
  bool is_there = false;
  int code = ZOK;
  std::string value;
  std::int64_t version = 0;
};
using Shared = std::shared_ptr<Answer>;

/// Taken back by finish().
const void* hand_over(const Shared& answer) { return new Shared(answer); }

void finish(const void* data, int code, const char* value, int length, const Stat* stat) {
  const std::unique_ptr<const Shared> held(static_cast<const Shared*>(data));
  Answer& answer = **held;
  {
    const std::lock_guard lock(answer.mutex);
    answer.is_there = true;
    answer.code = code;
    if (value != nullptr && length > 0)
      answer.value.assign(value, static_cast<std::size_t>(length));
    if (stat != nullptr) answer.version = stat->version + 1;  // 0: there is none yet
  }
  answer.wake.notify_all();
}

void on_data(int code, const char* value, int length, const Stat* stat, const void* data) {
  finish(data, code, value, length, stat);
}
void on_stat(int code, const Stat* stat, const void* data) { finish(data, code, nullptr, 0, stat); }
void on_string(int code, const char*, const void* data) { finish(data, code, nullptr, 0, nullptr); }

/// The code that the client gives, or ZOPERATIONTIMEOUT.
int wait_for(const Shared& answer, Nanos deadline) {
  std::unique_lock lock(answer->mutex);
  const auto left = std::chrono::nanoseconds(std::max<Nanos>(deadline - monotonic_now(), 0));
  answer->wake.wait_for(lock, left, [&] { return answer->is_there; });
  return answer->is_there ? answer->code : ZOPERATIONTIMEOUT;
}

class ZookeeperConnection final : public Connection {
 public:
  ZookeeperConnection(const Endpoint& node, bool syncs) : node_(node.text()), syncs_(syncs) {
    open();
  }
  ~ZookeeperConnection() override { close(); }

  Completion perform(const ClientRequest& request) override {
    const Nanos deadline = monotonic_now() + request.timeout;
    if (handle_ != nullptr && is_unrecoverable(handle_) != ZOK) close();
    if (handle_ == nullptr) open();
    while (handle_ != nullptr && zoo_state(handle_) != ZOO_CONNECTED_STATE) {
      if (monotonic_now() > deadline || is_unrecoverable(handle_) != ZOK)
        return failed("not-connected");
      pause_for(kMillisecond);
    }
    if (handle_ == nullptr) return failed("not-connected");
    const bool reads = request.invocation.function == Function::read;
    if (is_new_ || (syncs_ && reads && !request.local)) {
      if (const int code = sync(deadline); code != ZOK) return failed(zerror(code));
      is_new_ = false;
    }
    return ask(request.invocation, deadline);
  }
  bool broken() const override { return false; }

 private:
  void open() {
    handle_ = zookeeper_init(node_.c_str(), nullptr, kSessionTimeoutMs, nullptr, nullptr, 0);
    if (handle_ != nullptr && !login().user.empty()) {
      const std::string who = login().user + ":" + login().password;
      zoo_add_auth(handle_, "digest", who.data(), static_cast<int>(who.size()), nullptr, nullptr);
    }
    is_new_ = true;
  }
  void close() {
    if (handle_ != nullptr) zookeeper_close(handle_);
    handle_ = nullptr;
  }

  int sync(Nanos deadline) {
    const auto answer = std::make_shared<Answer>();
    const void* data = hand_over(answer);
    return started(zoo_async(handle_, "/", on_string, data), data) ? wait_for(answer, deadline)
                                                                   : ZCONNECTIONLOSS;
  }

  /// What was not taken will not be answered.
  static bool started(int code, const void* data) {
    if (code != ZOK) delete static_cast<const Shared*>(data);
    return code == ZOK;
  }

  int get(const std::string& path, Nanos deadline, Shared& answer) {
    answer = std::make_shared<Answer>();
    const void* data = hand_over(answer);
    const bool sent = started(zoo_aget(handle_, path.c_str(), 0, on_data, data), data);
    return sent ? wait_for(answer, deadline) : ZINVALIDSTATE;
  }
  int set(const std::string& path, const std::string& value, int version, Nanos deadline,
          Shared& answer) {
    answer = std::make_shared<Answer>();
    const void* data = hand_over(answer);
    const bool sent = started(zoo_aset(handle_, path.c_str(), value.data(),
                                       static_cast<int>(value.size()), version, on_stat, data),
                              data);
    return sent ? wait_for(answer, deadline) : ZINVALIDSTATE;
  }
  int create(const std::string& path, const std::string& value, Nanos deadline) {
    const auto answer = std::make_shared<Answer>();
    const void* data = hand_over(answer);
    const bool sent =
        started(zoo_acreate(handle_, path.c_str(), value.data(), static_cast<int>(value.size()),
                            &ZOO_OPEN_ACL_UNSAFE, 0, on_string, data),
                data);
    return sent ? wait_for(answer, deadline) : ZINVALIDSTATE;
  }

  /// Answers of the server that say no; whatever else there is leaves it open what happened.
  static Completion refused(int code) {
    const bool definite = code == ZNONODE || code == ZNODEEXISTS || code == ZBADVERSION ||
                          code == ZINVALIDSTATE || code == ZNOAUTH || code == ZSESSIONMOVED;
    return definite ? failed(zerror(code)) : unknown(zerror(code));
  }

  Completion ask(const Invocation& invocation, Nanos deadline) {
    const std::string path = "/" + invocation.key, value = text_of(invocation.value);
    Completion completion;
    completion.outcome = Outcome::ok;
    Shared answer;
    if (invocation.function == Function::write) return write(path, value, deadline);
    const int code = get(path, deadline, answer);
    if (code != ZOK && code != ZNONODE) return refused(code);
    completion.version = answer->version;
    const Value found = code == ZOK ? value_of_text(answer->value) : Value::nil();
    if (invocation.function == Function::read) {
      completion.value = found;
      return completion;
    }
    if (found != invocation.expected) {
      completion.swapped = false;
      completion.seen = found;
      return completion;
    }
    if (code == ZNONODE) return failed("cas of what is not there");
    const int swapped = set(path, value, static_cast<int>(answer->version) - 1, deadline, answer);
    if (swapped != ZOK) return refused(swapped);
    completion.version = answer->version;
    return completion;
  }

  /// The first write of a key creates it. A step that was refused did nothing, so the next may be
  /// tried.
  Completion write(const std::string& path, const std::string& value, Nanos deadline) {
    Completion completion;
    completion.outcome = Outcome::ok;
    Shared answer;
    int code = set(path, value, -1, deadline, answer);
    if (code == ZOK) completion.version = answer->version;
    if (code == ZNONODE) {
      code = create(path, value, deadline);
      completion.version = 1;
    }
    if (code == ZNODEEXISTS) {
      code = set(path, value, -1, deadline, answer);
      if (code == ZOK) completion.version = answer->version;
    }
    return code == ZOK ? completion : refused(code);
  }

  std::string node_;
  bool syncs_;
  bool is_new_ = true;
  zhandle_t* handle_ = nullptr;
};

class Zookeeper final : public Store {
 public:
  explicit Zookeeper(StoreSettings settings) : settings_(std::move(settings)) {
    zoo_set_debug_level(static_cast<ZooLogLevel>(0));
  }

  std::string description() const override {
    return fmt::format("ZooKeeper, {}", reads() == "local" ? "local reads" : "reads after a sync");
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function function) const override {
    return function == Function::read || function == Function::write || function == Function::cas;
  }
  std::vector<std::string> claims(const Circumstances& now) const override {
    if (now.sessions_move) return {"eventual"};
    return {"sequential", "eventual"};
  }
  bool needs_own_address() const override { return true; }
  unsigned short client_port() const override { return kPort; }
  Nanos start_timeout() const override { return 40 * kSecond; }

  std::vector<Command> preparation(const NodeLayout& layout) const override {
    std::ofstream file(layout.data_directory + "/zoo.cfg");
    file << "tickTime=500\ninitLimit=10\nsyncLimit=4\nadmin.enableServer=false\n"
         << "4lw.commands.whitelist=*\nmaxClientCnxns=0\ndataDir=" << layout.data_directory
         << "\nclientPort=" << kPort << '\n';
    for (std::size_t i = 0; i < layout.peers.size(); ++i)
      file << "server." << i + 1 << '=' << layout.peers[i].host << ":2888:3888\n";
    std::ofstream(layout.data_directory + "/myid") << layout.number << '\n';
    return {};
  }

  /// Debian's zookeeper.jar does not name the jars that it needs.
  std::vector<Command> processes(const NodeLayout& layout) const override {
    std::vector<std::string> places = {"/etc/zookeeper/conf_example"};
    for (const char* jar : {"zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-simple", "netty-all",
                            "metrics-core", "snappy-java", "commons-cli"})
      places.push_back(fmt::format("/usr/share/java/{}.jar", jar));
    return {{find_program("java"),
             {"-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", join(places, ":"),
              "org.apache.zookeeper.server.quorum.QuorumPeerMain",
              layout.data_directory + "/zoo.cfg"}}};
  }

  /// A server without a quorum says that it is not serving; it runs all the same.
  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    const std::string text = exchange_text(layout.own, "srvr", kSecond);
    if (text.empty()) return std::nullopt;
    NodeStatus status;
    const auto after = [&](const std::string& name) {
      const std::size_t at = text.find(name);
      if (at == std::string::npos) return std::string();
      const std::size_t begin = at + name.size();
      return text.substr(begin, text.find('\n', begin) - begin);
    };
    status.drained = !after("Mode: ").empty();
    status.leads = after("Mode: ") == "leader";
    status.position = after("Zxid: ");
    return status;
  }

  Status join_up(const std::vector<NodeLayout>& nodes) const override {
    return await("ZooKeeper to have a leader", 30 * kSecond, [&] {
      for (const NodeLayout& node : nodes) {
        const auto now = status(node);
        if (!now || !now->drained) return false;
      }
      return true;
    });
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    const bool syncs = reads() == "sync";
    return make_blocking_clients(
        slots, [reached, syncs](std::size_t, std::size_t node, Nanos, std::string&) {
          return std::make_unique<ZookeeperConnection>(reached[node - 1], syncs);
        });
  }

 private:
  std::string reads() const { return setting(settings_, "reads", "local"); }

  StoreSettings settings_;
};

}  // namespace

const std::vector<StoreSetting>& zookeeper_settings() {
  static const std::vector<StoreSetting> settings = {
      {"reads",
       "local",
       {"local", "sync"},
       StoreSetting::Kind::choice,
       "zookeeper",
       "reads are of the server's own state, or come after a sync"}};
  return settings;
}

Result<std::unique_ptr<Store>> make_zookeeper(const StoreSettings& given, std::size_t) {
  const Status known = check_settings("zookeeper", given, zookeeper_settings());
  if (!known) return known.error();
  return std::unique_ptr<Store>(std::make_unique<Zookeeper>(given));
}

}  // namespace consistory
