// PostgreSQL with streaming replication: node 1 is the primary and stays it; the others are hot
// standbys. Updates go to the primary, reads there or to the session's node. A list is a text that
// grows by concatenation; every row counts its updates, which is the version of its value.
// Transactions run at the primary, at the isolation level that is asked for.
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "harness/clients/login.h"
#include "harness/stores/settings.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 5432;
constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin/";

constexpr const char* kTable =
    "create table if not exists kv (k text primary key, v text, n bigint)";
constexpr const char* kElements =
    "create table if not exists elements (k text, v text, primary key (k, v))";
constexpr const char* kAdd = "insert into elements values ($1, $2) on conflict do nothing";
constexpr const char* kReadSet = "select string_agg(v || ',', ''), 0 from elements where k = $1";
constexpr const char* kIncrement =
    "insert into kv values ($1, $2, 1) on conflict (k) do update "
    "set v = (kv.v::bigint + $2::bigint)::text, n = kv.n + 1 returning n";
constexpr const char* kWrite =
    "insert into kv values ($1, $2, 1) on conflict (k) do update set v = $2, n = kv.n + 1 "
    "returning n";
constexpr const char* kAppend =
    "insert into kv values ($1, $2, 1) on conflict (k) do update set v = kv.v || $2, n = kv.n + 1 "
    "returning n";
constexpr const char* kCas = "update kv set v = $3, n = n + 1 where k = $1 and v = $2 returning n";
constexpr const char* kRead = "select v, n from kv where k = $1";
// The row stays, without a value: a version that was given is never given again.
constexpr const char* kRemove =
    "with gone as (delete from elements where k = $1) insert into kv values ($1, null, 1) on "
    "conflict (k) do update set v = null, n = kv.n + 1 "
    "returning n";
constexpr const char* kStatus =
    "select pg_is_in_recovery(), "
    "case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end";

