// MariaDB with Galera: every node takes updates, which are certified and applied everywhere. A list
// is a text that grows by concatenation. With wsrep_sync_wait a statement first waits for what
// other nodes had committed.
#include <fmt/format.h>
#include <mariadb/mysql.h>

#include <array>

#include "base/suggest.h"
#include "harness/clients/login.h"
#include "harness/stores/settings.h"
#include "harness/stores/value_text.h"

namespace consistory {
namespace {

constexpr unsigned short kPort = 3306;

struct Close {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
  void operator()(MYSQL_RES* rows) const { mysql_free_result(rows); }
};
using Rows = std::unique_ptr<MYSQL_RES, Close>;

/// Errors after which the statement surely did nothing: refused by a node outside the primary
/// component, rolled back by a conflict, not understood.
constexpr std::array<unsigned, 8> kDefinite = {1047, 1213, 1205, 1064, 1146, 1049, 1045, 1290};

/// One connection to one server; the library is told not to reconnect.
class Session {
 public:
  bool open(const Endpoint& node, Nanos timeout, int sync_wait) {
    connection_.reset(mysql_init(nullptr));
    const auto seconds = static_cast<unsigned>(std::max<Nanos>(timeout / kSecond, 1));
    const my_bool off = 0;
    for (const mysql_option option :
         {MYSQL_OPT_CONNECT_TIMEOUT, MYSQL_OPT_READ_TIMEOUT, MYSQL_OPT_WRITE_TIMEOUT})
      mysql_options(connection_.get(), option, &seconds);
    mysql_options(connection_.get(), MYSQL_OPT_RECONNECT, &off);
    const std::string user = login().user.empty() ? "root" : login().user;
    const bool open =
        mysql_real_connect(connection_.get(), node.host.c_str(), user.c_str(),
                           login().password.c_str(), nullptr, node.port, nullptr, 0) != nullptr &&
        run(fmt::format("set session wsrep_sync_wait = {}", sync_wait));
    if (!open) connection_.reset();
    return open;
  }
  bool is_open() const { return connection_ != nullptr; }
  void close() { connection_.reset(); }

  bool run(const std::string& sql) {
    rows_.reset();
    const bool done = mysql_real_query(connection_.get(), sql.data(), sql.size()) == 0;
    if (done) rows_.reset(mysql_store_result(connection_.get()));
    return done && mysql_errno(connection_.get()) == 0;
  }
  /// Of the first row; nothing if there is none.
  std::optional<std::vector<std::string>> row() {
    if (!rows_) return std::nullopt;
    const MYSQL_ROW row = mysql_fetch_row(rows_.get());
    if (row == nullptr) return std::nullopt;
    const unsigned long* sizes = mysql_fetch_lengths(rows_.get());
    std::vector<std::string> fields;
    for (unsigned i = 0; i < mysql_num_fields(rows_.get()); ++i)
      fields.push_back(row[i] == nullptr ? std::string() : std::string(row[i], sizes[i]));
    return fields;
  }
  unsigned error() const { return mysql_errno(connection_.get()); }
  std::string quoted(const std::string& text) {
    std::string escaped(2 * text.size() + 1, '\0');
    escaped.resize(
        mysql_real_escape_string(connection_.get(), escaped.data(), text.data(), text.size()));
    return "'" + escaped + "'";
  }

 private:
  std::unique_ptr<MYSQL, Close> connection_;
  Rows rows_;
};

class GaleraConnection final : public Connection {
 public:
  GaleraConnection(Endpoint node, int sync_wait) : node_(std::move(node)), sync_wait_(sync_wait) {}
  ~GaleraConnection() override {
    session_.close();
    mysql_thread_end();
  }

  Completion perform(const ClientRequest& request) override {
    const int sync_wait = request.local ? 0 : sync_wait_;
    if (session_.is_open() && sync_wait != opened_with_) session_.close();
    if (!session_.is_open() && !session_.open(node_, request.timeout, sync_wait))
      return failed("no-connection");
    opened_with_ = sync_wait;
    if (!request.invocation.steps.empty()) return transact(request.invocation.steps);
    if (session_.run(sql_for(request.invocation))) return completion_of(request.invocation);
    return completion_of_error();
  }
  bool broken() const override { return false; }

 private:
  Completion completion_of_error() {
    const unsigned error = session_.error();
    const bool definite = std::find(kDefinite.begin(), kDefinite.end(), error) != kDefinite.end();
    const std::string text = fmt::format("error-{}", error);
    if (!definite) session_.close();
    return definite ? failed(text) : unknown(text);
  }

