#include <condition_variable>
#include <deque>
#include <latch>
#include <map>
#include <mutex>
#include <thread>

#include "harness/clients/clients.h"

namespace consistory {
namespace {

/// What the workers hand back.
class Inbox {
 public:
  void put(Clients::Finished finished) {
    {
      const std::lock_guard lock(mutex_);
      finished_.push_back(std::move(finished));
    }
    wake_.notify_one();
  }

  std::vector<Clients::Finished> take(Nanos span) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::nanoseconds(span), [this] { return !finished_.empty(); });
    return std::exchange(finished_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Clients::Finished> finished_;
};

/// One session: its thread and its connections.
class Worker {
 public:
  Worker(std::size_t slot, const Connector& connect, Sharing sharing, Inbox& inbox,
         std::latch& ready)
      : slot_(slot),
        connect_(connect),
        sharing_(sharing),
        inbox_(inbox),
        thread_([this, &ready](const std::stop_token& stop) {
          if (shared()) connections_[0] = connect_(slot_, 1, kSecond, start_trouble_);
          ready.count_down();
          run(stop);
        }) {}

  void start(ClientRequest request) {
    {
      const std::lock_guard lock(mutex_);
      request_ = std::move(request);
    }
    wake_.notify_one();
  }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [this] { return request_.has_value(); })) {
      const ClientRequest request = std::move(*request_);
      request_.reset();
      lock.unlock();
      inbox_.put({slot_, perform(request)});
      lock.lock();
    }
  }

  Completion perform(const ClientRequest& request) {
    std::unique_ptr<Connection>& connection = connections_[shared() ? 0 : request.node];
    if (connection && connection->broken()) connection.reset();
    if (!connection) {
      std::string why;
      connection = connect_(slot_, request.node, request.timeout, why);
      if (!connection) return failed("no-connection: " + why);
    }
    try {
      return connection->perform(request);
    } catch (const std::exception& error) {  // of what an untrusted answer made of a library
      connection.reset();
      return unknown(std::string("client-exception: ") + error.what());
    }
  }

  bool shared() const { return sharing_ == Sharing::one_connection_for_all_nodes; }

  std::size_t slot_;
  const Connector& connect_;
  Sharing sharing_;
  std::string start_trouble_;  // the first request tries again, and tells
  Inbox& inbox_;
  std::map<std::size_t, std::unique_ptr<Connection>> connections_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<ClientRequest> request_;
  std::jthread thread_;  // last, so that it ends first
};

class BlockingClients final : public Clients {
 public:
  BlockingClients(std::size_t slots, Connector connect, Sharing sharing)
      : connect_(std::move(connect)) {
    std::latch ready(static_cast<std::ptrdiff_t>(slots));
    for (std::size_t slot = 0; slot < slots; ++slot)
      workers_.push_back(std::make_unique<Worker>(slot, connect_, sharing, inbox_, ready));
    ready.wait();
  }

  void start(std::size_t slot, ClientRequest request) override {
    workers_[slot]->start(std::move(request));
  }
  std::vector<Finished> poll(Nanos span) override { return inbox_.take(span); }

 private:
  Connector connect_;
  Inbox inbox_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

std::unique_ptr<Clients> make_blocking_clients(std::size_t slots, Connector connect,
                                               Sharing sharing) {
  return std::make_unique<BlockingClients>(slots, std::move(connect), sharing);
}

}  // namespace consistory
