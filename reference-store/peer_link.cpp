#include "reference-store/peer_link.h"

namespace refstore {
namespace {
constexpr auto kPostTimeout = std::chrono::milliseconds(800);
constexpr auto kRetryAfter = std::chrono::milliseconds(60);
constexpr auto kHeartbeatEvery = std::chrono::milliseconds(80);
constexpr std::size_t kBatchMax = 256;
constexpr std::size_t kQueueMax = 20'000;
}  // namespace

PeerLink::PeerLink(asio::io_context& context, Peer self, tcp::endpoint peer, Millis delay,
                   std::uint64_t seed)
    : context_(context),
      self_(self),
      peer_(std::move(peer)),
      retry_(context),
      heartbeat_(context),
      held_back_(context),
      delay_(delay),
      random_(seed) {}

void PeerLink::start() {
  connect();
  beat();
}

void PeerLink::send(Json message, bool chatter) {
  if (queue_.size() >= kQueueMax) take_first();  // a lossy network; anti-entropy repairs it
  unsent_ += chatter ? 0 : 1;
  queue_.push_back({std::move(message), chatter});
  pump();
}

PeerLink::Queued PeerLink::take_first() {
  Queued first = std::move(queue_.front());
  queue_.pop_front();
  unsent_ -= first.chatter ? 0 : 1;
  return first;
}

void PeerLink::beat() {
  heartbeat_due_ = true;
  pump();
  heartbeat_.expires_after(kHeartbeatEvery);
  heartbeat_.async_wait([this](ErrorCode error) {
    if (!error) beat();
  });
}

void PeerLink::connect() {
  connection_ = std::make_shared<Connection>(context_);
  const Shared connection = connection_;
  connection->stream.expires_after(kPostTimeout);
  connection->stream.async_connect(peer_, [this, connection](ErrorCode error) {
    if (connection != connection_) return;
    if (error) return failed(connection);
    connection->stream.socket().set_option(tcp::no_delay(true));
    connected_ = true;
    pump();
  });
}

void PeerLink::pump() {
  if (!connected_ || posting_ || holding_ || (queue_.empty() && !heartbeat_due_)) return;
  if (delay_ > 0) hold_back();
  else post_batch();
}

void PeerLink::hold_back() {
  holding_ = true;
  const auto span = static_cast<std::uint64_t>(2 * delay_ + 1);
  held_back_.expires_after(std::chrono::milliseconds(random_() % span));
  held_back_.async_wait([this](ErrorCode error) {
    holding_ = false;
    if (!error && connected_ && !posting_) post_batch();
  });
}

void PeerLink::post_batch() {
  Json messages = Json::array();
  while (!queue_.empty() && messages.size() < kBatchMax) {
    Queued next = take_first();
    in_flight_ += next.chatter ? 0 : 1;
    messages.push_back(std::move(next.message));
  }
  if (messages.empty()) messages.push_back({{"t", "heartbeat"}});
  heartbeat_due_ = false;
  posting_ = true;
  Request& request = connection_->request;
  request = {http::verb::post, "/peer", 11};
  request.set(http::field::host, "peer");
  request.body() = Json{{"from", self_}, {"messages", std::move(messages)}}.dump();
  request.prepare_payload();
  post(connection_);
}

void PeerLink::post(const Shared& connection) {
  connection->stream.expires_after(kPostTimeout);
  http::async_write(connection->stream, connection->request,
                    [this, connection](ErrorCode error, std::size_t) {
                      if (error) return failed(connection);
                      connection->response = {};
                      http::async_read(connection->stream, connection->buffer, connection->response,
                                       [this, connection](ErrorCode read_error, std::size_t) {
                                         if (read_error) return failed(connection);
                                         in_flight_ = 0;
                                         posting_ = false;
                                         pump();
                                       });
                    });
}

void PeerLink::failed(const Shared& connection) {
  if (connection != connection_) return;
  ErrorCode ignored;
  connection->stream.socket().close(ignored);
  connected_ = false;
  posting_ = false;
  in_flight_ = 0;
  retry_.expires_after(kRetryAfter);
  retry_.async_wait([this](ErrorCode error) {
    if (!error) connect();
  });
}

}  // namespace refstore
