#include "harness/stores/postgresql_operator.h"

#include <fmt/format.h>

#include "harness/stores/postgresql_session.h"

namespace consistory {
namespace {

/// Lines before it set number, nodes, own, port, programs, data, hosts and leads (SQL).
constexpr const char* kScript = R"sh(
lost="pg_is_in_recovery() and not exists (
  select from pg_stat_wal_receiver where status = 'streaming')"
# TERM and how much of its log, of a standby that sees no primary.
position="select current_setting('consistory.term', true) || ' ' || pg_wal_lsn_diff(
  greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0') where $lost"
conf=$data/postgresql.auto.conf
server=''

say() { echo "operator of node $number: $*"; }

ask() {  # HOST SQL
  timeout 1 "${programs}psql" -h "$1" -p "$port" -U postgres -d postgres -XAtqc "$2" 2>/dev/null
}

conninfo() {  # HOST
  echo "host=$1 port=$port user=postgres application_name=n$number tcp_user_timeout=3000"
}

# Of what is set twice the later line counts.
configured() { sed -n "s/^$1 *= *'\(.*\)'\$/\1/p" "$conf" | tail -n 1; }  # NAME
configure() {  # NAME VALUE
  echo "$1 = '$2'" >>"$conf"
  sync "$conf"
  kill -HUP "$server"
}

# TERM NUMBER HOST of the primary that counts, among the others.
other_primary() {
  i=0
  for host in $hosts; do
    i=$((i + 1))
    [ $i -ne "$number" ] || continue
    line=$(ask "$host" "$leads")
    [ "${line:-0}" -eq 0 ] || echo "$line $i $host"
  done | sort -k1,1nr -k2,2n | head -n 1
}

know() {
  term=$(configured consistory.term)
  follows=$(configured primary_conninfo | sed 's/.*host=\([^ ]*\).*/\1/')
  silent=0 idle=0
}

start() {
  know
  rm -f "$data/postmaster.pid"
  "${programs}postgres" -D "$data" -p "$port" &
  server=$!
}

# A copy of that primary replaces what is here; if none can be had, all stays as it is.
rebuild() {  # HOST
  say "rebuilds what it has from $1"
  rm -rf "$data.new"
  timeout 20 "${programs}pg_basebackup" -d "$(conninfo "$1") connect_timeout=2" -D "$data.new" \
    -R -X stream -c fast || return 0
  [ -z "$server" ] || { kill -QUIT "$server"; wait "$server"; }
  rm -rf "$data.old"
  mv "$data" "$data.old" && mv "$data.new" "$data" && chmod 700 "$data" && sync "${data%/*}"
  rm -rf "$data.old"
  start
}

rebuild_if_outranked() {
  best=$(other_primary)
  # shellcheck disable=SC2086
  set -- $best
  [ "${1:-0}" -ge "$term" ] || return 0
  [ "$1" -gt "$term" ] || [ "$2" -lt "$number" ] || return 0
  rebuild "$3"
}

is_ahead() {  # NUMBER TERM POSITION MY_TERM MY_POSITION
  if [ "$2" -ne "$4" ]; then [ "$2" -gt "$4" ]
  elif [ "$3" -ne "$5" ]; then [ "$3" -gt "$5" ]
  else [ "$1" -lt "$number" ]; fi
}

# The first in line has most of the newest log; of equals, the lowest number.
elect() {
  began=$(date +%s)
  mine=$(ask "$own" "$position")
  [ -n "$mine" ] || return 0
  votes=1 i=0
  for host in $hosts; do
    i=$((i + 1))
    [ $i -ne "$number" ] || continue
    theirs=$(ask "$host" "$position")
    [ -n "$theirs" ] || continue
    votes=$((votes + 1))
    # shellcheck disable=SC2086
    ! is_ahead $i $theirs $mine || return 0
  done
  [ $((votes * 2)) -gt "$nodes" ] || return 0
  back=$(ask "$follows" "$leads")
  [ "${back:-0}" -lt "$term" ] && [ $(($(date +%s) - began)) -le 4 ] || return 0
  [ -n "$(ask "$own" "select pg_promote(false) where $lost")" ] || return 0
  term=$((term + 1)) silent=0
  configure consistory.term "$term"
  say "promoted it, with $votes of $nodes"
}

follow() {  # HOST
  say "follows $1"
  configure primary_conninfo "$(conninfo "$1")"
  follows=$1 silent=0 idle=0
}

# Its primary is there: is the stream? A log that has gone another way never streams.
tend_stream() {  # TERM
  status=$(ask "$own" "select coalesce((
    select status from pg_stat_wal_receiver where sender_host = '$follows'), 'none')")
  if [ "$status" = streaming ]; then
    idle=0
    [ "$1" -eq "$term" ] || { term=$1; configure consistory.term "$term"; }
  elif [ -n "$status" ]; then
    idle=$((idle + 1))
    [ $idle -lt 14 ] || rebuild "$follows"
  fi
}

tend_standby() {
  answer=$(ask "$follows" "$leads")
  if [ "${answer:-0}" -ge "$term" ]; then
    silent=0
    tend_stream "$answer"
    return 0
  fi
  silent=$((silent + 1))
  [ $silent -ge 2 ] || return 0
  best=$(other_primary)
  # shellcheck disable=SC2086
  set -- $best
  if [ "${1:-0}" -ge "$term" ]; then follow "$3"; else elect; fi
}

[ -d "$data" ] || mv "$data.old" "$data"  # it ended between two moves
know
[ -f "$data/standby.signal" ] || rebuild_if_outranked
[ -n "$server" ] || start
while kill -0 "$server" 2>/dev/null; do
  sleep 0.5
  if [ -f "$data/standby.signal" ]; then tend_standby; else rebuild_if_outranked; fi
done
wait "$server"
)sh";

}  // namespace

std::string postgresql_operator(const NodeLayout& layout, const std::string& directory,
                                unsigned short port) {
  std::string hosts;
  for (const Endpoint& peer : layout.peers) hosts += peer.host + " ";
  return fmt::format(
      "number={} nodes={} own={} port={} programs={} data={} hosts='{}'\nleads=\"{}\"\n{}",
      layout.number, layout.peers.size(), layout.own.host, port, kPostgresqlPrograms, directory,
      hosts, kTermOfPrimary, kScript);
}

}  // namespace consistory