struct Free {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Rows = std::unique_ptr<PGresult, Free>;

bool wait_for(PGconn* connection, short events, Nanos deadline) {
  const Nanos left = deadline - monotonic_now();
  pollfd poller{PQsocket(connection), events, 0};
  return left > 0 && poll(&poller, 1, static_cast<int>(left / kMillisecond) + 1) > 0;
}

bool is_error(const PGresult& rows) {
  const ExecStatusType status = PQresultStatus(&rows);
  return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

/// One connection to one server. libpq neither retries nor fails over.
class Session {
 public:
  bool open(const Endpoint& node, Nanos timeout) {
    const Nanos deadline = monotonic_now() + timeout;
    const std::string port = std::to_string(node.port);
    const std::string user = login().user.empty() ? "postgres" : login().user;
    const std::array<const char*, 8> names = {"host",   "port",       "user",    "password",
                                              "dbname", "gssencmode", "sslmode", nullptr};
    const std::array<const char*, 8> values = {
        node.host.c_str(), port.c_str(), user.c_str(), login().password.c_str(),
        "postgres",        "disable",    "prefer",     nullptr};
    connection_.reset(PQconnectStartParams(names.data(), values.data(), 0));
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
  bool is_open() const { return connection_ != nullptr; }
  void close() { connection_.reset(); }

  /// Nothing, and closed, if there is no answer in time. An error that comes after a result (at the
  /// commit) is the answer.
  Rows ask(const char* sql, const std::vector<std::string>& parameters, Nanos timeout) {
    const Nanos deadline = monotonic_now() + timeout;
    std::vector<const char*> values;
    for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
    bool fine = PQsendQueryParams(connection_.get(), sql, static_cast<int>(values.size()), nullptr,
                                  values.data(), nullptr, nullptr, 0) == 1;
    Rows answer;
    while (fine) {
      while (fine && PQisBusy(connection_.get()) != 0) {
        fine =
            wait_for(connection_.get(), POLLIN, deadline) && PQconsumeInput(connection_.get()) == 1;
      }
      if (!fine) break;
      Rows rows(PQgetResult(connection_.get()));
      if (!rows) break;
      if (!answer || is_error(*rows)) answer = std::move(rows);
    }
    if (fine && PQstatus(connection_.get()) != CONNECTION_BAD) return answer;
    close();
    return nullptr;
  }

 private:
  std::unique_ptr<PGconn, Free> connection_;
};

/// Errors of classes after which nothing was done: the statement was refused or rolled back. What
/// ends the session or the server is none of them, whatever its class.
bool is_definite(std::string_view state, const char* severity) {
  if (severity == nullptr || std::string_view(severity) != "ERROR") return state == "57P03";
  for (const std::string_view known :
       {"25", "40001", "40P01", "53", "42", "23", "22", "57P03", "55"}) {
    if (state.starts_with(known)) return true;
  }
  return false;
}

class PostgresConnection final : public Connection {
 public:
  PostgresConnection(Endpoint home, Endpoint primary, bool reads_at_primary, std::string begin)
      : home_(std::move(home)),
        primary_(std::move(primary)),
        reads_at_primary_(reads_at_primary),
        begin_(std::move(begin)) {}

  Completion perform(const ClientRequest& request) override {
    const bool reads = request.invocation.function == Function::read;
    const bool at_home = reads && (request.local || !reads_at_primary_);
    Session& session = at_home ? at_home_ : at_primary_;
    if (!session.is_open() && !session.open(at_home ? home_ : primary_, request.timeout))
      return failed("no-connection");
    if (!request.invocation.steps.empty()) return transact(session, request);
    return ask(session, request);
  }
  bool broken() const override { return false; }  // sessions are opened again one by one

 private:
  static Completion ask(Session& session, const ClientRequest& request) {
    const Invocation& invocation = request.invocation;
    const std::string value = text_of(invocation.value);
    Rows rows;
    switch (invocation.function) {
      case Function::write:
        rows = session.ask(kWrite, {invocation.key, value}, request.timeout);
        break;
      case Function::append:
        rows = session.ask(kAppend, {invocation.key, value + ","}, request.timeout);
        break;
      case Function::cas:
        rows = session.ask(kCas, {invocation.key, text_of(invocation.expected), value},
                           request.timeout);
        break;
      case Function::remove:
        rows = session.ask(kRemove, {invocation.key}, request.timeout);
        break;
      case Function::add:
        rows = session.ask(kAdd, {invocation.key, value}, request.timeout);
        break;
      case Function::increment:
        rows = session.ask(kIncrement, {invocation.key, value}, request.timeout);
        break;
      default:
        rows = session.ask(invocation.set ? kReadSet : kRead, {invocation.key}, request.timeout);
    }
    if (!rows) return unknown("no-answer");
    const ExecStatusType status = PQresultStatus(rows.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
      return completion_of(invocation, *rows);
    const std::string error = state_of(*rows);
    const char* severity = PQresultErrorField(rows.get(), PG_DIAG_SEVERITY_NONLOCALIZED);
    return is_definite(error, severity) ? failed(error) : unknown(error);
  }

  static Completion completion_of(const Invocation& invocation, const PGresult& rows) {
    Completion completion;
    completion.outcome = Outcome::ok;
    const bool found = PQntuples(&rows) > 0;
    const bool reads = invocation.function == Function::read;
    completion.version = found ? std::atoll(PQgetvalue(&rows, 0, reads ? 1 : 0)) : 0;
    if (invocation.function == Function::cas) {
      completion.swapped = found;
      if (!found) completion.version.reset();
    }
    if (!reads) return completion;
    const bool holds = found && PQgetisnull(&rows, 0, 0) == 0;
    const std::string text = holds ? PQgetvalue(&rows, 0, 0) : "";
    if (invocation.list || invocation.set) {
      completion.elements = elements_of_text(text);
      completion.version.reset();  // the list itself shows its updates
    } else if (holds) {
      completion.value = value_of_text(text);
    }
    return completion;
  }

  /// Until the commit is sent nothing has happened, whatever goes wrong: the server takes back what
  /// is not committed.
  Completion transact(Session& session, const ClientRequest& request) const {
    const Nanos deadline = monotonic_now() + request.timeout;
    const auto left = [&] { return std::max(deadline - monotonic_now(), kMillisecond); };
    Completion completion;
    completion.outcome = Outcome::ok;
    Rows rows = session.ask(begin_.c_str(), {}, left());
    for (const TransactionStep& step : request.invocation.steps) {
      if (!rows || is_error(*rows)) break;
      rows = step.appends ? session.ask(kAppend, {step.key, text_of(step.value) + ","}, left())
                          : session.ask(kRead, {step.key}, left());
      if (step.appends || !rows || is_error(*rows)) continue;
      const bool found = PQntuples(rows.get()) > 0;
      completion.lists.push_back(elements_of_text(found ? PQgetvalue(rows.get(), 0, 0) : ""));
    }
    if (!rows) return failed("no-answer-before-commit");
    if (is_error(*rows)) {
      const std::string why = state_of(*rows);
      if (!session.ask("rollback", {}, left())) session.close();
      return failed(why);
    }
    rows = session.ask("commit", {}, left());
    if (!rows) return unknown("no-answer-to-commit");
    if (!is_error(*rows)) return completion;
    const char* severity = PQresultErrorField(rows.get(), PG_DIAG_SEVERITY_NONLOCALIZED);
    const std::string why = state_of(*rows);
    return is_definite(why, severity) ? failed(why) : unknown(why);
  }

  static std::string state_of(const PGresult& rows) {
    const char* state = PQresultErrorField(&rows, PG_DIAG_SQLSTATE);
    return state != nullptr ? state : "connection-broken";
  }

  Endpoint home_, primary_;
  bool reads_at_primary_;
  std::string begin_;
  Session at_home_, at_primary_;
};

class Postgresql final : public Store {
 public:
  explicit Postgresql(StoreSettings settings) : settings_(std::move(settings)) {}

  std::string description() const override {
    return fmt::format("PostgreSQL {}, {} replication, reads at the {}",
                       version_of(std::string(kPrograms) + "postgres", "--version"), at("sync"),
                       at("reads") == "primary" ? "primary" : "node itself");
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function) const override { return true; }

  /// The primary is always the same, and syncs its log before it answers.
  std::vector<std::string> claims(const Circumstances&) const override {
    if (at("reads") == "primary") return {"linearizable", "eventual"};
    return {"eventual"};
  }
  /// Repeatable read is snapshot isolation (Ports and Grittner 2012).
  std::optional<std::vector<std::string>> isolation() const override {
    const std::string level = at("isolation");
    return std::vector<std::string>{level == "read-committed"    ? "read-committed"
                                    : level == "repeatable-read" ? "snapshot-isolation"
                                                                 : "serializable"};
  }
  bool needs_own_address() const override { return true; }
  unsigned short client_port() const override { return kPort; }
  bool starts_in_turn() const override { return true; }
  bool runs_as_another_user() const override { return is_real_root(); }
  Nanos start_timeout() const override { return 30 * kSecond; }

  std::vector<Command> preparation(const NodeLayout& layout) const override {
    std::vector<Command> steps;
    if (is_real_root())
      steps.push_back({find_program("chown"), {"postgres:postgres", layout.data_directory}});
    const std::string directory = layout.data_directory + "/pg";
    std::string script;
    if (layout.number == 1) {
      script = fmt::format(
          "{0}initdb -D {1} -A trust -U postgres --no-sync -E UTF8 --locale=C &&\n"
          "cat >> {1}/postgresql.auto.conf <<'END'\n{2}END\n"
          "printf 'host all all 0.0.0.0/0 trust\\nhost replication all 0.0.0.0/0 trust\\n' >> "
          "{1}/pg_hba.conf\n",
          kPrograms, directory, configuration());
    } else {
      script = fmt::format(
          "{}pg_basebackup -d 'host={} port={} user=postgres application_name=n{}' -D {} -R -X "
          "stream -c fast --no-sync && chmod 700 {}\n",
          kPrograms, layout.peers[0].host, kPort, layout.number, directory, directory);
    }
    steps.push_back(as_ordinary_user({"/bin/sh", {"-c", script}}, "postgres"));
    return steps;
  }

  /// A pid file of a killed server may name a process that is another by now.
  std::vector<Command> processes(const NodeLayout& layout) const override {
    const std::string directory = layout.data_directory + "/pg";
    const std::string script = fmt::format(
        "rm -f {0}/postmaster.pid; exec {1}postgres -D {0} -p {2}", directory, kPrograms, kPort);
    return {as_ordinary_user({"/bin/sh", {"-c", script}}, "postgres")};
  }

  Status join_up(const std::vector<NodeLayout>& nodes) const override {
    const Status streaming = await("the standbys to stream", 20 * kSecond, [&] {
      const std::string count = ask_one(
          nodes[0].own, "select count(*) from pg_stat_replication where state = 'streaming'");
      return count == std::to_string(nodes.size() - 1);
    });
    if (!streaming) return streaming;
    ask_one(nodes[0].own, kTable);
    ask_one(nodes[0].own, kElements);
    if (at("sync") != "async" && nodes.size() > 1) {
      std::vector<std::string> standbys;
      for (std::size_t i = 2; i <= nodes.size(); ++i) standbys.push_back(fmt::format("n{}", i));
      ask_one(nodes[0].own, fmt::format("alter system set synchronous_standby_names = 'ANY 1 ({})'",
                                        join(standbys, ","))
                                .c_str());
      ask_one(nodes[0].own,
              fmt::format("alter system set synchronous_commit = '{}'", at("sync")).c_str());
      ask_one(nodes[0].own, "select pg_reload_conf()");
    }
    return await("the table to be everywhere", 20 * kSecond, [&] {
      for (const NodeLayout& node : nodes) {
        if (ask_one(node.own, "select count(*) from kv") != "0") return false;
      }
      return true;
    });
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    Session session;
    if (!session.open(layout.own, kSecond)) return std::nullopt;
    const Rows rows = session.ask(kStatus, {}, kSecond);
    if (!rows || PQresultStatus(rows.get()) != PGRES_TUPLES_OK) return std::nullopt;
    NodeStatus status;
    status.drained = true;
    status.leads = std::string_view(PQgetvalue(rows.get(), 0, 0)) == "f";
    status.position = PQgetvalue(rows.get(), 0, 1);
    return status;
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    const bool at_primary = at("reads") == "primary";
    std::string level = at("isolation");
    std::replace(level.begin(), level.end(), '-', ' ');
    const std::string begin = "begin isolation level " + level;
    return make_blocking_clients(
        slots, [reached, at_primary, begin](std::size_t, std::size_t node, Nanos, std::string&) {
          return std::make_unique<PostgresConnection>(reached[node - 1], reached.front(),
                                                      at_primary, begin);
        });
  }

 private:
  std::string at(std::string_view name) const {
    return setting(settings_, name,
                   name == "sync"        ? "async"
                   : name == "isolation" ? "serializable"
                                         : "primary");
  }

  static std::string configuration() {
    return "listen_addresses = '*'\nunix_socket_directories = ''\nshared_buffers = 16MB\n"
           "wal_level = replica\nhot_standby = on\nwal_keep_size = 256MB\nwal_sender_timeout = 5s\n"
           "wal_receiver_timeout = 5s\nwal_receiver_status_interval = 1s\n"
           "wal_retrieve_retry_interval = 500ms\nmax_connections = 300\n";
  }

  static std::string ask_one(const Endpoint& node, const char* sql) {
    Session session;
    if (!session.open(node, 2 * kSecond)) return {};
    const Rows rows = session.ask(sql, {}, 5 * kSecond);
    const bool told =
        rows && PQresultStatus(rows.get()) == PGRES_TUPLES_OK && PQntuples(rows.get()) > 0;
    return told ? PQgetvalue(rows.get(), 0, 0) : "";
  }

  StoreSettings settings_;
};

}  // namespace

const std::vector<StoreSetting>& postgresql_settings() {
  using Kind = StoreSetting::Kind;
  static const std::vector<StoreSetting> settings = {
      {"isolation",
       "serializable",
       {"read-committed", "repeatable-read", "serializable"},
       Kind::choice,
       "postgresql",
       "isolation level of transactions (-w transaction)"},
      {"reads",
       "primary",
       {"primary", "local"},
       Kind::choice,
       "postgresql",
       "reads go to the primary, or to the session's node"},
      {"sync",
       "async",
       {"async", "on", "remote_apply"},
       Kind::choice,
       "postgresql",
       "what a commit waits for at one standby"},
  };
  return settings;
}

Result<std::unique_ptr<Store>> make_postgresql(const StoreSettings& given, std::size_t) {
  const Status known = check_settings("postgresql", given, postgresql_settings());
  if (!known) return known.error();
  return std::unique_ptr<Store>(std::make_unique<Postgresql>(given));
}

}  // namespace consistory
