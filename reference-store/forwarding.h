#pragma once
// Requests that a node hands to the one that decides, and the answers that come back, as messages.

#include "reference-store/protocol.h"

namespace refstore {

inline Json forward_message(const Request& request) {
  return {{"t", "forward"},     {"id", request.id},       {"f", request.f},
          {"key", request.key}, {"value", request.value}, {"expected", request.expected}};
}

inline Request forwarded_request(const Json& message) {
  Request request;
  request.id = message.at("id");
  request.f = message.at("f");
  request.key = message.at("key");
  request.value = message.at("value");
  request.expected = message.at("expected");
  return request;
}

inline Json answer_message(std::uint64_t id, const Response& response) {
  Json message{{"t", "forwarded"},        {"id", id},
               {"token", response.token}, {"type", response.type},
               {"error", response.error}, {"value", response.value}};
  if (response.ver) message["ver"] = *response.ver;
  if (response.swapped) message["swapped"] = *response.swapped;
  return message;
}

inline Response forwarded_answer(const Json& message) {
  Response response;
  response.type = message.at("type");
  response.error = message.at("error");
  response.value = message.at("value");
  response.token = message.at("token");
  if (message.contains("ver")) response.ver = message["ver"].get<std::int64_t>();
  if (message.contains("swapped")) response.swapped = message["swapped"].get<bool>();
  return response;
}

}  // namespace refstore
