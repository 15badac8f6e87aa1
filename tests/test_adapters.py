"""Stores of the user's own: described by a file, spoken to by plugins of any language, or running already. Plugins that
misbehave never hang or crash the controller, and what they leave open is of unknown outcome."""
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import unittest

from program import ROOT, consistory, temporary_directory

ADAPTERS = ROOT / 'examples' / 'adapters'


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class ToyNodes:
    """Two nodes of the toy store, running as somebody else's would."""

    def __enter__(self):
        self.endpoints = [f'127.0.0.1:{free_port()}' for _ in range(2)]
        self.processes = [subprocess.Popen([sys.executable, ADAPTERS / 'toy_server.py', endpoint, ','.join(self.endpoints)],
                                           stderr=subprocess.DEVNULL) for endpoint in self.endpoints]
        for endpoint in self.endpoints:
            host, port = endpoint.split(':')
            deadline = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection((host, int(port)), timeout=1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def options(self):
        return [word for endpoint in self.endpoints for word in ('--endpoint', endpoint)]


def check(*arguments):
    result = consistory('adapter', 'check', *arguments)
    return result.returncode, (result.stdout + result.stderr).decode()


class Adapters(unittest.TestCase):
    def run_json(self, *arguments):
        with temporary_directory() as out:
            result = consistory('run', '--json', '-q', '-o', out, *arguments)
            self.assertTrue(result.stdout, result.stderr)
            runs = [path for path in pathlib.Path(out).iterdir() if path.is_dir() and not path.is_symlink()]
            history = [json.loads(line) for line in (runs[0] / 'history.jsonl').read_text().splitlines()]
            return result.returncode, json.loads(result.stdout), history

    def test_the_described_toy_store_is_told_truly_and_runs(self):
        code, text = check('--store', ADAPTERS / 'toy.toml')
        self.assertEqual(code, 0, text)
        self.assertIn('an update whose connection breaks is info', text)
        code, verdict, _ = self.run_json('--store', ADAPTERS / 'toy.toml', '-d', '5s', '--seed', '3', '--require',
                                         'read-your-writes', '--fault', 'kill')
        self.assertEqual(code, 1, verdict['sentence'])  # its writes reach other nodes 50 ms late

    def test_a_store_that_tells_when_it_has_settled(self):
        with temporary_directory() as folder:
            path = pathlib.Path(folder) / 'store.toml'
            toy = (ADAPTERS / 'toy.toml').read_text().replace('{here}', str(ADAPTERS))
            path.write_text(toy.replace('[http.read]', 'settled = "http://{host}:{port}/health"\n\n[http.read]', 1))
            _, _, history = self.run_json('--store', path, '-d', '1s', '--fault', 'none')
            self.assertEqual([event['value'] for event in history if event.get('f') == 'settled'], [True])

    def test_a_local_read_that_finds_nothing_is_found_out(self):
        with temporary_directory() as folder:
            path = pathlib.Path(folder) / 'store.toml'
            toy = (ADAPTERS / 'toy.toml').read_text().replace('{here}', str(ADAPTERS))
            before, after = toy.split('[http.local-read]')
            path.write_text(before + '[http.local-read]' + after.replace('missing = 404', 'missing = [200, 404]', 1))
            code, text = check('--store', path)
            self.assertEqual(code, 1, text)
            self.assertIn('WRONG  a local read returns what was written', text)

    def test_a_node_that_is_not_there_is_one_error(self):
        code, text = check('--adapter', f'{sys.executable} {ADAPTERS}/client.py', '--endpoint', '127.0.0.1:1')
        self.assertEqual(code, 3, text)
        self.assertIn('nobody listens at 127.0.0.1:1', text)
        self.assertNotIn('WRONG', text)

    def test_the_python_plugin_speaks_to_nodes_that_run_elsewhere(self):
        with ToyNodes() as toy:
            plugin = f'{sys.executable} {ADAPTERS}/client.py'
            code, text = check('--adapter', plugin, '--endpoint', toy.endpoints[0])
            self.assertEqual(code, 0, text)
            code, verdict, history = self.run_json('--adapter', plugin, *toy.options(), '-d', '4s', '--seed', '3', '--require',
                                                   'read-your-writes')
            self.assertEqual(code, 1, verdict['sentence'])
            self.assertEqual(verdict['faults'], [])
            reads = [event for event in history if event.get('f') == 'read' and event['type'] == 'ok']
            self.assertGreater(len(reads), 100)

    def test_the_cpp_plugin_builds_and_passes(self):
        with ToyNodes() as toy, temporary_directory() as folder:
            client = pathlib.Path(folder) / 'client'
            subprocess.run(['c++', '-std=c++20', '-O1', ADAPTERS / 'client.cpp', '-lcurl', '-o', client], check=True)
            code, text = check('--adapter', client, '--endpoint', toy.endpoints[0])
            self.assertEqual(code, 0, text)

    def test_scaffolds_pass_where_their_language_is_there(self):
        with ToyNodes() as toy, temporary_directory() as folder:
            for language, command in (('python', [sys.executable]), ('sh', ['sh'])):
                if language == 'sh' and not (shutil.which('jq') and shutil.which('curl')):
                    continue
                path = pathlib.Path(folder) / f'client.{language}'
                made = consistory('adapter', 'new', '--lang', language, path)
                self.assertEqual(made.returncode, 0, made.stderr)
                code, text = check('--adapter', ' '.join([*command, str(path)]), '--endpoint', toy.endpoints[0])
                self.assertEqual(code, 0, text)
            again = consistory('adapter', 'new', '--lang', 'python', pathlib.Path(folder) / 'client.python')
            self.assertEqual(again.returncode, 64)
            self.assertIn(b'is there already', again.stderr)

    def plugin(self, folder, body):
        path = pathlib.Path(folder) / 'plugin.py'
        path.write_text('import json, sys, time, os\n' + textwrap.dedent(body))
        return f'{sys.executable} {path}'

    HELLO = "print(json.dumps({'type': 'hello', 'protocol': 1, 'functions': ['read', 'write']}), flush=True)"

    def test_a_plugin_that_tells_a_lost_update_as_failed_is_found_out(self):
        with ToyNodes() as toy, temporary_directory() as folder:
            lying = (ADAPTERS / 'client.py').read_text().replace("'fail' if refused else 'info'", "'fail'") \
                .replace("return {'type': 'info', 'error': str(error)}", "return {'type': 'fail', 'error': str(error)}")
            path = pathlib.Path(folder) / 'client.py'
            path.write_text(lying)
            code, text = check('--adapter', f'{sys.executable} {path}', '--endpoint', toy.endpoints[0])
            self.assertEqual(code, 1, text)
            self.assertIn('WRONG  an update whose connection breaks is info', text)

    def test_plugins_that_do_not_say_hello_are_told_so(self):
        with temporary_directory() as folder:
            for body, said in (("print('hi', flush=True); time.sleep(9)", 'the plugin\'s first line must be'),
                               ('sys.exit(3)', 'did not answer the hello'),
                               ("print(json.dumps({'type': 'hello', 'protocol': 1}), flush=True)", 'names no "functions"')):
                code, text = check('--adapter', self.plugin(folder, body), '--endpoint', '127.0.0.1:1')
                self.assertEqual(code, 3, text)
                self.assertIn(said, text)
        code, text = check('--adapter', '/nowhere/client', '--endpoint', '127.0.0.1:1')
        self.assertEqual(code, 69, text)

    def test_what_a_misbehaving_plugin_leaves_open_is_unknown(self):
        misdeeds = {
            'died': 'os._exit(1)',
            'bad-answer': "print('{\\'no JSON', flush=True)",
            'timeout': 'time.sleep(60)',
            'answer-too-long': "sys.stdout.write('x' * (5 << 20)); sys.stdout.flush(); time.sleep(60)",
        }
        with temporary_directory() as folder:
            for name, misdeed in misdeeds.items():
                body = f"""
                    sys.stdin.readline()
                    {self.HELLO}
                    for line in sys.stdin:
                        {misdeed}
                """
                code, verdict, history = self.run_json('--adapter', self.plugin(folder, body), '--endpoint', '127.0.0.1:1', '-d',
                                                       '1s', '--rate', '10', '-c', '2', '--op-timeout', '300ms', '--seed', '1')
                self.assertEqual(code, 0 if verdict['overall'] == 'holds' else 2, verdict['sentence'])
                ends = [event for event in history if event.get('f') in ('read', 'write') and event['type'] != 'invoke']
                self.assertTrue(ends, name)
                for event in ends:
                    self.assertEqual(event['type'], 'info', (name, event))
                    self.assertIn(name, event['error'])

    def test_answers_are_escaped_and_bounded(self):
        with temporary_directory() as folder:
            body = f"""
                sys.stdin.readline()
                {self.HELLO}
                for line in sys.stdin:
                    op = json.loads(line)
                    print(json.dumps({{'id': op['id'], 'type': 'ok', 'value': '<script>alert(1)</script>\\x1b[2J'}}), flush=True)
            """
            with temporary_directory() as out:
                result = consistory('run', '-q', '-o', out, '--adapter', self.plugin(folder, body), '--endpoint', '127.0.0.1:1',
                                    '-d', '1s', '--rate', '50', '--seed', '1', '--require', 'read-values')
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertNotIn(b'\x1b[2J', result.stdout)
                report = next(pathlib.Path(out).glob('*/report.html')).read_text()
                self.assertNotIn('<script>alert(1)', report)

    def test_descriptions_are_refused_with_line_and_column(self):
        mistakes = {
            'nam = "x"': 'did you mean "name"',
            '[http.read]\nmethod = "GET"': 'needs a path',
            '[http.read]\npath = "/x"\nvalue = "no pointer"': 'JSON pointers',
            '[http.read]\npath = "/x"\nok = 7': 'HTTP status',
            '[node]\ncommand = ["true"]\n[http.read]\npath = "/x"': 'ready',
            'claims = ["causall"]\n[http.read]\npath = "/x"\n[http.write]\nmethod = "PUT"\npath = "/x"': 'did you mean "causal"',
            '[http.write]\npath = "/x"': 'a method other than GET',
            'name = "x"': 'how do clients speak',
            '[node]\ncommand = ["true", "{prot}"]\nready = "tcp://{host}:{port}"': ':2:11: unknown placeholder "prot"; did you mean "port"',
            '[http.read]\npath = "/{kye}"': 'did you mean "key"',
            '[node]\ncommand = ["true"]\nready = "tcp://{host}:{port}"\nsettled = "/position"': 'settled is a URL',
            'name = ': ':1:',
        }
        with temporary_directory() as folder:
            path = pathlib.Path(folder) / 'store.toml'
            for text, said in mistakes.items():
                path.write_text(text)
                result = consistory('run', '--store', path, '--endpoint', '127.0.0.1:1')
                self.assertEqual(result.returncode, 64, (text, result.stderr))
                self.assertIn(said, result.stderr.decode(), text)

    def test_attaching_is_careful(self):
        for arguments, said in ((['--endpoint', '192.0.2.1:80'], '--yes-write'),
                                (['--endpoint', '127.0.0.1'], 'host:port'),
                                (['--endpoint', '127.0.0.1:1', '--fault', 'kill'], 'impossible'),
                                ([], '--endpoint')):
            result = consistory('run', '--adapter', f'{sys.executable} {ADAPTERS}/client.py', *arguments)
            self.assertEqual(result.returncode, 64, result.stderr)
            self.assertIn(said, result.stderr.decode())


SANDBOX = next(row for row in json.loads(consistory('doctor', '--json').stdout)['grounds'] if row['ground'] == 'sandbox')


@unittest.skipUnless(SANDBOX['works'], SANDBOX['why'])
class Maelstrom(unittest.TestCase):
    NODE = f'{sys.executable} {ROOT}/tests/maelstrom_node.py'

    def run_nodes(self, node, *arguments):
        with temporary_directory() as out:
            result = consistory('run', 'maelstrom', '--bin', node, '--json', '-q', '-o', out, *arguments)
            self.assertTrue(result.stdout, result.stderr)
            run = next(pathlib.Path(out).glob('2*'))
            messages = [json.loads(line) for line in (run / 'messages.jsonl').read_text().splitlines()]
            return result.returncode, json.loads(result.stdout), messages, (run / 'report.html').read_text()

    def test_a_node_of_maelstrom_runs_unchanged_under_partition_and_loss(self):
        code, verdict, messages, report = self.run_nodes(self.NODE, '-d', '10s', '--fault', 'partition:halves,link:loss', '--seed', '1')
        self.assertEqual(code, 0, verdict['sentence'])
        between = [message for message in messages if 'clients' not in (message['from'], message['to'])]
        self.assertTrue(any(message['received_ns'] is None for message in between))  # what the faults took
        for message in between:
            self.assertTrue(message['received_ns'] is None or message['received_ns'] >= message['sent_ns'])
        self.assertIn('<h2>Messages</h2>', report)

    def test_a_lazy_one_is_found_out(self):
        code, verdict, _, report = self.run_nodes(self.NODE + ' lazy', '-d', '6s', '--fault', 'partition:halves', '--seed', '1')
        self.assertEqual(code, 1, verdict['sentence'])
        self.assertIn('up to the end of the first counterexample', report)

    def test_sets_and_counters_that_keep_telling_agree_in_the_end(self):
        for serves in ('g-set', 'broadcast', 'g-counter'):
            code, verdict, _, _ = self.run_nodes(f'{sys.executable} {ROOT}/tests/maelstrom_gossip.py', '--serves', serves,
                                                 '-d', '6s', '--rate', '200', '--fault', 'partition:halves', '--seed', '1')
            self.assertEqual(code, 0, (serves, verdict['sentence']))
            states = {model['model']: model['state'] for model in verdict['models']}
            self.assertEqual(states['linearizable'], 'violated', serves)

    def test_what_is_told_once_is_lost_in_partitions(self):
        for fault, expected in (('none', 0), ('partition:halves', 1)):
            code, verdict, _, _ = self.run_nodes(f'{sys.executable} {ROOT}/tests/maelstrom_gossip.py once', '--serves', 'g-set',
                                                 '-d', '6s', '--rate', '200', '--fault', fault, '--seed', '1')
            self.assertEqual(code, expected, (fault, verdict['sentence']))

    def test_transactions_on_lists(self):
        code, verdict, _, _ = self.run_nodes(self.NODE, '--serves', 'txn-list-append', '-d', '5s', '--fault', 'partition:halves',
                                             '--seed', '1')
        self.assertEqual(code, 0, verdict)
        code, verdict, _, _ = self.run_nodes(self.NODE + ' lazy', '--serves', 'txn-list-append', '-d', '5s', '--fault', 'none',
                                             '--seed', '1')
        self.assertEqual(code, 1, verdict)

    def test_no_program_is_said(self):
        for arguments, code in (([], 64), (['--bin', '/nowhere/node'], 69)):
            self.assertEqual(consistory('run', 'maelstrom', *arguments).returncode, code)


if __name__ == '__main__':
    unittest.main()
