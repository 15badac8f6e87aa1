"""`check --batch` on the whole litmus suite: every verdict is the expected one, none inconclusive."""
import unittest

from program import LITMUS, compare_batch


class LitmusSuite(unittest.TestCase):
    def test_every_file(self):
        files = sorted(LITMUS.glob('*.jsonl'))
        self.assertGreaterEqual(len(files), 14)
        for path in files:
            with self.subTest(path.name):
                self.assertGreater(compare_batch(self, path), 0)


if __name__ == '__main__':
    unittest.main()
