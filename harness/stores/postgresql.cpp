// PostgreSQL with streaming replication: node 1 is the primary, and stays it unless there is
// failover; the others are hot standbys. Updates go to the primary, reads there or to the session's
// node. A list is a text that grows by concatenation; every row counts its updates, which is the
// version of its value.
// Transactions run at the primary, at the isolation level that is asked for.
#include <fmt/format.h>

#include <algorithm>

#include "base/suggest.h"
#include "harness/stores/postgresql_operator.h"
#include "harness/stores/postgresql_session.h"
#include "harness/stores/settings.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 5432;

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

/// "HOST PORT" of the server that a standby follows; empty at a primary.
constexpr const char* kFollowed =
    "select case when pg_is_in_recovery() then "
    "substring(current_setting('primary_conninfo') from 'host=([^ '']+)') || ' ' || "
    "substring(current_setting('primary_conninfo') from 'port=([0-9]+)') else '' end";

struct PostgresqlOptions {
  bool reads_at_primary = true;
  bool failover = false;
  std::string begin;            ///< how a transaction begins
  std::vector<Endpoint> nodes;  ///< the first is the primary, where there is no failover
};

class PostgresqlConnection final : public Connection {
 public:
  PostgresqlConnection(Endpoint home, PostgresqlOptions options)
      : home_(std::move(home)), options_(std::move(options)) {}

  Completion perform(const ClientRequest& request) override {
    const bool reads = request.invocation.function == Function::read;
    const bool at_home = reads && (request.local || !options_.reads_at_primary);
    PostgresqlSession& session = at_home ? at_home_ : at_primary_;
    const Nanos deadline = monotonic_now() + request.timeout;
    if (!session.is_open() &&
        !(at_home ? session.open(home_, request.timeout) : open_primary(deadline)))
      return failed("no-connection");
    Completion completion = request.invocation.steps.empty()
                                ? ask(session, request.invocation, deadline)
                                : transact(session, request.invocation, deadline);
    if (!options_.failover) return completion;
    completion.version.reset();  // after a loss the same version is given to another value
    // Whoever was the primary may be none any more: the next operation asks again.
    if (completion.outcome != Outcome::ok && !at_home) session.close();
    return completion;
  }
  bool broken() const override { return false; }  // sessions are opened again one by one

 private:
  /// A new session asks its own node who the primary is, and goes nowhere but to a node.
  bool open_primary(Nanos deadline) {
    if (!options_.failover) return at_primary_.open(options_.nodes.front(), left(deadline));
    PostgresqlSession node;
    if (!node.open(home_, left(deadline))) return false;
    const SqlRows rows = node.ask(kFollowed, {}, left(deadline));
    if (!rows || is_sql_error(*rows)) return false;
    const std::string followed = PQgetvalue(rows.get(), 0, 0);
    const auto primary =
        std::find_if(options_.nodes.begin(), options_.nodes.end(), [&](const Endpoint& each) {
          const bool own = each.host == home_.host && each.port == home_.port;
          return followed.empty() ? own : followed == fmt::format("{} {}", each.host, each.port);
        });
    if (primary == options_.nodes.end() || !at_primary_.open(*primary, left(deadline)))
      return false;
    if (std::atoi(at_primary_.ask_one(kTermOfPrimary, left(deadline)).c_str()) > 0) return true;
    at_primary_.close();
    return false;
  }

  static Nanos left(Nanos deadline) { return std::max(deadline - monotonic_now(), kMillisecond); }

