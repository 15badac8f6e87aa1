#pragma once
// What the stores that are Redis share: a connection to one server, how an operation is said, and
// what an answer means. Only these files see hiredis.

#include <hiredis/hiredis.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/clients/clients.h"

namespace consistory {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using RedisReply = std::unique_ptr<redisReply, FreeReply>;

/// Its string; empty if it has none.
std::string text_of(const redisReply* reply);
/// "role:master" of INFO: what stands behind the name.
std::string redis_field(const std::string& info, const std::string& name);

/// One connection to one server.
class RedisLink {
 public:
  /// Sentinels know no login of the store's.
  bool open(const std::string& host, unsigned short port, Nanos timeout, bool logs_in = true);
  bool is_open() const { return context_ != nullptr; }
  void close() { context_.reset(); }
  /// Nothing, and closed, if there is no answer; trouble() tells why.
  RedisReply ask(const std::vector<std::string>& words);
  const std::string& trouble() const { return trouble_; }

 private:
  bool log_in();

  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, Free> context_;
  std::string trouble_;
};

/// A section of INFO, or CLUSTER INFO, as text; empty if the server does not answer.
std::string redis_text(const std::string& host, unsigned short port,
                       const std::vector<std::string>& words);

/// The command for an operation on a register or a list.
std::vector<std::string> redis_words(const Invocation& invocation);
/// An error becomes fail only if it is one that Redis sends instead of doing what it was asked.
Completion redis_completion(const Invocation& invocation, const redisReply& reply);

}  // namespace consistory
