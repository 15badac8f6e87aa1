"""Against the brute-force oracle: fresh random histories, and every history of up to three operations
over small alphabets. The seed is printed; CONSISTORY_ORACLE_SEED repeats a run, CONSISTORY_ORACLE_COUNT
asks for more."""
import itertools
import json
import os
import random
import subprocess
import sys
import unittest

from program import LITMUS, compare_batch, temporary_directory

sys.path.insert(0, str(LITMUS))
import oracle  # noqa: E402  (it lives beside the suite)

# What one operation may be: (function, key, value, outcome).
ALPHABETS = {
    'one register': [('write', 'x', 1, 'ok'), ('write', 'x', 2, 'info'), ('write', 'x', 1, 'fail'), ('read', 'x', None, 'ok'),
                     ('read', 'x', 1, 'ok'), ('read', 'x', 2, 'ok'), ('cas', 'x', [1, 2], 'ok')],
    'two registers': [('write', 'x', 1, 'ok'), ('write', 'y', 1, 'ok'), ('read', 'x', None, 'ok'),
                      ('read', 'x', 1, 'ok'), ('read', 'y', None, 'ok'), ('read', 'y', 1, 'ok')],
    'one list': [('append', 'l', 1, 'ok'), ('append', 'l', 2, 'info'), ('read', 'l', [], 'ok'), ('read', 'l', [1], 'ok'),
                 ('read', 'l', [2], 'ok'), ('read', 'l', [1, 2], 'ok'), ('read', 'l', [2, 1], 'ok')],
}


def every_history(alphabet, length):
    """All sequences of `length` operations by two sessions, none overlapping."""
    choices = [(session, *rest) for session in 'AB' for rest in alphabet]
    for number, picks in enumerate(itertools.product(choices, repeat=length)):
        operations = []
        for at, (session, function, key, value, outcome) in enumerate(picks):
            complete = None if outcome == 'info' else 10 * at + 9
            operations.append({'process': session, 'f': function, 'key': key, 'value': value, 'type': outcome,
                               'invoke': 10 * at, 'complete': complete, 'node': 'n1'})
        yield {'id': f'{length}-{number}', 'description': '', 'ops': operations}


class Oracle(unittest.TestCase):
    def test_fresh_histories(self):
        seed = os.environ.get('CONSISTORY_ORACLE_SEED') or str(random.SystemRandom().randrange(10**9))
        count = int(os.environ.get('CONSISTORY_ORACLE_COUNT', '400'))
        print(f'oracle seed {seed}', file=sys.stderr, flush=True)
        with temporary_directory() as folder:
            path = os.path.join(folder, 'fresh.jsonl')
            subprocess.run([sys.executable, str(LITMUS / 'gen.py'), '--seed', seed, '--count', str(count),
                            '--pool', str(count * 6), '--out', path], check=True, timeout=500)
            self.assertGreater(compare_batch(self, path), count // 2)

    def test_every_small_history(self):
        with temporary_directory() as folder:
            path = os.path.join(folder, 'all.jsonl')
            for name, alphabet in ALPHABETS.items():
                with self.subTest(name), open(path, 'w') as file:
                    for length in (1, 2, 3):
                        for case in every_history(alphabet, length):
                            case['expect'] = oracle.expect(case)
                            file.write(json.dumps(case) + '\n')
                    file.flush()
                    compare_batch(self, path)


if __name__ == '__main__':
    unittest.main()