  static Completion ask(PostgresqlSession& session, const Invocation& invocation, Nanos deadline) {
    const std::string value = text_of(invocation.value);
    SqlRows rows;
    switch (invocation.function) {
      case Function::write:
        rows = session.ask(kWrite, {invocation.key, value}, left(deadline));
        break;
      case Function::append:
        rows = session.ask(kAppend, {invocation.key, value + ","}, left(deadline));
        break;
      case Function::cas:
        rows = session.ask(kCas, {invocation.key, text_of(invocation.expected), value},
                           left(deadline));
        break;
      case Function::remove:
        rows = session.ask(kRemove, {invocation.key}, left(deadline));
        break;
      case Function::add:
        rows = session.ask(kAdd, {invocation.key, value}, left(deadline));
        break;
      case Function::increment:
        rows = session.ask(kIncrement, {invocation.key, value}, left(deadline));
        break;
      default:
        rows = session.ask(invocation.set ? kReadSet : kRead, {invocation.key}, left(deadline));
    }
    if (!rows) return unknown("no-answer");
    return is_sql_error(*rows) ? refused(*rows) : completion_of(invocation, *rows);
  }

  static Completion refused(const PGresult& rows) {
    return is_definite_sql_error(rows) ? failed(sql_state(rows)) : unknown(sql_state(rows));
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
  Completion transact(PostgresqlSession& session, const Invocation& invocation,
                      Nanos deadline) const {
    Completion completion;
    completion.outcome = Outcome::ok;
    SqlRows rows = session.ask(options_.begin.c_str(), {}, left(deadline));
    for (const TransactionStep& step : invocation.steps) {
      if (!rows || is_sql_error(*rows)) break;
      rows = step.appends
                 ? session.ask(kAppend, {step.key, text_of(step.value) + ","}, left(deadline))
                 : session.ask(kRead, {step.key}, left(deadline));
      if (step.appends || !rows || is_sql_error(*rows)) continue;
      const bool found = PQntuples(rows.get()) > 0;
      completion.lists.push_back(elements_of_text(found ? PQgetvalue(rows.get(), 0, 0) : ""));
    }
    if (!rows) return failed("no-answer-before-commit");
    if (is_sql_error(*rows)) {
      const std::string why = sql_state(*rows);
      if (!session.ask("rollback", {}, left(deadline))) session.close();
      return failed(why);
    }
    rows = session.ask("commit", {}, left(deadline));
    if (!rows) return unknown("no-answer-to-commit");
    return is_sql_error(*rows) ? refused(*rows) : completion;
  }

  Endpoint home_;
  PostgresqlOptions options_;
  PostgresqlSession at_home_, at_primary_;
};

class Postgresql final : public Store {
 public:
  explicit Postgresql(StoreSettings settings) : settings_(std::move(settings)) {}

  std::string description() const override {
    return fmt::format("PostgreSQL {}, {} replication, reads at the {}, {}",
                       version_of(std::string(kPostgresqlPrograms) + "postgres", "--version"),
                       at("sync"), at("reads") == "primary" ? "primary" : "node itself",
                       has_failover() ? "failover by promote" : "no failover");
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function) const override { return true; }

