#pragma once
// PeerLink: messages to one peer, in order, over one HTTP connection at a time. A batch is posted
// and the next waits for its answer; a connection that fails or times out loses its batch, which
// every protocol must survive. A slow link holds every batch back for a while. Heartbeats keep
// every link carrying traffic, so that a cut shows.

#include <deque>
#include <memory>
#include <optional>
#include <random>

#include "reference-store/net.h"
#include "reference-store/protocol.h"

namespace refstore {

class PeerLink {
 public:
  /// `delay`: the mean time that a batch waits before it is sent, drawn from `seed`.
  PeerLink(asio::io_context& context, Peer self, tcp::endpoint peer, Millis delay,
           std::uint64_t seed);

  void start();
  void send(Json message, bool chatter);
  /// Messages queued or in flight; chatter is not counted.
  std::size_t unsent() const { return unsent_ + in_flight_; }

 private:
  using Request = http::request<http::string_body>;
  using Response = http::response<http::string_body>;
  struct Connection {  // what the handlers of one connection share; outlives its closing
    explicit Connection(asio::io_context& context) : stream(context) {}
    beast::tcp_stream stream;
    beast::flat_buffer buffer;
    Request request;
    Response response;
  };
  using Shared = std::shared_ptr<Connection>;
  struct Queued {
    Json message;
    bool chatter;
  };

  void connect();
  void pump();
  void hold_back();
  Queued take_first();
  void post_batch();
  void post(const Shared& connection);
  void failed(const Shared& connection);
  void beat();

  asio::io_context& context_;
  Peer self_;
  tcp::endpoint peer_;
  asio::steady_timer retry_;
  asio::steady_timer heartbeat_;
  asio::steady_timer held_back_;
  Millis delay_;
  std::mt19937_64 random_;
  Shared connection_;
  bool connected_ = false;
  bool posting_ = false;
  bool holding_ = false;
  bool heartbeat_due_ = false;
  std::deque<Queued> queue_;
  std::size_t unsent_ = 0;  // in the queue, without chatter
  std::size_t in_flight_ = 0;
};

}  // namespace refstore
