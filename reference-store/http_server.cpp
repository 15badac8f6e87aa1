#include "reference-store/http_server.h"

namespace refstore {
namespace {

constexpr std::uint64_t kBodyBytesMax = 64U << 20;
constexpr std::size_t kBatchMax = 1000;
constexpr int kNestingMax = 40;

Json to_json(const Response& response) {
  Json body{{"type", response.type}};
  if (!response.error.empty()) body["error"] = response.error;
  body["value"] = response.value;
  if (response.ver) body["ver"] = *response.ver;
  if (response.swapped) body["swapped"] = *response.swapped;
  if (!response.token.is_null()) body["token"] = response.token;
  return body;
}

/// What nests deeper than any request is refused: copying and printing it would recurse as deep.
Json parse(const std::string& text) {
  return Json::parse(text, [](int depth, Json::parse_event_t, Json&) {
    if (depth > kNestingMax) throw Json::type_error::create(302, "nested too deep", nullptr);
    return true;
  });
}

/// Throws Json::exception if it is none; a function that nobody knows is refused by the protocol.
Request request_of(const Json& body) {
  Request request;
  request.f = body.at("f");
  request.key = body.at("key");
  request.value = body.value("value", Json());
  request.expected = body.value("expected", Json());
  request.local = body.value("local", false);
  request.token = body.value("token", Json());
  return request;
}

/// One client connection: reads a request, answers it, reads the next.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Node& node) : stream_(std::move(socket)), node_(node) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(kBodyBytesMax);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](ErrorCode error, std::size_t) {
                       if (!error) self->handle();
                     });
  }

 private:
  void handle() {
    const auto& request = parser_->get();
    const std::string target(request.target());
    try {
      if (target == "/op") return operate(parse(request.body()));
      if (target == "/batch") return operate_batch(parse(request.body()));
      if (target == "/peer") return receive(parse(request.body()));
      if (target == "/status") return write(http::status::ok, node_.status());
      if (target == "/dump") return write(http::status::ok, node_.dump());
      write(http::status::not_found, {{"error", "unknown path: see PROTOCOL.md"}});
    } catch (const Json::exception& error) {
      write(http::status::bad_request,
            {{"type", "fail"}, {"error", "bad-request"}, {"detail", error.what()}});
    }
  }

  void operate(const Json& body) {
    node_.request(request_of(body),
                  [self = shared_from_this()](const refstore::Response& response) {
                    self->write(http::status::ok, to_json(response));
                  });
  }

  /// All at once; the answers stand in the order of the operations when the last of them is there.
  void operate_batch(const Json& body) {
    std::vector<Request> requests;
    for (const Json& item : body.at("ops")) requests.push_back(request_of(item));
    if (requests.empty() || requests.size() > kBatchMax)
      return write(
          http::status::bad_request,
          {{"type", "fail"}, {"error", "bad-request"}, {"detail", "1 to 1000 operations a batch"}});
    const auto answers = std::make_shared<std::vector<Json>>(requests.size());
    const auto open = std::make_shared<std::size_t>(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const auto take = [self = shared_from_this(), answers, open,
                         i](const refstore::Response& response) {
        (*answers)[i] = to_json(response);
        if (--*open == 0) self->write(http::status::ok, {{"results", *answers}});
      };
      node_.request(std::move(requests[i]), take);
    }
  }

  void receive(const Json& batch) {
    node_.receive(batch);
    write(http::status::ok, Json::object());
  }

  void write(http::status status, const Json& body) {
    response_ = {status, 11};
    response_.set(http::field::content_type, "application/json");
    response_.keep_alive(parser_->get().keep_alive());
    response_.body() = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](ErrorCode error, std::size_t) {
                        if (!error && self->response_.keep_alive()) self->read();
                      });
  }

  beast::tcp_stream stream_;
  Node& node_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

HttpServer::HttpServer(asio::io_context& context, const tcp::endpoint& address, Node& node)
    : node_(node), acceptor_(context, address) {
  accept();
}

void HttpServer::accept() {
  acceptor_.async_accept([this](ErrorCode error, tcp::socket socket) {
    if (!error) {
      ErrorCode ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<Session>(std::move(socket), node_)->read();
    }
    if (error != asio::error::operation_aborted) accept();
  });
}

}  // namespace refstore
