"""Fifty kills in a row with a disk that forgets what was not synced: no acknowledged write is lost;
and with fsync off the same test finds lost writes, so it can fail."""
import json
import unittest

from program import consistory, temporary_directory


class Durability(unittest.TestCase):
    def kill_fifty_times(self, *arguments):
        with temporary_directory() as out:
            result = consistory('run', '--json', '-q', '-o', out, '--disk', 'volatile', '--workload', 'append',
                                '--fault', 'kill', '--fault-every', '450ms', '--fault-for', '150ms', '-d', '25s',
                                '--seed', '9', '--require', 'eventual', *arguments, timeout=200)
            verdict = json.loads(result.stdout)
        kills = [fault for fault in verdict['faults'] if 'killed by signal 9' in fault['evidence']]
        self.assertGreaterEqual(len(kills), 50)
        return result.returncode, verdict

    def test_no_acknowledged_write_is_lost(self):
        code, verdict = self.kill_fifty_times('--propagation', 'sync')
        self.assertEqual(code, 0, verdict['sentence'])
        self.assertEqual(verdict['availability']['acknowledged_updates_missing'], 0)
        self.assertGreater(verdict['confidence']['ops']['ok'], 2000)

    def test_without_fsync_the_same_test_finds_lost_writes(self):
        code, verdict = self.kill_fifty_times('--propagation', 'sync', '--fsync', 'never')
        self.assertEqual(code, 1, verdict['sentence'])
        self.assertGreater(verdict['availability']['acknowledged_updates_missing'], 0)


class EveryNodeAtOnce(unittest.TestCase):
    """scripts/durability does this for every protocol, a hundred times."""

    def kill_all(self, *arguments):
        with temporary_directory() as out:
            result = consistory('run', '--json', '-q', '-o', out, '--disk', 'volatile', '--fault', 'kill:all',
                                '--fault-every', '500ms', '--fault-for', '60ms', '-d', '9s', '--seed', '9',
                                '--require', 'eventual', *arguments, timeout=200)
            verdict = json.loads(result.stdout)
        self.assertGreaterEqual(sum('killed by signal 9' in fault['evidence'] for fault in verdict['faults']), 12)
        return result.returncode, verdict

    def test_no_acknowledged_write_is_lost(self):
        for arguments in (['--protocol', 'raft', '--snapshot-every', '50'], ['--protocol', 'local-writes']):
            with self.subTest(arguments=arguments):
                code, verdict = self.kill_all(*arguments)
                self.assertEqual(code, 0, verdict['sentence'])
                self.assertEqual(verdict['availability']['acknowledged_updates_missing'], 0)

    def test_without_fsync_writes_are_lost(self):
        code, verdict = self.kill_all('--protocol', 'raft', '--fsync', 'never')
        self.assertEqual(code, 1, verdict['sentence'])
        self.assertGreater(verdict['availability']['acknowledged_updates_missing'], 0)


if __name__ == '__main__':
    unittest.main()
