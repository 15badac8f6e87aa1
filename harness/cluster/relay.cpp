#include "harness/cluster/relay.h"

#include <fmt/format.h>

#include <utility>

#include <boost/asio.hpp>

#include <array>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <thread>

namespace consistory {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

const asio::ip::address_v4 kLoopback = asio::ip::address_v4::loopback();

struct Link {
  std::atomic<int> cuts = 0;
  std::atomic<std::uint64_t> bytes_held = 0;
  std::atomic<std::uint64_t> connections_held = 0;
  std::atomic<std::uint64_t> bytes_passed = 0;
  std::deque<std::function<void()>> waiting;  // relay thread only: what to do after the heal
};

}  // namespace

/// Everything that lives on the relay's thread.
class Relay::Engine {
 public:
  explicit Engine(std::size_t places) : places_(places), links_(places * places) {}
  ~Engine() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  ErrorCode listen(Place from, Place to, unsigned short target) {
    ErrorCode error;
    auto acceptor = std::make_unique<tcp::acceptor>(context_);
    acceptor->open(tcp::v4(), error);
    if (!error) acceptor->bind({kLoopback, 0}, error);
    if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (error) return error;
    ports_[{from, to}] = acceptor->local_endpoint().port();
    acceptors_.push_back(std::move(acceptor));
    accept(*acceptors_.back(), from, to, target);
    return {};
  }
  void run() {
    thread_ = std::thread([this] { context_.run(); });
  }

  Link& link(Place from, Place to) { return links_[from * places_ + to]; }
  unsigned short port(Place from, Place to) const { return ports_.at({from, to}); }

  void heal(Place from, Place to) {
    if (link(from, to).cuts <= 0 || --link(from, to).cuts > 0) return;
    asio::post(context_, [this, from, to] {
      std::deque<std::function<void()>> ready = std::move(link(from, to).waiting);
      link(from, to).waiting.clear();
      for (const auto& go_on : ready) go_on();
    });
  }

 private:
  /// One relayed connection: two sockets and a pump for each direction.
  struct Connection {
    explicit Connection(asio::io_context& context) : opener(context), target(context) {}
    tcp::socket opener;
    tcp::socket target;
    std::array<std::array<char, 16384>, 2> buffers{};
    void close() {
      ErrorCode ignored;
      opener.close(ignored);
      target.close(ignored);
    }
  };
  using Shared = std::shared_ptr<Connection>;
  struct Direction {
    Place from;
    Place to;
    bool forward;  // opener to target
  };

  void accept(tcp::acceptor& acceptor, Place from, Place to, unsigned short target) {
    const auto connection = std::make_shared<Connection>(context_);
    acceptor.async_accept(connection->opener,
                          [this, &acceptor, connection, from, to, target](ErrorCode error) {
                            if (error == asio::error::operation_aborted) return;
                            if (!error) connect(connection, from, to, target);
                            accept(acceptor, from, to, target);
                          });
  }

  void connect(const Shared& connection, Place from, Place to, unsigned short target) {
    connection->target.async_connect({kLoopback, target},
                                     [this, connection, from, to](ErrorCode error) {
                                       if (error) return connection->close();
                                       ErrorCode ignored;
                                       connection->opener.set_option(tcp::no_delay(true), ignored);
                                       connection->target.set_option(tcp::no_delay(true), ignored);
                                       pump(connection, {from, to, true});
                                       pump(connection, {to, from, false});
                                     });
  }

  void pump(const Shared& connection, const Direction& direction) {
    tcp::socket& source = direction.forward ? connection->opener : connection->target;
    auto& buffer = connection->buffers[direction.forward ? 0 : 1];
    source.async_read_some(asio::buffer(buffer),
                           [this, connection, direction](ErrorCode error, std::size_t size) {
                             Link& over = link(direction.from, direction.to);
                             // The end of a stream is news too: it waits like bytes do.
                             const auto go_on = [this, connection, direction, error, size] {
                               if (error) return connection->close();
                               pass(connection, direction, size);
                             };
                             if (over.cuts <= 0) return go_on();
                             over.bytes_held += size;
                             ++over.connections_held;
                             over.waiting.emplace_back(go_on);
                           });
  }

  void pass(const Shared& connection, const Direction& direction, std::size_t size) {
    tcp::socket& sink = direction.forward ? connection->target : connection->opener;
    auto& buffer = connection->buffers[direction.forward ? 0 : 1];
    link(direction.from, direction.to).bytes_passed += size;
    asio::async_write(sink, asio::buffer(buffer, size),
                      [this, connection, direction](ErrorCode error, std::size_t) {
                        if (error) return connection->close();
                        pump(connection, direction);
                      });
  }

  std::size_t places_;
  asio::io_context context_;
  std::vector<Link> links_;
  std::map<std::pair<Place, Place>, unsigned short> ports_;
  std::list<std::unique_ptr<tcp::acceptor>> acceptors_;
  std::thread thread_;
};

Relay::Relay(std::unique_ptr<Engine> engine, bool carry_clients)
    : engine_(std::move(engine)), carry_clients_(carry_clients) {}

Relay::~Relay() = default;

Result<std::unique_ptr<Relay>> Relay::start(const std::vector<unsigned short>& target_ports,
                                            bool carry_clients) {
  const std::size_t places = target_ports.size() + 1;
  auto engine = std::make_unique<Engine>(places);
  for (Place from = carry_clients ? kClients : 1; from < places; ++from) {
    for (Place to = 1; to < places; ++to) {
      if (from == to) continue;
      const ErrorCode error = engine->listen(from, to, target_ports[to - 1]);
      if (error)
        return environment_error(fmt::format("cannot listen on loopback: {}", error.message()));
    }
  }
  engine->run();
  return std::unique_ptr<Relay>(new Relay(std::move(engine), carry_clients));
}

unsigned short Relay::port(Place from, Place to) const { return engine_->port(from, to); }

Status Relay::cut(Place from, Place to) {
  ++engine_->link(from, to).cuts;
  return Done{};
}

Status Relay::heal(Place from, Place to) {
  engine_->heal(from, to);
  return Done{};
}

LinkCounters Relay::counters(Place from, Place to) const {
  const Link& link = engine_->link(from, to);
  LinkCounters counters;
  counters.bytes_held = link.bytes_held;
  counters.connections_held = link.connections_held;
  counters.bytes_passed = link.bytes_passed;
  return counters;
}

class ReservedPorts::Sockets {
 public:
  asio::io_context context;
  std::list<tcp::acceptor> taken;
};

ReservedPorts::ReservedPorts() : sockets_(std::make_unique<Sockets>()) {}
ReservedPorts::~ReservedPorts() = default;

Result<unsigned short> ReservedPorts::take() {
  tcp::acceptor& acceptor = sockets_->taken.emplace_back(sockets_->context);
  ErrorCode error;
  acceptor.open(tcp::v4(), error);
  if (!error) acceptor.bind({kLoopback, 0}, error);
  if (error) return environment_error(fmt::format("cannot find a free port: {}", error.message()));
  return acceptor.local_endpoint().port();
}

Result<unsigned short> free_port() { return ReservedPorts().take(); }

bool port_is_free(unsigned short port) {
  asio::io_context context;
  tcp::acceptor acceptor(context);
  ErrorCode error;
  acceptor.open(tcp::v4(), error);
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  acceptor.bind({kLoopback, port}, error);
  if (!error) acceptor.listen(1, error);
  return !error;
}

}  // namespace consistory
