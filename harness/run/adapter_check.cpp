#include "harness/run/adapter_check.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "base/random.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/relay.h"
#include "harness/run/interrupt.h"
#include "harness/stores/text_exchange.h"

namespace consistory {
namespace {

using Finding = AdapterFinding;

/// Hands a request on to the node and then breaks the connection, before any answer can come back.
class BreakingProxy {
 public:
  explicit BreakingProxy(Endpoint node) : node_(std::move(node)) {
    listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(*listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(*listener_, 8);
    getsockname(*listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  Endpoint endpoint() const { return {"127.0.0.1", port_}; }
  int requests() const { return requests_; }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd poller{*listener_, POLLIN, 0};
      if (poll(&poller, 1, 20) <= 0) continue;
      const Descriptor client(accept4(*listener_, nullptr, nullptr, SOCK_CLOEXEC));
      if (client) carry_and_break(client);
    }
  }

  /// Until the client falls silent: then the request has gone.
  void carry_and_break(const Descriptor& client) {
    const Descriptor node = connect_to(node_, monotonic_now() + kSecond);
    std::array<char, 65536> some{};
    pollfd poller{*client, POLLIN, 0};
    bool counted = false;
    while (poll(&poller, 1, 100) > 0) {
      const ssize_t count = recv(*client, some.data(), some.size(), 0);
      if (count <= 0 || !node) break;
      if (!counted) ++requests_;
      counted = true;
      (void)!send(*node, some.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL);
    }
    const linger at_once{1, 0};
    setsockopt(*client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  Endpoint node_;
  Descriptor listener_;
  unsigned short port_ = 0;
  std::atomic<int> requests_ = 0;
  std::jthread thread_;
};

std::string describe(const Completion& completion) {
  std::string text(name_of(completion.outcome));
  if (!completion.error.empty()) text += " (" + completion.error + ")";
  if (completion.outcome != Outcome::ok) return text;
  return text + (completion.elements ? fmt::format(", {} elements", completion.elements->size())
                                     : ", value " + to_string(completion.value));
}

class Examination {
 public:
  Examination(const RunPlan& plan, Clients& clients, Endpoint node)
      : plan_(plan),
        clients_(clients),
        node_(std::move(node)),
        prefix_(fmt::format("check-{:x}-", Random(plan.seed).below(1U << 30))) {}

  std::vector<Finding> run() {
    if (can(Function::write)) examine_register();
    if (can(Function::write) && plan_.store->reads_locally()) examine_local_read();
    if (can(Function::cas)) examine_cas();
    if (can(Function::append)) examine_list();
    if (can(Function::add)) examine_set();
    if (can(Function::increment)) examine_counter();
    examine_broken_update();
    examine_refused_connection();
    return std::move(findings_);
  }

 private:
  bool can(Function function) const { return plan_.store->supports(function); }

  static Completion perform(Clients& clients, const ClientRequest& request) {
    clients.start(0, request);
    const Nanos deadline = monotonic_now() + request.timeout + 15 * kSecond;
    while (monotonic_now() < deadline) {
      const auto finished = clients.poll(100 * kMillisecond);
      if (!finished.empty()) return finished.front().completion;
    }
    return unknown("the client never came back");
  }

  ClientRequest request(Function function, const std::string& key, Value value = {},
                        Value expected = {}, bool list = false) const {
    return {{function, prefix_ + key, std::move(value), std::move(expected), list},
            1,
            false,
            "",
            5 * kSecond};
  }
  Completion ask(Function function, const std::string& key, Value value = {}, Value expected = {},
                 bool list = false) {
    return perform(clients_, request(function, key, std::move(value), std::move(expected), list));
  }

  void expect(std::string what, bool so, const Completion& came, const std::string& advice) {
    findings_.push_back({so ? Finding::Kind::fine : Finding::Kind::wrong, std::move(what),
                         so ? "" : fmt::format("came: {}; {}", describe(came), advice)});
  }

  void examine_register() {
    Completion came = ask(Function::read, "r");
    expect("a key that was never written reads as nothing",
           came.outcome == Outcome::ok && came.value.is_nil() && !came.elements, came,
           "a read of it must be ok with null (HTTP: missing = 404, or absent)");
    write_and_read("a read returns what was written", "r", Value::of(7));
    write_and_read("a later write replaces it", "r", Value::of(8));
    write_and_read("a string keeps its characters", "r",
                   Value::of(std::string("\"quoted\" \\ / + & é 雪 </script>")));
    write_and_read("a value of 64 KB comes back whole", "r", Value::of(std::string(64 << 10, 'x')));
    write_and_read("a number and a string that looks like it stay apart", "r",
                   Value::of(std::string("7")));
  }

  void write_and_read(const std::string& what, const std::string& key, const Value& value) {
    const Completion written = ask(Function::write, key, value);
    if (written.outcome != Outcome::ok)
      return expect(what, false, written, "a write to a healthy node must be ok");
    const Completion read = ask(Function::read, key);
    expect(what, read.outcome == Outcome::ok && read.value == value, read,
           fmt::format("expected {}", to_string(value).substr(0, 60)));
  }

  /// The final reads come so. The only node there is has what was written, if not at once.
  void examine_local_read() {
    ask(Function::write, "o", Value::of(7));
    ClientRequest read = request(Function::read, "o");
    read.local = true;
    Completion came;
    for (const Nanos end = monotonic_now() + 2 * kSecond; monotonic_now() < end;) {
      came = perform(clients_, read);
      if (came.outcome == Outcome::ok && came.value == Value::of(7)) break;
      pause_for(50 * kMillisecond);
    }
    expect("a local read returns what was written",
           came.outcome == Outcome::ok && came.value == Value::of(7), came,
           "expected 7: the final reads are made so ([http.local-read], \"local\")");
  }

  void examine_cas() {
    ask(Function::write, "c", Value::of(1));
    const Completion yes = ask(Function::cas, "c", Value::of(2), Value::of(1));
    expect("a cas that meets what it expects swaps", yes.outcome == Outcome::ok && yes.swapped, yes,
           "it must be ok and swapped");
    const Completion no = ask(Function::cas, "c", Value::of(3), Value::of(1));
    expect("a cas that meets another value does not swap", no.outcome == Outcome::ok && !no.swapped,
           no, "it must be ok and \"swapped\": false, which is no failure");
    const Completion read = ask(Function::read, "c");
    expect("and leaves the value alone", read.value == Value::of(2), read, "expected 2");
  }

  void examine_list() {
    Completion came = ask(Function::read, "l", {}, {}, true);
    const bool empty =
        came.outcome == Outcome::ok && came.elements.value_or(std::vector<Value>()).empty();
    expect("a list that was never appended to reads as empty", empty, came, "expected []");
    ask(Function::append, "l", Value::of(1), {}, true);
    ask(Function::append, "l", Value::of(2), {}, true);
    came = ask(Function::read, "l", {}, {}, true);
    const std::vector<Value> both = {Value::of(1), Value::of(2)};
    expect("appended elements are read in their order", came.elements == both, came,
           "expected [1, 2]");
  }

  ClientRequest read_of_set(const std::string& key) const {
    ClientRequest read = request(Function::read, key);
    read.invocation.set = true;
    return read;
  }

  void examine_set() {
    Completion came = perform(clients_, read_of_set("s"));
    const bool empty = came.outcome == Outcome::ok && came.value.is_nil() &&
                       came.elements.value_or(std::vector<Value>()).empty();
    expect("a set that was never added to reads as empty", empty, came, "expected [] or null");
    ask(Function::add, "s", Value::of(1));
    ask(Function::add, "s", Value::of(2));
    came = perform(clients_, read_of_set("s"));
    std::vector<Value> seen = came.elements.value_or(std::vector<Value>());
    std::sort(seen.begin(), seen.end());
    const std::vector<Value> both = {Value::of(1), Value::of(2)};
    expect("added elements are read, in any order", seen == both, came, "expected [1, 2]");
  }

  void examine_counter() {
    Completion came = ask(Function::read, "i");
    const bool nothing = came.value.is_nil() || came.value == Value::of(0);
    expect("a counter that was never incremented reads as nothing",
           came.outcome == Outcome::ok && nothing, came, "expected 0 or null");
    ask(Function::increment, "i", Value::of(1));
    ask(Function::increment, "i", Value::of(4));
    came = ask(Function::read, "i");
    expect("increments add up", came.value == Value::of(5), came, "expected 5");
  }

  /// Some update that the store can do.
  Function an_update() const {
    for (const Function function : {Function::write, Function::append, Function::add}) {
      if (can(function)) return function;
    }
    return Function::increment;
  }

  /// The request goes out and no answer comes back: the update may have been done.
  void examine_broken_update() {
    const BreakingProxy proxy(node_);
    const auto through = plan_.store->clients(1, {proxy.endpoint()});
    const Function update = an_update();
    const Completion came = perform(*through, request(update, "b", Value::of(16)));
    expect("an update whose connection breaks is info", came.outcome == Outcome::info, came,
           "nobody knows whether it was done: fail is a false alarm to come, ok a lie");
    expect("and is sent once, not again", proxy.requests() == 1, came,
           fmt::format("it was sent {} times: turn retries off", proxy.requests()));
    const Completion read = perform(*through, request(Function::read, "b"));
    expect("a read whose connection breaks is not ok", read.outcome != Outcome::ok, read,
           "no answer came, so there is nothing to tell");
  }

  /// Nobody listens there: nothing was sent.
  void examine_refused_connection() {
    Result<unsigned short> port = free_port();
    if (!port) return;
    const auto nowhere = plan_.store->clients(1, {{"127.0.0.1", *port}});
    const Completion came = perform(*nowhere, request(an_update(), "n", Value::of(16)));
    expect("an update to a node that is not there is not ok", came.outcome != Outcome::ok, came,
           "it must be fail (nothing was sent), or info");
  }

  const RunPlan& plan_;
  Clients& clients_;
  Endpoint node_;
  std::string prefix_;
  std::vector<Finding> findings_;
};

}  // namespace

Result<std::vector<AdapterFinding>> check_adapter(const RunPlan& plan,
                                                  const std::string& directory) {
  std::unique_ptr<Ground> ground;
  if (!plan.endpoints.empty()) {
    ground = make_attached_ground({plan.endpoints.front()});
  } else {
    Result<std::unique_ptr<Ground>> made =
        plan.ground == GroundChoice::sandbox
            ? make_sandbox_ground(1, Random(plan.seed).fork("network"))
            : make_relay_ground(1, {});
    if (!made) return made.error();
    ground = std::move(*made);
  }
  const Endpoint node = ground->reach(kClients, 1);
  if (!plan.endpoints.empty() && !connect_to(node, monotonic_now() + 2 * kSecond))
    return store_error(fmt::format("nobody listens at {}: start the node first", node.text()));
  ClusterOptions options;
  options.nodes = 1;
  options.data_directory = directory + "/data";
  options.log_directory = directory;
  options.attached = !plan.endpoints.empty();
  Result<std::unique_ptr<Cluster>> cluster =
      Cluster::start(*plan.store, std::move(ground), options);
  if (!cluster) return cluster.error();
  const auto clients = (*cluster)->clients(1);
  return Examination(plan, *clients, node).run();
}

}  // namespace consistory
