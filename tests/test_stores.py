"""Real stores, each where it is installed: a run under faults comes to a verdict that is not vacuous, and what a weak
configuration breaks is found. scripts/stores-table does the same at length."""
import json
import pathlib
import socket
import subprocess
import time
import unittest

from program import consistory, temporary_directory

STORES = {row['name']: row for row in json.loads(consistory('list', 'stores', '--json').stdout)['stores']}


def ready(store):
    return unittest.skipUnless(STORES[store]['ready'], f'{store}: {STORES[store]["missing"]}')


class Stores(unittest.TestCase):
    def run_json(self, *arguments, environment=()):
        with temporary_directory() as out:
            result = consistory('run', *arguments, '--json', '-q', '-o', out, timeout=180, environment=environment)
            self.assertTrue(result.stdout, result.stderr)
            logs = [path.name for path in pathlib.Path(out).glob('2*/logs/*.log')]
            return result.returncode, json.loads(result.stdout), logs

    def holds_under_faults(self, store, *arguments):
        code, verdict, logs = self.run_json(store, '--fault', 'partition,kill,pause', '-d', '14s', '--seed', '1', *arguments)
        self.assertEqual(code, 0, verdict['sentence'])
        self.assertTrue(all(fault['confirmed_ns'] >= 0 for fault in verdict['faults'] if fault['requested_ns'] >= 0))
        self.assertGreaterEqual({fault['fault'].split(':')[0] for fault in verdict['faults']}, {'partition', 'kill', 'pause'})
        self.assertEqual(sorted(logs), ['n1.log', 'n2.log', 'n3.log'])

    def breaks(self, store, model, *arguments):
        code, verdict, _ = self.run_json(store, '--require', model, '--seed', '1', *arguments)
        self.assertEqual(code, 1, verdict['sentence'])

    @ready('etcd')
    def test_etcd_is_linearizable_under_faults(self):
        self.holds_under_faults('etcd')

    @ready('etcd')
    def test_etcd_read_locally_breaks_read_your_writes_when_sessions_move(self):
        self.breaks('etcd', 'read-your-writes', '--reads', 'serializable', '--rate', '1000', '-c', '20', '--keys', '2', '-d',
                    '8s', '--fault', 'link:delay')

    @ready('redis')
    def test_redis_with_sentinel_comes_to_a_verdict(self):
        code, verdict, _ = self.run_json('redis', '--fault', 'partition,kill,pause', '-d', '14s', '--seed', '1')
        self.assertIn(code, (0, 1), verdict['sentence'])

    @ready('redis')
    def test_redis_replicas_break_read_your_writes(self):
        self.breaks('redis', 'read-your-writes', '--reads', 'local', '-w', 'append', '--rate', '1000', '-c', '20', '--keys', '2',
                    '-d', '8s', '--fault', 'link:delay')

    @ready('redis')
    def test_redis_sets_and_counters(self):
        code, verdict, _ = self.run_json('redis', '--failover', 'off', '-w', 'set,counter', '--fault', 'kill,pause', '-d', '6s',
                                         '--seed', '1')
        self.assertEqual(code, 0, verdict['sentence'])
        self.breaks('redis', 'monotonic-reads', '--reads', 'local', '-w', 'counter', '--rate', '1000', '-c', '20', '--keys', '2',
                    '-d', '5s', '--fault', 'link:delay')

    @ready('redis')
    def test_a_password_from_the_environment_opens_what_runs_already(self):
        with temporary_directory() as folder, socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = str(probe.getsockname()[1])
            probe.close()
            server = subprocess.Popen(['redis-server', '--port', port, '--requirepass', 'open sesame', '--save', '', '--dir', folder],
                                      stdout=subprocess.DEVNULL)
            try:
                self.await_port(int(port))
                attach = ['redis', '--failover', 'off', '--endpoint', f'127.0.0.1:{port}', '-d', '1s', '-w', 'register']
                self.assertEqual(self.run_json(*attach)[1]['confidence']['ops']['ok'], 0)
                code, verdict, _ = self.run_json(*attach, environment={'CONSISTORY_PASSWORD': 'open sesame'})
                self.assertEqual(code, 0, verdict['sentence'])
                self.assertGreater(verdict['confidence']['ops']['ok'], 100)
                self.assertNotIn('sesame', json.dumps(verdict))
            finally:
                server.kill()
                server.wait()

    def await_port(self, port):
        deadline = time.monotonic() + 20
        while True:
            try:
                return socket.create_connection(('127.0.0.1', port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    @ready('redis-cluster')
    def test_redis_cluster_without_replicas_is_linearizable_key_by_key(self):
        code, verdict, _ = self.run_json('redis-cluster', '--fault', 'partition,kill,pause', '-d', '12s', '--seed', '3')
        self.assertEqual(code, 0, verdict['sentence'])
        self.assertIn('linearizable', verdict['required'])
        self.assertGreater(verdict['confidence']['ops']['ok'], 500)

    @ready('postgresql')
    def test_postgresql_is_linearizable_at_its_primary(self):
        self.holds_under_faults('postgresql')

    @ready('postgresql')
    def test_a_promoted_standby_loses_what_the_old_primary_acknowledged(self):
        self.breaks('postgresql', 'eventual', '--failover', 'promote', '-w', 'append', '--fault', 'partition:leader',
                    '--fault-for', '8s', '--fault-every', '14s', '-d', '11s')

    @ready('postgresql')
    def test_transactions_of_postgresql_are_as_isolated_as_they_say(self):
        for level, holds, breaks in (('serializable', 'serializable', None),
                                     ('repeatable-read', 'snapshot-isolation', 'serializable'),
                                     ('read-committed', 'read-committed', 'read-atomic')):
            expected = ['--expect-violation', breaks] if breaks else []
            with temporary_directory() as out:
                result = consistory('run', 'postgresql', '-w', 'transaction', '--isolation', level, '-d', '8s', '--fault',
                                    'partition,pause', '--seed', '3', '--json', '-q', '-o', out, *expected, timeout=120)
                verdict = json.loads(result.stdout)
                self.assertEqual(result.returncode, 0, verdict['sentence'])
                states = {row['level']: row['state'] for row in verdict['levels']}
                self.assertEqual(states[holds], 'holds')
                self.assertEqual(states.get(breaks, 'violated'), 'violated')
                run = next(pathlib.Path(out).glob('2*'))
                again = consistory('check', run / 'history.edn', '-m', holds)  # as Elle would read it
                self.assertEqual(again.returncode, 0, again.stderr)
                self.assertIn('G2-item' if breaks == 'serializable' else 'Isolation levels', (run / 'report.html').read_text())

    @ready('zookeeper')
    def test_zookeeper_is_sequential_for_pinned_sessions(self):
        self.holds_under_faults('zookeeper', '--sessions', 'pinned')

    @ready('redis')
    def test_clocks_of_a_real_store_move(self):
        code, verdict, _ = self.run_json('redis', '--failover', 'off', '--fault', 'clock:drift,clock:jump', '-d', '8s', '--seed',
                                         '1')
        self.assertEqual(code, 0, verdict['sentence'])
        self.assertTrue(all(fault['evidence'] for fault in verdict['faults']), verdict['faults'])

    @ready('ovsdb')
    def test_ovsdb_settles_on_what_it_acknowledged(self):
        self.holds_under_faults('ovsdb')

    @ready('nats')
    def test_nats_comes_to_a_verdict(self):
        code, verdict, _ = self.run_json('nats', '--fault', 'kill', '--fault-every', '30s', '--fault-for', '2s', '-d', '14s',
                                         '--seed', '1')
        self.assertIn(code, (0, 1), verdict['sentence'])

    @ready('galera')
    def test_galera_says_what_it_does_not_survive(self):
        result = consistory('run', 'galera', '--fault', 'kill:all')
        self.assertEqual(result.returncode, 64)
        self.assertIn(b'does not come back', result.stderr)

    def test_a_store_that_is_not_there_is_said_before_anything_starts(self):
        for store, row in STORES.items():
            self.assertTrue(row['ready'] or row['missing'], store)
            if not row['ready']:
                result = consistory('run', store)
                self.assertEqual(result.returncode, 69, result.stderr)
                self.assertIn(b'apt-get install', result.stderr)


if __name__ == '__main__':
    unittest.main()