  /// The primary is always the same, and syncs its log before it answers. With failover two may
  /// take updates for a while, of which one's are lost or unseen, and nothing is promised.
  std::vector<std::string> claims(const Circumstances&) const override {
    if (has_failover()) return {};
    if (at("reads") == "primary") return {"linearizable", "eventual"};
    return {"eventual"};
  }
  /// Repeatable read is snapshot isolation (Ports and Grittner 2012).
  std::optional<std::vector<std::string>> isolation() const override {
    if (has_failover()) return std::vector<std::string>{};
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
          kPostgresqlPrograms, directory, configuration());
    } else {
      script = fmt::format(
          "{}pg_basebackup -d 'host={} port={} user=postgres application_name=n{}' -D {} -R -X "
          "stream -c fast --no-sync && chmod 700 {}\n",
          kPostgresqlPrograms, layout.peers[0].host, kPort, layout.number, directory, directory);
    }
    steps.push_back(as_ordinary_user({"/bin/sh", {"-c", script}}, "postgres"));
    return steps;
  }

  /// A pid file of a killed server may name a process that is another by now.
  std::vector<Command> processes(const NodeLayout& layout) const override {
    const std::string directory = layout.data_directory + "/pg";
    const std::string script =
        has_failover() ? postgresql_operator(layout, directory, kPort)
                       : fmt::format("rm -f {0}/postmaster.pid; exec {1}postgres -D {0} -p {2}",
                                     directory, kPostgresqlPrograms, kPort);
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
    if (at("sync") != "async" && nodes.size() > 1) wait_for_a_standby(nodes);
    return await("the table to be everywhere", 20 * kSecond, [&] {
      for (const NodeLayout& node : nodes) {
        if (ask_one(node.own, "select count(*) from kv") != "0") return false;
      }
      return true;
    });
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    PostgresqlSession session;
    if (!session.open(layout.own, kSecond)) return std::nullopt;
    const SqlRows rows = session.ask(kStatus, {}, kSecond);
    if (!rows || is_sql_error(*rows)) return std::nullopt;
    NodeStatus status;
    status.drained = true;
    status.leads = std::string_view(PQgetvalue(rows.get(), 0, 0)) == "f";
    status.position = PQgetvalue(rows.get(), 0, 1);
    status.term = std::atoll(session.ask_one(kTermOfPrimary, kSecond).c_str());
    return status;
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    std::string level = at("isolation");
    std::replace(level.begin(), level.end(), '-', ' ');
    const PostgresqlOptions options{at("reads") == "primary", has_failover(),
                                    "begin isolation level " + level, reached};
    return make_blocking_clients(
        slots, [reached, options](std::size_t, std::size_t node, Nanos, std::string&) {
          return std::make_unique<PostgresqlConnection>(reached[node - 1], options);
        });
  }

 private:
  std::string at(std::string_view name) const {
    return setting(settings_, name,
                   name == "sync"        ? "async"
                   : name == "isolation" ? "serializable"
                   : name == "failover"  ? "off"
                                         : "primary");
  }
  bool has_failover() const { return at("failover") == "promote"; }

  /// Any of the standbys; with failover every node may be the primary.
  void wait_for_a_standby(const std::vector<NodeLayout>& nodes) const {
    std::vector<std::string> standbys;
    for (const NodeLayout& node : nodes) {
      if (has_failover() || node.number > 1) standbys.push_back(fmt::format("n{}", node.number));
    }
    for (const NodeLayout& node : nodes) {
      if (!has_failover() && node.number > 1) continue;
      ask_one(node.own, fmt::format("alter system set synchronous_standby_names = 'ANY 1 ({})'",
                                    join(standbys, ","))
                            .c_str());
      ask_one(node.own,
              fmt::format("alter system set synchronous_commit = '{}'", at("sync")).c_str());
      ask_one(node.own, "select pg_reload_conf()");
    }
  }

  std::string configuration() const {
    return fmt::format(
        "listen_addresses = '*'\nunix_socket_directories = ''\nshared_buffers = 16MB\n"
        "wal_level = replica\nhot_standby = on\nwal_keep_size = 256MB\nwal_sender_timeout = 5s\n"
        "wal_receiver_timeout = {}\nwal_receiver_status_interval = 1s\n"
        "wal_retrieve_retry_interval = 500ms\nmax_connections = 300\n{}",
        has_failover() ? "2s" : "5s", has_failover() ? kFirstTerm : "");
  }

  static std::string ask_one(const Endpoint& node, const char* sql) {
    PostgresqlSession session;
    return session.open(node, 2 * kSecond) ? session.ask_one(sql, 5 * kSecond) : "";
  }

  StoreSettings settings_;
};

}  // namespace

const std::vector<StoreSetting>& postgresql_settings() {
  using Kind = StoreSetting::Kind;
  static const std::vector<StoreSetting> settings = {
      {"failover",
       "off",
       {"off", "promote"},
       Kind::choice,
       "postgresql",
       "none, or a standby is promoted by an operator on each node"},
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
