"""The checkers on long histories of simulated stores: planted violations are found, with a small
witness; what a store guarantees is never called violated; the threads change nothing.
CONSISTORY_OPERATIONS makes the histories longer."""
import json
import os
import subprocess
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

    def test_threads_change_nothing(self):
        with temporary_directory() as folder:
            for store in ('converge', 'arrival'):
                first = self.judge(folder, '--store', store, '--load', 'hot', check=('--threads', '1'))
                for threads in ('2', '4'):
                    other = self.judge(folder, '--store', store, '--load', 'hot', check=('--threads', threads))
                    self.assertEqual(first, other)


if __name__ == '__main__':
    unittest.main()
