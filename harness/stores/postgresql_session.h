#pragma once
// A session with one PostgreSQL server over libpq, which neither retries nor fails over here. Every
// wait has a deadline.

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "harness/cluster/ground.h"

namespace consistory {

constexpr const char* kPostgresqlPrograms = "/usr/lib/postgresql/15/bin/";

struct FreePostgresql {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using SqlRows = std::unique_ptr<PGresult, FreePostgresql>;

bool is_sql_error(const PGresult& rows);
/// Was nothing done, for sure? The statement was refused or rolled back.
bool is_definite_sql_error(const PGresult& error);
/// The five letters of SQLSTATE.
std::string sql_state(const PGresult& error);

/// One connection, for one thread at a time.
class PostgresqlSession {
 public:
  bool open(const Endpoint& node, Nanos timeout);
  bool is_open() const { return connection_ != nullptr; }
  void close() { connection_.reset(); }
  /// Nothing, and closed, if there is no answer in time. An error that comes after a result (at the
  /// commit) is the answer.
  SqlRows ask(const char* sql, const std::vector<std::string>& parameters, Nanos timeout);
  /// The first field of the first row; empty if there is none.
  std::string ask_one(const char* sql, Nanos timeout);

 private:
  std::unique_ptr<PGconn, FreePostgresql> connection_;
};

}  // namespace consistory
