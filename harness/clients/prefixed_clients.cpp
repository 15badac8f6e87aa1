#include "harness/clients/clients.h"

namespace consistory {
namespace {

class PrefixedClients final : public Clients {
 public:
  PrefixedClients(std::unique_ptr<Clients> clients, std::string prefix)
      : clients_(std::move(clients)), prefix_(std::move(prefix)) {}

  void start(std::size_t slot, ClientRequest request) override {
    request.invocation.key.insert(0, prefix_);
    for (TransactionStep& step : request.invocation.steps) step.key.insert(0, prefix_);
    clients_->start(slot, std::move(request));
  }
  std::vector<Finished> poll(Nanos span) override { return clients_->poll(span); }

 private:
  std::unique_ptr<Clients> clients_;
  std::string prefix_;
};

}  // namespace

std::unique_ptr<Clients> with_prefix(std::unique_ptr<Clients> clients, std::string prefix) {
  if (prefix.empty()) return clients;
  return std::make_unique<PrefixedClients>(std::move(clients), std::move(prefix));
}

}  // namespace consistory
