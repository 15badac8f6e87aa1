"""The quick part of the truth table: the harness finds what theory says, and no more."""
import json
import pathlib
import unittest

from program import consistory, temporary_directory


class Selftest(unittest.TestCase):
    def test_the_quick_part_has_no_false_alarm_and_catches_its_defects(self):
        with temporary_directory() as out:
            result = consistory('selftest', '--quick', '--json', '-o', out, timeout=400)
            table = json.loads(result.stdout)
            wrong = [cell for cell in table['cells'] if cell['false_alarms'] or cell['failures']]
            missed = [row['defect'] for row in table['defects'] if not row['caught'] or row['outside']]
            self.assertEqual(result.returncode, 0, json.dumps([wrong, missed], indent=1) + result.stderr.decode()[-3000:])
            self.assertGreaterEqual(len(table['cells']), 20)
            self.assertGreaterEqual(len(table['defects']), 8)
            self.assertIn('holds', (pathlib.Path(out) / 'selftest.md').read_text())
            again = consistory('selftest', '--quick', '-q', '-o', out, timeout=20)
            self.assertEqual(again.returncode, 0, 'finished cells are not run again')

    def test_bad_arguments(self):
        self.assertEqual(consistory('selftest', '--duration', '20s').returncode, 64)
        self.assertEqual(consistory('selftest', '--jobs', '0').returncode, 64)


if __name__ == '__main__':
    unittest.main()
