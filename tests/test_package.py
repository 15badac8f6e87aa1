"""The checkers as an installed package: the example builds outside the tree and judges."""
import os
import subprocess
import unittest

from program import BUILD, ROOT, temporary_directory


class Package(unittest.TestCase):
    def test_the_example_builds_from_an_installed_package(self):
        with temporary_directory() as folder:
            prefix = os.path.join(folder, 'prefix')
            example = os.path.join(folder, 'example')
            self.run_quietly('cmake', '--install', BUILD, '--prefix', prefix)
            self.run_quietly('cmake', '-S', ROOT / 'examples/library', '-B', example, '-G', 'Ninja',
                             f'-DCMAKE_PREFIX_PATH={prefix}')
            self.run_quietly('cmake', '--build', example)
            done = subprocess.run([os.path.join(example, 'judge_my_history')], capture_output=True, text=True)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn('monotonic-reads is violated', done.stdout)
            self.assertNotIn('cannot', done.stdout)

    def run_quietly(self, *command):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == '__main__':
    unittest.main()
