#include "harness/clients/clients.h"
#include "harness/cluster/http_loop.h"

namespace consistory {
namespace {

class HttpClients final : public Clients {
 public:
  HttpClients(std::size_t slots, std::vector<std::string> urls, const HttpProtocol& protocol)
      : urls_(std::move(urls)), protocol_(protocol), loop_(slots), requests_(slots) {}

  void start(std::size_t slot, ClientRequest request) override {
    HttpRequest encoded = protocol_.encode(request, urls_[request.node - 1]);
    encoded.timeout = request.timeout;
    requests_[slot] = std::move(request);
    loop_.start(slot, std::move(encoded));
  }

  std::vector<Finished> poll(Nanos span) override {
    std::vector<Finished> finished;
    for (const HttpLoop::Finished& done : loop_.poll(span))
      finished.push_back({done.slot, decode(requests_[done.slot], done.answer)});
    return finished;
  }

 private:
  Completion decode(const ClientRequest& request, const HttpAnswer& answer) const {
    if (answer.status != 0) return protocol_.decode(request, answer);
    return answer.unsent ? failed(answer.error) : unknown(answer.error);
  }

  std::vector<std::string> urls_;
  const HttpProtocol& protocol_;
  HttpLoop loop_;
  std::vector<ClientRequest> requests_;
};

}  // namespace

Completion unknown(std::string error) {
  Completion completion;
  completion.error = std::move(error);
  return completion;
}

Completion failed(std::string error) {
  Completion completion = unknown(std::move(error));
  completion.outcome = Outcome::fail;
  return completion;
}

std::unique_ptr<Clients> make_http_clients(std::size_t slots, std::vector<std::string> urls,
                                           const HttpProtocol& protocol) {
  return std::make_unique<HttpClients>(slots, std::move(urls), protocol);
}

}  // namespace consistory
