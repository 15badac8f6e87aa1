"""The sandbox ground, from outside: runs in it as root and as an ordinary user, and nothing left afterwards, even
when the controller is killed at any moment. Skipped, with the reason, where the machine refuses namespaces."""
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import time
import unittest

from program import BUILD, consistory, temporary_directory

NOBODY = 65534


def sandbox():
    grounds = json.loads(consistory('doctor', '--json').stdout)['grounds']
    return next(row for row in grounds if row['ground'] == 'sandbox')


def processes_with(mark):
    """Processes of which the command line holds the mark; of a namespace of their own or not."""
    found = []
    for entry in pathlib.Path('/proc').iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / 'cmdline').read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def network_namespaces():
    spaces = set()
    for entry in pathlib.Path('/proc').iterdir():
        try:
            if entry.name.isdigit():
                spaces.add(os.readlink(entry / 'ns' / 'net'))
        except OSError:
            pass
    return spaces


def world():
    interfaces = sorted(os.listdir('/sys/class/net'))
    mounts = pathlib.Path('/proc/self/mounts').read_text()
    return interfaces, mounts


@unittest.skipUnless(sandbox()['works'], sandbox()['why'])
class Sandbox(unittest.TestCase):
    def setUp(self):
        self.before = world()
        self.spaces = network_namespaces()

    def nothing_is_left(self, mark):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and (processes_with(mark) or network_namespaces() - self.spaces):
            time.sleep(0.05)
        self.assertEqual(processes_with(mark), [])
        self.assertEqual(network_namespaces() - self.spaces, set())
        self.assertEqual(world(), self.before)

    def test_links_that_are_bad_are_confirmed_healed_and_survived(self):
        with temporary_directory() as out:
            faults = 'link:delay,link:loss,link:duplicate,link:reorder,link:narrow,link:corrupt,partition:bridge'
            result = consistory('run', '--json', '-q', '-o', out, '--ground', 'sandbox', '-n', '5', '-d', '14s',
                                '--fault', faults, '--fault-every', '1600ms', '--fault-for', '900ms', '--seed', '4',
                                timeout=90)
            self.assertEqual(result.returncode, 0, result.stderr.decode())
            verdict = json.loads(result.stdout)
            struck = {fault['fault'] for fault in verdict['faults'] if fault['evidence']}
            self.assertEqual(struck, set(faults.split(',')))
            self.assertTrue(all(fault['healed_ns'] > 0 for fault in verdict['faults']))
        self.nothing_is_left(out)

    def test_processes_clocks_and_disks_are_broken_healed_and_survived(self):
        faults = 'slow,clock:drift,clock:monotonic-jump,clock:strobe,kill:majority,partition:swizzle,partition:flapping'
        disks = next(row for row in json.loads(consistory('doctor', '--json').stdout)['faults'] if row['fault'] == 'disk')
        if disks['works']:
            faults += ',disk:power-cut-all,disk:torn,disk:crash-at-fsync,disk:slow-fsync,disk:write-error,disk:fsync-error'
        with temporary_directory() as out:
            result = consistory('run', '--json', '-q', '-o', out, '--ground', 'sandbox', '-n', '3', '-d', '32s', '--fault',
                                faults, '--fault-every', '2300ms', '--fault-for', '1800ms', '--seed', '4', timeout=120)
            self.assertEqual(result.returncode, 0, result.stderr.decode())
            verdict = json.loads(result.stdout)
            struck = {fault['fault'] for fault in verdict['faults'] if fault['evidence']}
            self.assertEqual(struck, set(faults.split(',')))
            self.assertTrue(all(fault['healed_ns'] > 0 for fault in verdict['faults']))
        self.nothing_is_left(out)

    def test_a_schedule_strikes_when_it_says(self):
        with temporary_directory() as out:
            schedule = pathlib.Path(out) / 'schedule.toml'
            schedule.write_text('[[fault]]\nfault = "pause@n2"\nat = "1s"\nfor = "2s"\n'
                                '[[fault]]\nfault = "kill@n3"\nat = "1500ms"\nfor = "1s"\n')
            result = consistory('run', '--json', '-q', '-o', out, '-d', '5s', '--schedule', schedule, '--seed', '4')
            faults = {fault['fault']: fault for fault in json.loads(result.stdout)['faults']}
            for name, at in (('pause@n2', 1.0), ('kill@n3', 1.5)):
                self.assertAlmostEqual(faults[name]['requested_ns'] / 1e9, at, delta=0.3)
                self.assertTrue(faults[name]['evidence'])
            self.assertLess(faults['kill@n3']['healed_ns'], faults['pause@n2']['healed_ns'])
            schedule.write_text('[[fault]]\nfault = "pauze"\nat = "1s"\nfor = "2s"\n')
            result = consistory('run', '--schedule', schedule)
            self.assertEqual(result.returncode, 64)
            self.assertIn(f'{schedule}:1:1: unknown fault "pauze"; did you mean "pause"?', result.stderr.decode())

    def test_a_capture_holds_what_the_nodes_said(self):
        with temporary_directory() as out:
            result = consistory('run', '-q', '-o', out, '--pcap', '--no-faults', '-d', '2s', '--seed', '4', timeout=60)
            self.assertEqual(result.returncode, 0, result.stderr.decode())
            packets = (pathlib.Path(out) / 'latest' / 'network.pcap').read_bytes()
            magic, major, minor, _, _, _, link_type = struct.unpack_from('<IHHiIII', packets)
            self.assertEqual((magic, major, minor, link_type), (0xA1B23C4D, 2, 4, 1))
            place, count = 24, 0
            while place < len(packets):  # whole records to the end, each a frame of one of our addresses
                kept, length = struct.unpack_from('<II', packets, place + 8)
                self.assertEqual(kept, length)
                self.assertEqual(packets[place + 16 + 6:place + 16 + 11], bytes([2, 0, 0, 0, 0]))
                place, count = place + 16 + kept, count + 1
            self.assertEqual(place, len(packets))
            self.assertGreater(count, 1000)
            self.assertIn(b'POST /op', packets)
        self.nothing_is_left(out)

    def test_an_ordinary_user_can_do_the_same(self):
        if os.geteuid() != 0:
            self.skipTest('this is an ordinary user already')
        with temporary_directory() as out:
            os.chmod(out, 0o777)
            for name in ('consistory', 'consistory-reference-store'):  # the build may be out of reach
                shutil.copy(pathlib.Path(BUILD) / name, out)
            result = subprocess.run(
                ['setpriv', '--reuid', str(NOBODY), '--regid', str(NOBODY), '--clear-groups', f'{out}/consistory',
                 'run', '--json', '-q', '-o', f'{out}/runs', '--ground', 'sandbox', '-d', '5s', '--fault',
                 'link:loss,kill,pause', '--seed', '4'], capture_output=True, timeout=90)
            if b'no sandbox here' in result.stderr:
                self.skipTest(result.stderr.decode())
            self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.nothing_is_left(out)

    def test_nothing_survives_the_controller(self):
        """SIGKILL at random moments, set-up and load alike."""
        moments = random.Random(11)
        for _ in range(int(os.environ.get('CONSISTORY_KILLS', '5'))):
            with temporary_directory() as out:
                run = subprocess.Popen([pathlib.Path(BUILD) / 'consistory', 'run', '-q', '-o', out, '--ground',
                                        'sandbox', '-n', '5', '-d', '20s', '--fault', 'all'],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(moments.uniform(0, 3))  # the moment is what is tried out
                run.kill()
                run.wait()
                self.nothing_is_left(out)

    def test_ctrl_c_saves_what_there_is(self):
        with temporary_directory() as out:
            run = subprocess.Popen([pathlib.Path(BUILD) / 'consistory', 'run', '-q', '--json', '-o', out, '--ground',
                                    'sandbox', '-d', '60s', '--fault', 'link:delay'], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
            history = pathlib.Path(out) / 'latest' / 'history.jsonl'
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not any(pathlib.Path(out).glob('*/history.jsonl')):
                time.sleep(0.05)
            run.send_signal(signal.SIGINT)
            printed, _ = run.communicate(timeout=60)
            self.assertEqual(run.returncode, 130)
            self.assertEqual(json.loads(printed)['status'], 'interrupted')
            self.assertTrue(history.exists())
        self.nothing_is_left(out)


class Refusals(unittest.TestCase):
    def test_the_relay_cannot_make_links_bad(self):
        result = consistory('run', '--ground', 'relay', '--fault', 'link:loss')
        self.assertEqual(result.returncode, 64)
        self.assertIn(b'needs the sandbox', result.stderr)

    def test_an_unknown_ground_is_suggested(self):
        result = consistory('run', '--ground', 'sandbx')
        self.assertEqual(result.returncode, 64)
        self.assertIn(b'did you mean "sandbox"', result.stderr)


if __name__ == '__main__':
    unittest.main()
