"""The example campaign: the weak protocol violated, the strong one holding, nothing masked."""
import json
import pathlib
import unittest

from program import ROOT, consistory, temporary_directory


class SmokeCampaign(unittest.TestCase):
    def perform(self, path):
        with temporary_directory() as out:
            result = consistory('campaign', path, '-q', '--json', '-o', out, timeout=400)
            campaign = json.loads(result.stdout)
            page = next(pathlib.Path(out).glob('*/index.html')).read_text()
            for run in campaign['runs']:
                self.assertIn(run['directory'] + '/report.html', page)
        self.assertEqual(campaign['schema'], 'consistory.campaign/1')
        self.assertEqual(len(campaign['runs']), 8)
        for run in campaign['runs']:
            weak = run['configuration'].startswith('eventual')
            self.assertEqual(run['overall'], 'violated' if weak else 'holds', run)
        return result.returncode, campaign

    def test_violations_are_exit_1(self):
        code, campaign = self.perform(ROOT / 'examples' / 'smoke.toml')
        self.assertEqual(code, 1)
        self.assertEqual(campaign['counts']['violated'], 4)

    def test_expected_violations_are_exit_0(self):
        text = (ROOT / 'examples' / 'smoke.toml').read_text()
        weak = 'require = ["read-your-writes"]'
        self.assertEqual(text.count(weak), 1)
        with temporary_directory() as folder:
            path = pathlib.Path(folder) / 'expected.toml'
            path.write_text(text.replace(weak, 'expect_violation = ["read-your-writes"]'))
            code, campaign = self.perform(path)
        self.assertEqual(code, 0, campaign)


if __name__ == '__main__':
    unittest.main()
