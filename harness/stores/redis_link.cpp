#include "harness/stores/redis_link.h"

#include <sys/time.h>

#include <algorithm>
#include <array>

#include "base/escape.h"
#include "harness/clients/login.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

constexpr const char* kCas =
    "local v = redis.call('get', KEYS[1]) "
    "if v == ARGV[1] then redis.call('set', KEYS[1], ARGV[2]) return {1} end return {0, v}";

/// Errors that Redis sends instead of doing what it was asked.
constexpr std::array<std::string_view, 11> kDefinite = {
    "READONLY", "MASTERDOWN", "LOADING",   "NOREPLICAS", "CLUSTERDOWN", "MOVED",
    "MISCONF",  "OOM",        "WRONGTYPE", "ERR",        "TRYAGAIN"};

timeval timeval_of(Nanos span) {
  return {static_cast<time_t>(span / kSecond), static_cast<suseconds_t>(span % kSecond / 1000)};
}

Value value_of(const redisReply& reply) {
  return reply.type == REDIS_REPLY_STRING ? value_of_text(text_of(&reply)) : Value::nil();
}

Completion read_of(const redisReply& reply) {
  Completion completion;
  completion.outcome = Outcome::ok;
  if (reply.type != REDIS_REPLY_ARRAY) {
    completion.value = value_of(reply);
    return completion;
  }
  completion.elements.emplace();
  for (std::size_t i = 0; i < reply.elements; ++i)
    completion.elements->push_back(value_of(*reply.element[i]));
  return completion;
}

}  // namespace

std::string text_of(const redisReply* reply) {
  return reply != nullptr && reply->str != nullptr ? std::string(reply->str, reply->len)
                                                   : std::string();
}

std::string redis_field(const std::string& info, const std::string& name) {
  const std::size_t at = info.find("\n" + name + ":");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 2;
  return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

bool RedisLink::open(const std::string& host, unsigned short port, Nanos timeout, bool logs_in) {
  context_.reset(redisConnectWithTimeout(host.c_str(), port, timeval_of(timeout)));
  if (context_ == nullptr || context_->err != 0) {
    context_.reset();
    return false;
  }
  redisSetTimeout(context_.get(), timeval_of(timeout));
  return !logs_in || log_in();
}

bool RedisLink::log_in() {
  if (login().password.empty()) return true;
  std::vector<std::string> words = {"AUTH", login().user, login().password};
  if (login().user.empty()) words.erase(words.begin() + 1);
  const RedisReply reply = ask(words);
  if (reply && reply->type == REDIS_REPLY_STATUS) return true;
  close();
  return false;
}

RedisReply RedisLink::ask(const std::vector<std::string>& words) {
  std::vector<const char*> pointers;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    pointers.push_back(word.data());
    sizes.push_back(word.size());
  }
  RedisReply reply(static_cast<redisReply*>(redisCommandArgv(
      context_.get(), static_cast<int>(words.size()), pointers.data(), sizes.data())));
  if (!reply) {
    trouble_ = context_->err == REDIS_ERR_IO ? "timeout" : context_->errstr;
    close();
  }
  return reply;
}

std::string redis_text(const std::string& host, unsigned short port,
                       const std::vector<std::string>& words) {
  RedisLink link;
  if (!link.open(host, port, kSecond)) return {};
  const RedisReply reply = link.ask(words);
  return reply && reply->type == REDIS_REPLY_STRING ? "\n" + text_of(reply.get()) : std::string();
}

std::vector<std::string> redis_words(const Invocation& invocation) {
  const std::string& key = invocation.key;
  switch (invocation.function) {
    case Function::write:
      return {"SET", key, text_of(invocation.value)};
    case Function::append:
      return {"RPUSH", key, text_of(invocation.value)};
    case Function::add:
      return {"SADD", key, text_of(invocation.value)};
    case Function::increment:
      return {"INCRBY", key, text_of(invocation.value)};
    case Function::cas:
      return {"EVAL", kCas, "1", key, text_of(invocation.expected), text_of(invocation.value)};
    default:
      if (invocation.set) return {"SMEMBERS", key};
      return invocation.list ? std::vector<std::string>{"LRANGE", key, "0", "-1"}
                             : std::vector<std::string>{"GET", key};
  }
}

Completion redis_completion(const Invocation& invocation, const redisReply& reply) {
  if (reply.type == REDIS_REPLY_ERROR) {
    const std::string error = text_of(&reply);
    const std::string word = error.substr(0, error.find(' '));
    const bool definite = std::find(kDefinite.begin(), kDefinite.end(), word) != kDefinite.end();
    return definite ? failed(word) : unknown(shorten(escape_terminal(error), 80));
  }
  if (invocation.function == Function::read) return read_of(reply);
  Completion completion;
  completion.outcome = Outcome::ok;
  if (invocation.function == Function::cas && reply.type == REDIS_REPLY_ARRAY) {
    completion.swapped = reply.elements > 0 && reply.element[0]->integer == 1;
    if (!completion.swapped)
      completion.seen = reply.elements > 1 ? value_of(*reply.element[1]) : Value::nil();
  }
  return completion;
}

}  // namespace consistory
