#include "harness/cluster/http_loop.h"

#include <curl/curl.h>

#include <cstring>
#include <deque>
#include <mutex>

#include "base/check.h"
#include "harness/clients/login.h"

namespace consistory {
namespace {

constexpr std::size_t kAnswerBytesMax = 64U << 20;

void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_ALL); });
}

struct Exchange {
  std::size_t slot = 0;
  CURL* easy = nullptr;
  HttpRequest request;
  std::size_t sent = 0;
  std::string received;
};

std::size_t receive(char* data, std::size_t size, std::size_t count, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  if (exchange->received.size() + size * count > kAnswerBytesMax) return 0;
  exchange->received.append(data, size * count);
  return size * count;
}

std::size_t send_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  const std::size_t length = std::min(size * count, exchange->request.body.size() - exchange->sent);
  std::memcpy(data, exchange->request.body.data() + exchange->sent, length);
  exchange->sent += length;
  return length;
}

/// Asked for only to send the body once more: refused, so that no request is ever repeated.
int refuse_to_rewind(void*, curl_off_t, int) { return CURL_SEEKFUNC_FAIL; }

curl_slist* headers() {
  static curl_slist* list = [] {
    curl_slist* all = curl_slist_append(nullptr, "Content-Type: application/json");
    const std::string& who = login().authorization;
    if (!who.empty()) all = curl_slist_append(all, ("Authorization: " + who).c_str());
    return curl_slist_append(all, "Expect:");
  }();
  return list;
}

void set_up(Exchange& exchange) {
  CURL* easy = exchange.easy;
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, send_body);
  curl_easy_setopt(easy, CURLOPT_READDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, refuse_to_rewind);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &exchange);
}

bool updates_without_body(const HttpRequest& request) {
  return request.body.empty() && !request.method.empty() && request.method != "GET";
}

void set_request(Exchange& exchange) {
  CURL* easy = exchange.easy;
  const HttpRequest& request = exchange.request;
  exchange.sent = 0;
  exchange.received.clear();
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout / kMillisecond));
  const char* method = request.method.empty() ? nullptr : request.method.c_str();
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
  // Without a body there is none to be refused a second time: such an update is given a connection
  // that nothing can have broken before.
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, updates_without_body(request) ? 1L : 0L);
  if (request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
}

HttpAnswer answer_of(Exchange& exchange, CURLcode code) {
  HttpAnswer answer;
  // A refused connection may be libcurl's second try after a reused one broke with the request on
  // its way: only a body that was never handed out proves that nothing was sent.
  answer.unsent = code == CURLE_COULDNT_CONNECT && exchange.sent == 0;
  if (code != CURLE_OK) {
    answer.error = code == CURLE_OPERATION_TIMEDOUT ? "timeout"
                   : answer.unsent                  ? "connection-refused"
                                                    : "connection-broken";
    return answer;
  }
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &answer.status);
  answer.body = std::move(exchange.received);
  return answer;
}

}  // namespace

class HttpLoop::Impl {
 public:
  explicit Impl(std::size_t slots) {
    initialise_curl();
    multi_ = curl_multi_init();
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(slots * 8));
    for (std::size_t slot = 0; slot < slots; ++slot) {
      Exchange& exchange = exchanges_.emplace_back();
      exchange.slot = slot;
      exchange.easy = curl_easy_init();
      set_up(exchange);
    }
  }
  ~Impl() {
    for (Exchange& exchange : exchanges_) {
      curl_multi_remove_handle(multi_, exchange.easy);
      curl_easy_cleanup(exchange.easy);
    }
    curl_multi_cleanup(multi_);
  }

  void start(std::size_t slot, HttpRequest request) {
    Exchange& exchange = exchanges_[slot];
    exchange.request = std::move(request);
    set_request(exchange);
    CONSISTORY_CHECK(curl_multi_add_handle(multi_, exchange.easy) == CURLM_OK,
                     "libcurl refused an exchange");
  }

  std::vector<Finished> poll(Nanos span) {
    std::vector<Finished> finished = collect();
    if (!finished.empty()) return finished;
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(span / kMillisecond), nullptr);
    return collect();
  }

 private:
  std::vector<Finished> collect() {
    int running = 0;
    curl_multi_perform(multi_, &running);
    std::vector<Finished> finished;
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      char* user = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
      auto* exchange = reinterpret_cast<Exchange*>(user);
      const CURLcode code = message->data.result;  // the message dies with the handle's removal
      curl_multi_remove_handle(multi_, exchange->easy);
      finished.push_back({exchange->slot, answer_of(*exchange, code)});
    }
    return finished;
  }

  CURLM* multi_ = nullptr;
  std::deque<Exchange> exchanges_;  // stable addresses: libcurl holds pointers to them
};

HttpLoop::HttpLoop(std::size_t slots) : impl_(std::make_unique<Impl>(slots)) {}
HttpLoop::~HttpLoop() = default;
void HttpLoop::start(std::size_t slot, HttpRequest request) {
  impl_->start(slot, std::move(request));
}
std::vector<HttpLoop::Finished> HttpLoop::poll(Nanos span) { return impl_->poll(span); }

HttpAnswer http_exchange(const HttpRequest& request) {
  HttpLoop loop(1);
  loop.start(0, request);
  for (;;) {
    std::vector<HttpLoop::Finished> finished = loop.poll(100 * kMillisecond);
    if (!finished.empty()) return std::move(finished.front().answer);
  }
}

}  // namespace consistory
