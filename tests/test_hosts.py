"""Faults on other hosts, over ssh: three network namespaces, each with an sshd and a node that others started (see
hosts_world.py). Skipped, with the reason, where there is no root or no sshd."""
import os
import shutil
import unittest

from hosts_world import HOSTS, run_in_world
from program import BUILD, temporary_directory


def reason_to_skip():
    if os.geteuid() != 0:
        return 'sshd in a network namespace needs root'
    missing = [tool for tool in ('sshd', 'nft', 'ssh', 'ip', 'curl') if not shutil.which(tool, path='/usr/sbin:/sbin:' + os.environ['PATH'])]
    return f'missing: {", ".join(missing)} (./setup --with-ssh)' if missing else ''


@unittest.skipIf(reason_to_skip(), reason_to_skip())
class Hosts(unittest.TestCase):
    def outcome_of(self, scenario):
        with temporary_directory() as directory:
            return run_in_world(directory, str(BUILD), scenario)

    def nothing_is_left(self, left):
        self.assertTrue(left['whole'], left)
        self.assertEqual(left['helpers'], [])
        self.assertEqual(left['files'], [])
        self.assertEqual(len(left['stores']), HOSTS)
        self.assertNotIn('T', left['stores'])

    def test_nodes_that_others_started_are_cut_off_killed_and_paused_and_healed(self):
        outcome = self.outcome_of('all-faults')
        self.assertEqual(outcome['code'], 0, outcome['error'])
        faults = outcome['verdict']['faults']
        struck = {fault['fault'] for fault in faults if fault['evidence']}
        self.assertEqual(struck, {'partition', 'kill', 'pause', 'slow', 'partition:clients', 'link:loss',
                                  'link:narrow'})
        self.assertTrue(all(fault['healed_ns'] > 0 for fault in faults))
        states = {row['model']: row['state'] for row in outcome['verdict']['models']}
        self.assertEqual(states['linearizable'], 'holds')
        self.nothing_is_left(outcome['left'])

    def test_a_controller_that_is_killed_leaves_hosts_as_they_were(self):
        outcome = self.outcome_of('killed-controller')
        self.assertTrue(outcome['struck'])
        self.nothing_is_left(outcome['left'])

    def test_a_host_that_cannot_be_reached_is_named_with_what_ssh_said(self):
        outcome = self.outcome_of('unreachable')
        self.assertEqual(outcome['code'], 69)
        self.assertIn('host 10.78.0.1 could not be reached', outcome['error'])
        self.assertIn('Connection refused', outcome['error'])
        self.nothing_is_left(outcome['left'])


if __name__ == '__main__':
    unittest.main()
