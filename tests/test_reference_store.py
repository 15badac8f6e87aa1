"""The reference store by hand: the lines of its PROTOCOL.md, every protocol with 3 and 5 nodes, disconnected operation."""
import json
import pathlib
import re
import shlex
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from program import PROGRAM, consistory, temporary_directory

STORE = pathlib.Path(PROGRAM).parent / 'consistory-reference-store'
DOCUMENT = pathlib.Path(__file__).parent.parent / 'reference-store' / 'PROTOCOL.md'
PROTOCOLS = {'primary': [], 'primary per key': ['--primary', 'per-key'], 'local-writes': ['--protocol', 'local-writes'],
             'quorum': ['--protocol', 'quorum', '--read-write-back', 'on'], 'causal': ['--protocol', 'causal'],
             'eventual': ['--protocol', 'eventual'], 'sessions': ['--protocol', 'eventual', '--session', 'ryw'],
             'raft': ['--protocol', 'raft']}


def free_ports(count):
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Nodes:
    """Nodes of one protocol, ended when the block ends."""

    def __init__(self, folder, count, arguments):
        self.ports = free_ports(count)
        peers = ','.join(f'127.0.0.1:{port}' for port in self.ports)
        self.processes = [
            subprocess.Popen([STORE, '--node', str(i + 1), '--listen', f'127.0.0.1:{port}', '--peers', peers,
                              '--data', f'{folder}/{i + 1}', *arguments], stderr=subprocess.DEVNULL)
            for i, port in enumerate(self.ports)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()

    def ask(self, node, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f'http://127.0.0.1:{self.ports[node - 1]}{path}', data, timeout=5) as answer:
            return json.load(answer)

    def op(self, node, **body):
        return self.ask(node, '/op', body)

    def until(self, what, condition, seconds=10):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except OSError:
                pass  # not up yet
            time.sleep(0.02)
        raise AssertionError(f'{what}: not within {seconds} s')


class ByHand(unittest.TestCase):
    def setUp(self):
        folder = temporary_directory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_every_protocol_serves_with_three_and_with_five_nodes(self):
        for name, arguments in PROTOCOLS.items():
            for count in (3, 5):
                with self.subTest(protocol=name, nodes=count), \
                        Nodes(f'{self.folder}/{name}-{count}', count, arguments) as nodes:
                    nodes.until('a write', lambda: nodes.op(1, f='write', key='x', value=7)['type'] == 'ok')
                    nodes.until('the value everywhere', lambda: all(
                        nodes.op(node, f='read', key='x', local=True)['value'] == 7 for node in range(1, count + 1)))
                    nodes.until('drained', lambda: all(
                        nodes.ask(node, '/status')['drained'] for node in range(1, count + 1)))
                    self.assertEqual(len({nodes.ask(node, '/status')['position'] for node in range(1, count + 1)}), 1)

    def test_the_lines_of_the_document_work(self):
        text = DOCUMENT.read_text()
        starts = re.findall(r'^consistory-reference-store (--node .*?) &$', text, re.M)
        lines = re.findall(r'^curl -s .*$', text, re.M)
        self.assertEqual((len(starts), len(lines)), (3, 7))
        ports = free_ports(3)

        def moved(line):
            for i, port in enumerate(ports):
                line = line.replace(f'710{i + 1}', str(port))
            return shlex.split(line.replace('/tmp/s', self.folder))

        processes = [subprocess.Popen([STORE, *moved(line)], stderr=subprocess.DEVNULL) for line in starts]
        try:
            deadline = time.monotonic() + 10
            while b'"ok"' not in subprocess.run(moved(lines[0]), capture_output=True).stdout:
                self.assertLess(time.monotonic(), deadline, 'no leader')
                time.sleep(0.05)
            answers = [json.loads(subprocess.run(moved(line), capture_output=True, check=True).stdout)
                       for line in lines]
        finally:
            for process in processes:
                process.kill()
                process.wait()
        self.assertTrue(answers[1]['swapped'])
        self.assertEqual(answers[2]['value'], 2)
        self.assertEqual([result['value'] for result in answers[4]['results']], [2, ['a']])
        self.assertIn(answers[5]['role'], ('leader', 'follower'))
        self.assertEqual(answers[6]['x'], 2)

    def test_what_makes_no_sense_is_refused(self):
        with Nodes(self.folder, 1, ['--protocol', 'eventual', '--session', 'mr']) as nodes:
            nodes.until('up', lambda: nodes.ask(1, '/status'))
            self.assertEqual(nodes.op(1, f='cas', key='x', value=1, expected=2)['error'], 'unsupported')
            self.assertEqual(nodes.op(1, f='dance', key='x')['error'], 'unsupported')
            self.assertEqual(nodes.op(1, f='read', key='x', token={'r': {'1.1': 'many'}})['error'], 'bad-request')
            with self.assertRaises(urllib.error.HTTPError):
                nodes.ask(1, '/op', ['no operation'])
            with self.assertRaises(urllib.error.HTTPError):
                nodes.ask(1, '/batch', {'ops': []})
        for arguments in (['--protocol', 'raft', '--session', 'mr'], ['--protocol', 'eventual', '--session', 'sleep'],
                          ['--protocol', 'local-writes', '--propagation', 'majority'], ['--defect', 'none-such'],
                          ['--protocol', 'quorum', '-R', '1']):
            result = subprocess.run([STORE, '--node', '1', '--peers', '127.0.0.1:1,127.0.0.1:2,127.0.0.1:3', '--data',
                                     self.folder + '/refused', *arguments], capture_output=True, timeout=10)
            self.assertNotEqual(result.returncode, 0, arguments)

    def test_hostile_peers_and_clients_end_no_node(self):
        hostile = [{'t': 'updates', 'items': [[]]}, {'t': 'vector', 'have': 7}, {'t': 'grant', 'state': []}, 7, {},
                   {'t': 'append', 'term': 1, 'prev': 0, 'prev_term': 0, 'entries': [[1]], 'commit': 9, 'round': 0},
                   {'t': 'states', 'items': [['x', 2**40, 99, None, False, 0]]}, {'t': 'acquire', 'key': 'x'},
                   {'t': 'repair', 'items': [['x']]}, {'t': 'replicate', 'incarnation': 'no'}, {'share': 77, 'm': 1}]
        for name, arguments in PROTOCOLS.items():
            with self.subTest(protocol=name), Nodes(f'{self.folder}/{name}', 3, arguments) as nodes:
                nodes.until('up', lambda: all(nodes.ask(node, '/status') for node in (1, 2, 3)))
                for batch in ({'from': 2, 'messages': hostile}, {'from': 99, 'messages': hostile}, {'from': 2}, []):
                    try:
                        nodes.ask(1, '/peer', batch)
                    except urllib.error.HTTPError as error:
                        self.assertEqual(error.code, 400)
                deep = f'http://127.0.0.1:{nodes.ports[0]}/op'
                body = b'{"f":"write","key":"x","value":' + b'[' * 200_000 + b']' * 200_000 + b'}'
                with self.assertRaises(urllib.error.HTTPError):
                    urllib.request.urlopen(deep, body, timeout=10)
                self.assertTrue(nodes.ask(1, '/status'))
                self.assertTrue(all(process.poll() is None for process in nodes.processes))

    def test_both_programs_know_the_same_defects(self):
        ours = json.loads(consistory('list', 'defects', '--json').stdout)['defects']
        theirs = subprocess.run([STORE, '--list-defects'], capture_output=True, check=True, text=True).stdout
        self.assertEqual(sorted((row['name'], row['protocol']) for row in ours),
                         sorted(tuple(line.split()[:2]) for line in theirs.splitlines()))

    def test_a_holder_that_is_cut_off_goes_on_and_all_have_it_after_the_heal(self):
        # The harness's own partition, so that the links are really cut.
        result = consistory('run', '--protocol', 'local-writes', '--propagation', 'async', '--fault', 'partition:one',
                            '--fault-every', '14s', '--fault-for', '10s', '-d', '14s', '--seed', '4', '--sessions',
                            'pinned', '--keys', '30', '-c', '40', '--json', '-q', '-o', self.folder,
                            timeout=120)
        verdict = json.loads(result.stdout)
        self.assertEqual(result.returncode, 0, verdict['sentence'])
        fault = verdict['faults'][0]
        self.assertTrue(fault['evidence'])
        cut_off = fault['what'].split(' | ')[0]
        run = next(path for path in pathlib.Path(self.folder).iterdir() if path.is_dir() and not path.is_symlink())
        accepted, refused = set(), set()
        finals = {}
        for line in (run / 'history.jsonl').read_text().splitlines()[1:]:
            event = json.loads(line)
            if event.get('final') and event['type'] == 'ok':
                finals.setdefault(event['key'], []).append(event['value'])
            during = fault['requested_ns'] + 10**9 < event['time'] < fault['healed_ns']
            if not during or event.get('node') != cut_off or event['f'] not in ('write', 'append'):
                continue
            if event['type'] == 'ok':
                accepted.add((event['f'], event['key'], event['value']))
            if event['type'] == 'fail':
                refused.add(event['error'])
        self.assertGreater(len(accepted), 10)
        self.assertEqual(refused, {'primary-unreachable'})
        self.assertEqual({len(values) for values in finals.values()}, {3})
        for key, values in finals.items():
            self.assertTrue(all(value == values[0] for value in values), key)
        for function, key, value in accepted:
            if function == 'append':
                self.assertIn(value, finals[key][0])


if __name__ == '__main__':
    unittest.main()
