#include "harness/stores/postgresql_session.h"

#include <poll.h>

#include <array>

#include "harness/clients/login.h"

namespace consistory {
namespace {

bool wait_for(PGconn* connection, short events, Nanos deadline) {
  const Nanos left = deadline - monotonic_now();
  pollfd poller{PQsocket(connection), events, 0};
  return left > 0 && poll(&poller, 1, static_cast<int>(left / kMillisecond) + 1) > 0;
}

}  // namespace

bool is_sql_error(const PGresult& rows) {
  const ExecStatusType status = PQresultStatus(&rows);
  return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

std::string sql_state(const PGresult& error) {
  const char* state = PQresultErrorField(&error, PG_DIAG_SQLSTATE);
  return state != nullptr ? state : "connection-broken";
}

/// What ends the session or the server is not definite, whatever its class.
bool is_definite_sql_error(const PGresult& error) {
  const std::string state = sql_state(error);
  const char* severity = PQresultErrorField(&error, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity == nullptr || std::string_view(severity) != "ERROR") return state == "57P03";
  for (const std::string_view known :
       {"25", "40001", "40P01", "53", "42", "23", "22", "57P03", "55"}) {
    if (state.starts_with(known)) return true;
  }
  return false;
}

bool PostgresqlSession::open(const Endpoint& node, Nanos timeout) {
  const Nanos deadline = monotonic_now() + timeout;
  const std::string port = std::to_string(node.port);
  const std::string user = login().user.empty() ? "postgres" : login().user;
  const std::array<const char*, 8> names = {"host",   "port",       "user",    "password",
                                            "dbname", "gssencmode", "sslmode", nullptr};
  const std::array<const char*, 8> values = {
      node.host.c_str(), port.c_str(), user.c_str(), login().password.c_str(),
      "postgres",        "disable",    "prefer",     nullptr};
  connection_.reset(PQconnectStartParams(names.data(), values.data(), 0));
  // A server's remarks are not for our terminal, where libpq would print them.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
       state = PQconnectPoll(connection_.get())) {
    const bool failed =
        PQstatus(connection_.get()) == CONNECTION_BAD || state == PGRES_POLLING_FAILED;
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (failed || !wait_for(connection_.get(), events, deadline)) {
      connection_.reset();
      return false;
    }
  }
  return true;
}

SqlRows PostgresqlSession::ask(const char* sql, const std::vector<std::string>& parameters,
                               Nanos timeout) {
  const Nanos deadline = monotonic_now() + timeout;
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  bool fine = PQsendQueryParams(connection_.get(), sql, static_cast<int>(values.size()), nullptr,
                                values.data(), nullptr, nullptr, 0) == 1;
  SqlRows answer;
  while (fine) {
    while (fine && PQisBusy(connection_.get()) != 0) {
      fine =
          wait_for(connection_.get(), POLLIN, deadline) && PQconsumeInput(connection_.get()) == 1;
    }
    if (!fine) break;
    SqlRows rows(PQgetResult(connection_.get()));
    if (!rows) break;
    if (!answer || is_sql_error(*rows)) answer = std::move(rows);
  }
  if (fine && PQstatus(connection_.get()) != CONNECTION_BAD) return answer;
  close();
  return nullptr;
}

std::string PostgresqlSession::ask_one(const char* sql, Nanos timeout) {
  const SqlRows rows = ask(sql, {}, timeout);
  const bool told = rows && !is_sql_error(*rows) && PQntuples(rows.get()) > 0;
  return told ? PQgetvalue(rows.get(), 0, 0) : "";
}

}  // namespace consistory
