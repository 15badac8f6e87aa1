// A client plugin: one process for each session, JSON lines in and out (docs/ADAPTERS.md). It
// speaks HTTP as many key-value stores do (GET and PUT /kv/KEY): change ask() and perform() to what
// your store wants.
#include <curl/curl.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

using Json = nlohmann::json;

namespace {

std::size_t collect(char* data, std::size_t size, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

struct Answer {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::string body;
};

/// A fresh handle for every request: no connection is reused, so libcurl has no reason to repeat
/// one.
Answer ask(const std::string& url, const std::string* body, long timeout_ms) {
  Answer answer;
  CURL* easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
  if (body != nullptr) {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body->c_str());
  }
  answer.code = curl_easy_perform(easy);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_cleanup(easy);
  return answer;
}

/// ok, fail (it surely did not happen) or info (nobody knows).
Json perform(const Json& op, const Json& nodes) {
  const std::size_t node = op.at("node").get<std::size_t>() - 1;
  const std::string url =
      "http://" + nodes.at(node).get<std::string>() + "/kv/" + op.at("key").get<std::string>();
  const bool reads = op.at("f") == "read";
  if (!reads && op.at("f") != "write") return {{"type", "fail"}, {"error", "unsupported"}};
  const std::string value = reads ? "" : op.at("value").dump();
  const Answer answer = ask(url, reads ? nullptr : &value, op.at("timeout_ms").get<long>());
  if (answer.code == CURLE_COULDNT_CONNECT) return {{"type", "fail"}, {"error", "refused"}};
  if (answer.code != CURLE_OK)
    return {{"type", "info"}, {"error", curl_easy_strerror(answer.code)}};
  if (reads && answer.status == 404) return {{"type", "ok"}, {"value", nullptr}};
  if (answer.status >= 300)
    return {{"type", "info"}, {"error", "http-" + std::to_string(answer.status)}};
  Json result{{"type", "ok"}};
  if (reads) result["value"] = Json::parse(answer.body).at("value");
  return result;
}

}  // namespace

int main() {
  curl_global_init(CURL_GLOBAL_ALL);
  Json nodes = Json::array();
  for (std::string line; std::getline(std::cin, line);) {
    Json answer, message;
    try {
      message = Json::parse(line);
      if (message.at("type") == "hello") {
        nodes = message.at("nodes");
        answer = {{"type", "hello"},
                  {"protocol", 1},
                  {"name", "my store"},
                  {"functions", {"read", "write"}},
                  {"local", true}};
      } else {
        answer = perform(message, nodes);
      }
    } catch (const Json::exception& error) {
      answer = {{"type", "info"}, {"error", error.what()}};
    }
    if (message.contains("id")) answer["id"] = message["id"];
    std::cout << answer.dump() << std::endl;  // which flushes
  }
}
