"""Fresh random histories against the brute-force oracle. The seed is printed; CONSISTORY_ORACLE_SEED
repeats a run, CONSISTORY_ORACLE_COUNT asks for more."""
import os
import random
import subprocess
import sys
import unittest

from program import LITMUS, compare_batch, temporary_directory


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


if __name__ == '__main__':
    unittest.main()