  /// Until the commit is sent nothing has happened: a node takes back what is not committed.
  Completion transact(const std::vector<TransactionStep>& steps) {
    Completion completion;
    completion.outcome = Outcome::ok;
    bool fine = session_.run("start transaction");
    for (const TransactionStep& step : steps) {
      if (!fine) break;
      const Function function = step.appends ? Function::append : Function::read;
      fine = session_.run(sql_for({function, step.key, step.value}));
      if (step.appends || !fine) continue;
      const auto row = session_.row();
      completion.lists.push_back(elements_of_text(row ? row->front() : ""));
    }
    if (!fine) {
      const std::string why = fmt::format("error-{}-before-commit", session_.error());
      if (!session_.run("rollback")) session_.close();
      return failed(why);
    }
    return session_.run("commit") ? completion : completion_of_error();
  }

  std::string sql_for(const Invocation& invocation) {
    const std::string key = session_.quoted(invocation.key);
    const std::string value = text_of(invocation.value);
    switch (invocation.function) {
      case Function::write:
        return fmt::format("insert into t.kv values ({0}, {1}) on duplicate key update v = {1}",
                           key, session_.quoted(value));
      case Function::append:
        return fmt::format(
            "insert into t.kv values ({0}, {1}) on duplicate key update v = concat(v, {1})", key,
            session_.quoted(value + ","));
      default:
        return fmt::format("select v from t.kv where k = {}", key);
    }
  }

  Completion completion_of(const Invocation& invocation) {
    Completion completion;
    completion.outcome = Outcome::ok;
    if (invocation.function != Function::read) return completion;
    const auto row = session_.row();
    if (invocation.list) completion.elements = elements_of_text(row ? row->front() : "");
    else if (row) completion.value = value_of_text(row->front());
    return completion;
  }

  Endpoint node_;
  int sync_wait_;
  int opened_with_ = -1;
  Session session_;
};

class Galera final : public Store {
 public:
  explicit Galera(StoreSettings settings) : settings_(std::move(settings)) {
    mysql_library_init(0, nullptr, nullptr);
  }

  std::string description() const override {
    return fmt::format("MariaDB {} with Galera, wsrep_sync_wait={}",
                       version_of("mariadbd", "--version"), sync_wait());
  }
  std::vector<std::string> arguments() const override { return words_of(settings_); }
  bool supports(Function function) const override {
    return function == Function::read || function == Function::write ||
           function == Function::append;
  }
  std::vector<std::string> claims(const Circumstances&) const override {
    if (sync_wait() != 0) return {"read-your-writes", "eventual"};
    return {"eventual"};
  }
  /// Its nodes' own level is repeatable read, which in MariaDB lets updates be lost.
  std::optional<std::vector<std::string>> isolation() const override {
    return std::vector<std::string>{"read-committed"};
  }
  bool needs_own_address() const override { return true; }
  unsigned short client_port() const override { return kPort; }
  bool starts_in_turn() const override { return true; }
  bool runs_as_another_user() const override { return is_real_root(); }
  Nanos start_timeout() const override { return 90 * kSecond; }
  /// None is left that knows which of them is the newest.
  bool survives(const FaultSpec& fault) const override {
    return fault.variant != "all" && fault.variant != "majority" &&
           fault.variant != "power-cut-all" && fault.variant != "power-cut-majority";
  }

  std::vector<Command> preparation(const NodeLayout& layout) const override {
    const std::string directory = layout.data_directory + "/my";
    std::string script = fmt::format("mkdir {}", directory);
    if (is_real_root())
      script += fmt::format(" && chown mysql:mysql {} {}", layout.data_directory, directory);
    if (layout.number == 1) {
      script += fmt::format(
          " && mariadb-install-db --no-defaults --user={} --datadir={} "
          "--auth-root-authentication-method=normal --skip-test-db",
          user(), directory);
    }
    return {{"/bin/sh", {"-c", script}}};
  }

