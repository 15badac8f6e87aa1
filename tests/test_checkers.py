"""The checkers on long histories of simulated stores: planted violations are found, with a small
witness; what a store guarantees is never called violated; the threads change nothing.
CONSISTORY_OPERATIONS makes the histories longer."""
import json
import os
import subprocess
import time
import unittest

from program import BUILD, PROGRAM, temporary_directory

OPERATIONS = os.environ.get('CONSISTORY_OPERATIONS', '30000')
MAKE_HISTORY = str(BUILD / 'checkers' / 'make_history')

# Which models a simulated store guarantees (checkers/testing/store_simulation.h).
GUARANTEED = {
    'strong': ['linearizable', 'sequential', 'causal', 'causal-convergence', 'sessions', 'eventual'],
    'log': ['sequential', 'causal', 'causal-convergence', 'sessions', 'cache', 'eventual'],
    'converge': ['causal-convergence', 'weak-causal', 'sessions', 'writes-follow-reads', 'eventual'],
    'arrival': ['causal', 'pram', 'weak-causal', 'monotonic-reads-view', 'writes-follow-reads-view'],
}
# What each planted violation must break at least.
PLANTED = {
    'stale-read': 'pram',
    'lost-write': 'read-your-writes',
    'reordered-pair': 'pram',
    'resurrected-value': 'causal',
    'skipped-dependency': 'weak-causal',
    'diverging-replica': 'convergence',
}
WITNESS_MAX = 8


def hard_history(pairs):
    """Two sessions a key, values that repeat; one session has seen every key; and a last pair that no
    order explains."""
    calls = [('Z', 'read', f'k{i}', None) for i in range(pairs)]
    for i in range(pairs):
        calls += [(f's{i}', f, f'k{i}', v) for f, v in
                  (('write', 1), ('write', 2), ('write', 1), ('read', 1), ('write', 2))]
        calls += [(f'u{i}', f, f'k{i}', v) for f, v in
                  (('write', 2), ('read', 1), ('write', 1), ('read', 2), ('read', 1))]
    calls += [('A', 'write', 'x', 1), ('B', 'write', 'y', 1), ('A', 'write', 'x', 1), ('A', 'read', 'y', None),
              ('B', 'write', 'y', 1), ('B', 'read', 'x', None)]
    sessions = sorted({call[0] for call in calls})
    events = [json.dumps({'schema': 'consistory.history/1'})]
    for session, function, key, value in calls:
        for kind in ('invoke', 'ok'):
            shown = None if kind == 'invoke' and function == 'read' else value
            events.append(json.dumps({'time': len(events), 'process': sessions.index(session),
                                      'type': kind, 'f': function, 'key': key, 'value': shown}))
    return '\n'.join(events) + '\n'


class Checkers(unittest.TestCase):
    def judge(self, folder, *arguments, check=()):
        path = os.path.join(folder, 'history.jsonl')
        with open(path, 'w') as file:
            subprocess.run([MAKE_HISTORY, '--operations', OPERATIONS, *arguments], stdout=file, check=True)
        done = subprocess.run([PROGRAM, 'check', path, '--json', *check], capture_output=True, text=True, timeout=300)
        self.assertIn(done.returncode, (0, 1, 2), done.stderr)
        return {row['model']: row for row in json.loads(done.stdout)['models']}

    def test_what_a_store_guarantees_is_never_called_violated(self):
        with temporary_directory() as folder:
            for store, guaranteed in GUARANTEED.items():
                for load in ('many', 'hot', 'chains'):
                    with self.subTest(store=store, load=load):
                        models = self.judge(folder, '--store', store, '--load', load)
                        for name in guaranteed:
                            self.assertIn(models[name]['state'], ('holds', 'not-checked'), name)

    def test_planted_violations_are_found(self):
        with temporary_directory() as folder:
            for planted, broken in PLANTED.items():
                for load in ('many', 'hot'):
                    with self.subTest(planted=planted, load=load):
                        models = self.judge(folder, '--store', 'strong' if planted != 'diverging-replica' else 'log',
                                            '--load', load, '--plant', planted)
                        self.assertEqual(models[broken]['state'], 'violated')
                        witness = models[broken]['witness']
                        self.assertLessEqual(len(witness['operations']), WITNESS_MAX)
                        self.assertTrue(witness['rechecked'])
                        self.assertTrue(witness['minimal'])

    def test_what_is_too_hard_ends_in_bounds(self):
        """Many ways who may have read what: open, by name and with a reason, in every budget."""
        events = hard_history(pairs=20)
        for budget, reason in ((('--check-steps', '200000'), 'budget of 200000 steps'),
                               (('--check-steps', '1000000000000', '--check-timeout', '2s', '--check-memory', '500M'),
                                'not reproducible')):
            with self.subTest(budget=budget):
                before = time.monotonic()
                done = subprocess.run([PROGRAM, 'check', '-', '--json', *budget], input=events,
                                      capture_output=True, text=True, timeout=60)
                self.assertLess(time.monotonic() - before, 20)
                models = {row['model']: row for row in json.loads(done.stdout)['models']}
                self.assertEqual(models['linearizable']['state'], 'violated')
                self.assertEqual(models['cache']['state'], 'holds')
                self.assertEqual(models['causal']['state'], 'inconclusive')
                self.assertIn(reason, models['causal']['why'])
                self.assertIn(done.returncode, (1, 2))

    def test_threads_change_nothing(self):
        with temporary_directory() as folder:
            for store in ('converge', 'arrival'):
                first = self.judge(folder, '--store', store, '--load', 'hot', check=('--threads', '1'))
                for threads in ('2', '4'):
                    other = self.judge(folder, '--store', store, '--load', 'hot', check=('--threads', threads))
                    self.assertEqual(first, other)


if __name__ == '__main__':
    unittest.main()
