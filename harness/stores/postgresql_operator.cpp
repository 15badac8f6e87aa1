#include "harness/stores/postgresql_operator.h"

#include <fmt/format.h>

#include "harness/stores/postgresql_session.h"

namespace consistory {
namespace {

/// Its variables are set by lines before it.
constexpr const char* kScript = R"sh(
timeline="select case when pg_is_in_recovery() then 0
  else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end"
# Of a standby that sees no primary: how much of the log it has.
received="select pg_wal_lsn_diff(
    greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')
  where pg_is_in_recovery() and not exists (
    select from pg_stat_wal_receiver where status = 'streaming')"

conninfo() { echo "host=$1 port=$port user=postgres application_name=n$number"; }

say() { echo "operator of node $number: $*"; }

ask() {  # HOST SQL
  timeout 1 "${programs}psql" -h "$1" -p "$port" -U postgres -d postgres -XAtqc "$2" 2>/dev/null
}

# TIMELINE NUMBER HOST of the primary that counts, among the others: of the newest timeline.
other_primary() {
  i=0
  for host in $hosts; do
    i=$((i + 1))
    [ $i -ne "$number" ] || continue
    line=$(ask "$host" "$timeline")
    [ "${line:-0}" -eq 0 ] || echo "$line $i $host"
  done | sort -k1,1nr -k2,2n | head -n 1
}

start() {
  rm -f "$data/postmaster.pid"
  "${programs}postgres" -D "$data" -p "$port" &
  server=$!
  follows=$(sed -n "s/^primary_conninfo.*host=\([^ ']*\).*/\1/p" "$data/postgresql.auto.conf" |
    tail -n 1)
  silent=0 idle=0
}

# A copy of the primary that counts replaces what is here.
rebuild() {
  [ -z "$server" ] || { kill -INT "$server"; wait "$server"; }
  while :; do
    best=$(other_primary)
    if [ -n "$best" ]; then
      rm -rf "$data.new"
      "${programs}pg_basebackup" -d "$(conninfo "${best##* }")" -D "$data.new" -R -X stream \
        -c fast && break
    fi
    sleep 0.5
  done
  rm -rf "$data"
  mv "$data.new" "$data"
  chmod 700 "$data"
  say "rebuilt from ${best##* }"
  start
}

follow() {  # HOST
  say "follows $1"
  ask "$own" "alter system set primary_conninfo = '$(conninfo "$1")'"
  ask "$own" "select pg_reload_conf()" >/dev/null
  follows=$1 silent=0 idle=0
}

# The first in line has most of the log; of equals, the lowest number.
elect() {
  mine=$(ask "$own" "$received")
  [ -n "$mine" ] || return 0
  votes=1 i=0
  for host in $hosts; do
    i=$((i + 1))
    [ $i -ne "$number" ] || continue
    theirs=$(ask "$host" "$received")
    [ -n "$theirs" ] || continue
    votes=$((votes + 1))
    [ "$theirs" -le "$mine" ] || return 0
    [ "$theirs" -lt "$mine" ] || [ $i -gt "$number" ] || return 0
  done
  [ $((votes * 2)) -gt "$nodes" ] || return 0
  say "promotes it, with $votes of $nodes"
  ask "$own" "select pg_promote(false)" >/dev/null
  silent=0
}

tend_standby() {
  if [ "$(ask "$follows" "select pg_is_in_recovery()")" = f ]; then
    silent=0
    idle=$((idle + 1))
    [ "$(ask "$own" "select status from pg_stat_wal_receiver")" != streaming ] || idle=0
    [ $idle -lt 10 ] || rebuild  # its log has gone another way than the primary's
    return 0
  fi
  silent=$((silent + 1))
  [ $silent -ge 2 ] || return 0
  best=$(other_primary)
  if [ -n "$best" ]; then follow "${best##* }"; else elect; fi
}

tend_primary() {
  best=$(other_primary)
  [ -n "$best" ] || return 0
  mine=$(ask "$own" "$timeline")
  [ "${mine:-0}" -gt 0 ] || return 0
  set -- $best
  [ "$1" -gt "$mine" ] || { [ "$1" -eq "$mine" ] && [ "$2" -lt "$number" ]; } || return 0
  say "$3 is the primary now"
  rebuild
}

server=
if [ ! -f "$data/PG_VERSION" ]; then rebuild
elif [ ! -f "$data/standby.signal" ] && [ -n "$(other_primary)" ]; then rebuild
else start
fi
while kill -0 "$server" 2>/dev/null; do
  sleep 0.5
  if [ -f "$data/standby.signal" ]; then tend_standby; else tend_primary; fi
done
wait "$server"
)sh";

}  // namespace

std::string postgresql_operator(const NodeLayout& layout, const std::string& directory,
                                unsigned short port) {
  std::string hosts;
  for (const Endpoint& peer : layout.peers) hosts += peer.host + " ";
  return fmt::format("number={} nodes={} own={} port={} programs={} data={} hosts='{}'\n{}",
                     layout.number, layout.peers.size(), layout.own.host, port, kPostgresqlPrograms,
                     directory, hosts, kScript);
}

}  // namespace consistory