  /// The first node starts the cluster, once; whoever comes back joins it.
  std::vector<Command> processes(const NodeLayout& layout) const override {
    std::vector<std::string> hosts;
    for (const Endpoint& peer : layout.peers) hosts.push_back(peer.host);
    const std::string script = fmt::format(
        "if [ {number} = 1 ] && [ ! -e {data}/began ]; then touch {data}/began; join=; "
        "else join={hosts}; fi\n"
        "exec {program} --no-defaults --user={user} --datadir={data}/my --bind-address=0.0.0.0 "
        "--port={port} --socket={data}/s --pid-file={data}/my/pid --skip-name-resolve "
        "--skip-grant-tables --innodb-buffer-pool-size=16M --innodb-log-file-size=16M "
        "--performance-schema=0 --binlog-format=ROW --innodb-autoinc-lock-mode=2 --wsrep-on=ON "
        "--wsrep-provider=/usr/lib/galera/libgalera_smm.so --wsrep-cluster-name=g "
        "--wsrep-cluster-address=gcomm://$join --wsrep-node-address={host} "
        "--wsrep-node-name=n{number} --wsrep-sst-method=rsync "
        "'--wsrep-provider-options=gcache.size=16M;evs.keepalive_period=PT0.5S;"
        "evs.suspect_timeout=PT2S;evs.inactive_timeout=PT6S;evs.install_timeout=PT5S'",
        fmt::arg("number", layout.number), fmt::arg("data", layout.data_directory),
        fmt::arg("hosts", join(hosts, ",")), fmt::arg("program", find_program("mariadbd")),
        fmt::arg("user", user()), fmt::arg("port", kPort), fmt::arg("host", layout.own.host));
    return {{"/bin/sh", {"-c", script}}};
  }

  Status join_up(const std::vector<NodeLayout>& nodes) const override {
    Session session;
    const bool made = session.open(nodes[0].own, 5 * kSecond, 0) &&
                      session.run("create database if not exists t") &&
                      session.run(
                          "create table if not exists t.kv "
                          "(k varchar(200) primary key, v mediumtext)");
    if (!made) return store_error("the table cannot be made on node n1");
    return await("the table to be everywhere", 20 * kSecond, [&] {
      return std::all_of(nodes.begin(), nodes.end(), [](const NodeLayout& node) {
        Session there;
        return there.open(node.own, kSecond, 0) && there.run("select count(*) from t.kv");
      });
    });
  }

  std::optional<NodeStatus> status(const NodeLayout& layout) const override {
    Session session;
    if (!session.open(layout.own, kSecond, 0)) return std::nullopt;
    const auto variable = [&](const char* name) {
      const bool asked = session.run(fmt::format("show status like '{}'", name));
      const auto row = asked ? session.row() : std::nullopt;
      return row && row->size() > 1 ? (*row)[1] : std::string();
    };
    if (variable("wsrep_local_state_comment") != "Synced") return std::nullopt;
    NodeStatus status;
    // A commit that waited for a node may still be under way, long after its client gave it up.
    const bool asked = session.run(
        "select count(*) from information_schema.processlist where command = 'Query' and "
        "user <> 'system user' and id <> connection_id()");
    const auto busy = asked ? session.row() : std::nullopt;
    status.drained = variable("wsrep_ready") == "ON" && busy && busy->front() == "0" &&
                     variable("wsrep_local_recv_queue") == "0" &&
                     variable("wsrep_local_send_queue") == "0";
    status.position = variable("wsrep_last_committed");
    return status;
  }

  std::unique_ptr<Clients> clients(std::size_t slots,
                                   const std::vector<Endpoint>& reached) const override {
    return make_blocking_clients(
        slots, [reached, wait = sync_wait()](std::size_t, std::size_t node, Nanos, std::string&) {
          return std::make_unique<GaleraConnection>(reached[node - 1], wait);
        });
  }

 private:
  int sync_wait() const { return std::atoi(setting(settings_, "sync-wait", "1").c_str()); }
  static std::string user() { return is_real_root() ? "mysql" : "root"; }

  StoreSettings settings_;
};

}  // namespace

const std::vector<StoreSetting>& galera_settings() {
  static const std::vector<StoreSetting> settings = {
      {"sync-wait",
       "1",
       {"0", "1", "7"},
       StoreSetting::Kind::choice,
       "galera",
       "wsrep_sync_wait: what waits for updates of other nodes; 1: reads, 7: updates too"}};
  return settings;
}

Result<std::unique_ptr<Store>> make_galera(const StoreSettings& given, std::size_t) {
  const Status known = check_settings("galera", given, galera_settings());
  if (!known) return known.error();
  return std::unique_ptr<Store>(std::make_unique<Galera>(given));
}

}  // namespace consistory
