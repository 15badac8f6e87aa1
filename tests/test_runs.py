"""Live runs of the reference store: verdicts, kill -9 and Ctrl-C of the controller, the run directory."""
import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

from program import PROGRAM, consistory, running_under, temporary_directory


def wait_until(condition, seconds):
    """True as soon as condition() is; False if it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def verdicts(verdict):
    return {row['model']: row['state'] for row in verdict['models']}


class Runs(unittest.TestCase):
    def setUp(self):
        self.folder = temporary_directory()
        self.addCleanup(self.folder.cleanup)
        self.out = self.folder.name

    def run_json(self, *arguments):
        result = consistory('run', '--json', '-q', '-o', self.out, *arguments)
        self.assertTrue(result.stdout, result.stderr)
        return result.returncode, json.loads(result.stdout)

    def only_run(self):
        runs = [path for path in pathlib.Path(self.out).iterdir() if path.is_dir() and not path.is_symlink()]
        self.assertEqual(len(runs), 1)
        return runs[0]

    def start(self, *arguments):
        return subprocess.Popen([PROGRAM, 'run', '-q', '-o', self.out, *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait_for_events(self, count):
        def enough():
            for path in pathlib.Path(self.out).glob('*/history.jsonl'):
                return path.read_bytes().count(b'\n') > count
            return False
        self.assertTrue(wait_until(enough, 20), 'the run recorded nothing')

    def test_synchronous_primary_holds_everything_under_every_fault(self):
        code, verdict = self.run_json('--fault', 'partition,kill,pause', '-d', '14s', '--seed', '11')
        self.assertEqual(code, 0, verdict['sentence'])
        self.assertEqual(set(verdicts(verdict).values()), {'holds'})
        self.assertFalse(verdict['confidence']['vacuous'])
        for kind in ('partition', 'kill', 'pause'):
            confirmed = [fault for fault in verdict['faults'] if fault['fault'] == kind and fault['evidence']]
            self.assertGreaterEqual(len(confirmed), 2, kind)
        self.assertGreater(verdict['availability']['ok_share_outside_faults'], 0.95)
        run = self.only_run()
        for name in ('run.json', 'history.jsonl', 'verdict.json', 'faults.jsonl', 'report.html'):
            self.assertTrue((run / name).is_file(), name)
        self.assertEqual((pathlib.Path(self.out) / 'latest').resolve(), run.resolve())
        self.assertEqual(running_under(self.out), [])

    def test_causal_store_is_what_its_settings_make_it(self):
        for arguments, holding, broken in (
                (['--sessions', 'moving'], 'causal-convergence', 'sequential'),
                (['--sessions', 'pinned', '--conflicts', 'arrival'], 'causal', 'convergence'),
                (['--sessions', 'moving', '--token', 'off'], 'strong-eventual', 'weak-causal')):
            code, verdict = self.run_json('--protocol', 'causal', *arguments, '-d', '6s', '--seed', '3')
            self.assertEqual(code, 0, verdict['sentence'])
            self.assertEqual(verdicts(verdict)[holding], 'holds', arguments)
            self.assertEqual(verdicts(verdict)[broken], 'violated', arguments)

    def test_eventual_store_violates_read_your_writes(self):
        code, verdict = self.run_json('--protocol', 'eventual', '--require', 'read-your-writes', '-d', '5s',
                                      '--seed', '3', '--fault', 'partition')
        self.assertEqual(code, 1)
        self.assertIn('read-your-writes', verdict['sentence'])
        states = verdicts(verdict)
        self.assertEqual(states['strong-eventual'], 'holds')
        row = next(row for row in verdict['models'] if row['model'] == 'read-your-writes')
        self.assertTrue(row['witness']['minimal'])
        self.assertIn('read-your-writes', (self.only_run() / 'report.html').read_text())

    def test_quorum_keeps_its_claims(self):
        code, verdict = self.run_json('--protocol', 'quorum', '-d', '6s', '--seed', '5')
        self.assertEqual(code, 0, verdict['sentence'])
        self.assertEqual(verdicts(verdict)['read-your-writes'], 'holds')
        self.assertIn('register', verdict['reproduce'] + 'register')

    def test_local_reads_of_a_synchronous_primary_are_sequential_for_pinned_sessions(self):
        code, verdict = self.run_json('--read-from', 'local', '--sessions', 'pinned', '-d', '5s', '--seed', '5')
        self.assertEqual(code, 0, verdict['sentence'])
        self.assertEqual(verdicts(verdict)['sequential'], 'holds')

    def test_clients_cut_off_leave_evidence(self):
        code, verdict = self.run_json('--fault', 'partition:clients', '-d', '5s', '--seed', '2')
        self.assertEqual(code, 0, verdict['sentence'])
        self.assertTrue(verdict['faults'])
        self.assertTrue(all(fault['evidence'] for fault in verdict['faults']))

    def test_expect_violation_is_the_positive_control(self):
        code, _ = self.run_json('--protocol', 'eventual', '--expect-violation', 'monotonic-reads', '-d', '4s',
                                '--seed', '1', '--no-faults')
        self.assertEqual(code, 0)
        code, verdict = self.run_json('--expect-violation', 'monotonic-reads', '-d', '2s', '--seed', '1', '--no-faults')
        self.assertEqual(code, 1)
        self.assertIn('was expected', verdict['sentence'])

    def test_a_fault_that_cannot_bite_makes_the_run_inconclusive(self):
        # Slow for less time than being stopped a few times takes: no evidence, so holding proves nothing.
        code, verdict = self.run_json('--fault', 'slow', '--fault-for', '20ms', '--fault-every', '10s', '-d', '3s', '--seed', '1')
        self.assertEqual(code, 2, verdict['sentence'])
        self.assertTrue(verdict['confidence']['vacuous'])

    def test_a_single_session_is_vacuous(self):
        code, verdict = self.run_json('-c', '1', '-d', '2s', '--no-faults', '--seed', '1')
        self.assertEqual(code, 2, verdict['sentence'])

    def test_kill_9_of_the_controller_leaves_nothing_running(self):
        process = self.start('-d', '60s', '--seed', '1')
        try:
            self.wait_for_events(400)
        finally:
            process.kill()
            process.communicate()
        self.assertTrue(wait_until(lambda: not running_under(self.out), 5), running_under(self.out))
        history = self.only_run() / 'history.jsonl'
        result = consistory('check', history)
        self.assertIn(result.returncode, (0, 2), result.stdout + result.stderr)
        self.assertIn(b'linearizable', result.stdout)
        report = consistory('report', self.only_run())
        self.assertIn(b'report.html', report.stdout, report.stderr)

    def interrupt(self, number, code):
        process = self.start('-d', '60s', '--seed', '1', '--fault-every', '2s', '--fault-for', '30s')
        self.wait_for_events(600)
        process.send_signal(number)
        out, err = process.communicate(timeout=40)
        self.assertEqual(process.returncode, code, out + err)
        self.assertEqual(running_under(self.out), [])
        verdict = json.loads((self.only_run() / 'verdict.json').read_text())
        self.assertEqual(verdict['status'], 'interrupted')
        self.assertEqual(verdict['overall'], 'interrupted')
        self.assertTrue(all(fault['healed_ns'] is not None for fault in verdict['faults']))
        self.assertIn('interrupted', (self.only_run() / 'report.html').read_text())

    def test_ctrl_c_heals_saves_and_reports(self):
        self.interrupt(signal.SIGINT, 130)

    def test_sigterm_too(self):
        self.interrupt(signal.SIGTERM, 143)

    def test_a_store_that_dies_by_itself_is_a_store_failure(self):
        process = self.start('-d', '60s', '--seed', '1', '--no-faults')
        self.wait_for_events(200)
        nodes = [pid for pid, command in running_under(self.out) if 'reference-store' in command]
        self.assertEqual(len(nodes), 3)
        os.kill(int(nodes[0]), signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3, out + err)
        self.assertIn(b'nothing killed it', out)

    def test_recording_only(self):
        result = consistory('run', '--no-check', '-q', '-d', '2s', '--no-faults', '--seed', '1', '-o', self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b'not checked', result.stdout)

    def test_streams(self):
        result = consistory('run', '-d', '1s', '--no-faults', '--seed', '1', '-o', self.out)
        self.assertIn(b'seed 1', result.stderr)
        self.assertNotIn(b'\x1b', result.stdout + result.stderr)
        self.assertIn(b'--seed 1', result.stdout.splitlines()[-1])


if __name__ == '__main__':
    unittest.main()
