"""The command line: exit codes, and one-line errors with place and remedy for every bad input."""
import json
import os
import pathlib
import socket
import unittest

from program import ROOT, consistory, temporary_directory

HEADER = b'{"schema":"consistory.history/1","nodes":["n1","n2"]}\n'


def event(process, kind, f, key, **fields):
    return json.dumps({'process': process, 'type': kind, 'f': f, 'key': key, **fields}).encode() + b'\n'


def operation(process, f, key, value, **fields):
    return event(process, 'invoke', f, key, value=value) + event(process, 'ok', f, key, value=value, **fields)


GOOD = HEADER + operation(1, 'write', 'x', 7) + operation(2, 'read', 'x', 7)


class CommandLine(unittest.TestCase):
    def refuse(self, code, words, *arguments, stdin=None):
        """The program ends with `code` and one line on stderr that holds every one of `words`."""
        result = consistory(*arguments, stdin=stdin, timeout=30)
        message = result.stderr.decode()
        self.assertEqual(result.returncode, code, message)
        self.assertEqual(len(message.strip().splitlines()), 1, message)
        for word in words:
            self.assertIn(word, message)
        self.assertNotIn('\x1b', message)

    def check(self, content):
        return consistory('check', '-', stdin=content, timeout=30)

    def test_no_arguments_print_the_overview(self):
        result = consistory()
        self.assertEqual(result.returncode, 64)
        self.assertIn(b'consistory run', result.stderr)

    def test_help_version_list_explain(self):
        for arguments in (['--help'], ['--version'], ['run', '--help'], ['list'], ['list', '--json'], ['explain'],
                          ['explain', 'causal'], ['explain', 'read-your-writes+monotonic-writes']):
            result = consistory(*arguments)
            self.assertEqual(result.returncode, 0, arguments)
            self.assertTrue(result.stdout)

    def test_every_model_is_explained_by_a_history_that_breaks_it(self):
        for row in json.loads(consistory('list', 'models', '--json').stdout)['models']:
            result = consistory('explain', row['name'])
            self.assertEqual(result.returncode, 0, row['name'])
            self.assertIn(b'A smallest history that it forbids', result.stdout, row['name'])

    def test_mistyped_names_are_suggested(self):
        self.refuse(64, ['did you mean "run"'], 'rnu')
        self.refuse(64, ['did you mean --fault'], 'run', '--falut', 'kill')
        self.refuse(64, ['did you mean "partition"'], 'run', '--fault', 'partitoin')
        self.refuse(64, ['did you mean "sequential"'], 'run', '--require', 'sequental')
        self.refuse(64, ['did you mean "register"'], 'run', '--workload', 'regster')
        self.refuse(64, ['did you mean "eventual"'], 'run', '--protocol', 'evental')
        self.refuse(64, ['did you mean "causal"'], 'check', '-m', 'causl', '-', stdin=GOOD)
        self.refuse(64, ['did you mean "causal"'], 'explain', 'causl')

    def test_bad_numbers(self):
        self.refuse(64, ['--nodes', 'between 1 and 15'], 'run', '--nodes', 0)
        self.refuse(64, ['5s or 5ms'], 'run', '-d', 5)
        self.refuse(64, ['--concurrency'], 'run', '-c', 0)
        self.refuse(64, ['--seed'], 'run', '--seed', 'seven')
        self.refuse(64, ['R+W must exceed N'], 'run', '--protocol', 'quorum', '-R', 1, '-W', 1)

    def test_a_store_that_cannot_do_the_workload(self):
        self.refuse(64, ['append', 'does not support'], 'run', '--protocol', 'quorum', '--workload', 'append')

    def test_a_results_directory_that_cannot_be_written(self):
        with temporary_directory() as folder:
            blocker = os.path.join(folder, 'file')
            open(blocker, 'w').close()
            self.refuse(69, [blocker, '--out'], 'run', '-q', '-d', '1s', '--out', blocker + '/runs')

    def test_a_port_in_use(self):
        with socket.socket() as taken, temporary_directory() as folder:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            port = taken.getsockname()[1]
            if port > 65000:
                port = 65000
            self.refuse(69, [f'port {port}', 'in use', '--port-base'], 'run', '-q', '-d', '1s', '-o', folder,
                        '--port-base', port)

    def test_no_such_file(self):
        self.refuse(64, ['/no/such/history.jsonl', 'No such file'], 'check', '/no/such/history.jsonl')
        self.refuse(64, ['cannot read'], 'check', str(ROOT))

    def test_history_cut_before_its_header_ends(self):
        self.refuse(64, ['standard input:1', 'ends before its header'], 'check', '-', stdin=HEADER[:20])
        self.refuse(64, ['ends before its header'], 'check', '-', stdin=b'')

    def test_torn_last_line_is_judged_and_noted(self):
        result = self.check(GOOD + b'{"process":1,"ty')
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn(b'torn', result.stdout)

    def test_binary_rubbish(self):
        self.refuse(64, ['standard input:6:1', 'not JSON'], 'check', '-', stdin=GOOD + b'\x00\xff\x1b[31m\xfe\n' + GOOD)

    def test_value_over_the_bound(self):
        self.refuse(64, ['standard input:2', '1 MiB'], 'check', '-',
                    stdin=HEADER + operation(1, 'write', 'x', 'v' * (2**20 + 1)))

    def test_value_at_the_bound(self):
        value = 'v' * 2**20
        result = self.check(HEADER + operation(1, 'write', 'x', value) + operation(2, 'read', 'x', value))
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_unknown_field_is_warned_of_once(self):
        result = self.check(HEADER + operation(1, 'write', 'x', 7, colour='red') * 1 +
                            operation(2, 'read', 'x', 7, colour='red'))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.count(b'unknown field'), 1)

    def test_completion_without_invocation(self):
        self.refuse(64, ['standard input:2', 'without an invocation'], 'check', '-',
                    stdin=HEADER + event(1, 'ok', 'read', 'x', value=1))

    def test_a_completion_may_leave_its_value_out_but_not_change_it(self):
        write = event(1, 'invoke', 'write', 'x', value=7)
        result = self.check(HEADER + write + event(1, 'info', 'write', 'x', value=None) + operation(2, 'read', 'x', 7))
        self.assertEqual(result.returncode, 0, result.stdout)
        self.refuse(64, ['standard input:3', 'another value'], 'check', '-',
                    stdin=HEADER + write + event(1, 'ok', 'write', 'x', value=8))

    def test_many_duplicate_values_end_in_a_verdict_or_the_budget(self):
        lines = [operation(1, 'append', 'l', number % 3) for number in range(60)]
        reads = [operation(2, 'read', 'l', [number % 3 for number in range(60)]) for _ in range(200)]
        result = self.check(HEADER + b''.join(lines) + b''.join(reads))
        self.assertIn(result.returncode, (0, 2), result.stderr)

    def test_deep_nesting_and_long_numbers(self):
        self.refuse(64, ['nested deeper'], 'check', '-',
                    stdin=HEADER + b'{"a":' + b'[' * 500000 + b']' * 500000 + b'}\n')
        result = self.check(HEADER + operation(1, 'write', 'x', 10**30) + operation(2, 'read', 'x', 10**30))
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_convert_there_and_back(self):
        with temporary_directory() as folder:
            lines, binary, again = (pathlib.Path(folder) / name for name in ('h.jsonl', 'h.bin', 'again.jsonl'))
            lines.write_bytes(GOOD)
            self.assertEqual(consistory('convert', lines, binary, '--to', 'binary').returncode, 0)
            self.assertEqual(consistory('convert', binary, again, '--to', 'consistory').returncode, 0)
            verdicts = [json.loads(consistory('check', path, '--json').stdout)['models'] for path in (lines, binary, again)]
            self.assertEqual(verdicts[0], verdicts[1])
            self.assertEqual(verdicts[0], verdicts[2])
            self.assertEqual(sorted(os.listdir(folder)), ['again.jsonl', 'h.bin', 'h.jsonl'])

    def test_convert_for_others_is_judged_alike(self):
        for target, model in (('edn', 'linearizable'), ('jepsen-log', 'linearizable'), ('plume', 'serializable')):
            for history, code in ((GOOD, 0), (GOOD + operation(2, 'read', 'x', None), 1)):
                key = [] if target == 'plume' else ['--key', 'x']
                out = consistory('convert', '-', '-', '--to', target, *key, stdin=history)
                self.assertEqual(out.returncode, 0, out.stderr)
                judged = consistory('check', '-', '--format', target, '-m', model, stdin=out.stdout)
                self.assertEqual(judged.returncode, code, (target, judged.stdout))

    def test_convert_leaves_what_is_no_file_as_it_is(self):
        with temporary_directory() as folder:
            link, target = (pathlib.Path(folder) / name for name in ('link', 'target'))
            target.write_bytes(b'old')
            link.symlink_to(target)
            self.assertEqual(consistory('convert', '-', link, '--to', 'edn', stdin=GOOD).returncode, 0)
            self.assertTrue(link.is_symlink())
            self.assertIn(b':process', target.read_bytes())
            pipe = pathlib.Path(folder) / 'pipe'
            os.mkfifo(pipe)
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            self.assertEqual(consistory('convert', '-', pipe, '--to', 'edn', stdin=GOOD).returncode, 0)
            self.assertIn(b':process', os.read(reader, 65536))
            os.close(reader)

    def test_tagged_jepsen_events_with_keyed_cas(self):
        event = b'#jepsen.history.Op{:index %d, :time 3, :type :%s, :process 0, :f :cas, :value #jepsen.independent.Tuple ["k" [1 2]]}\n'
        judged = consistory('check', '-', '--format', 'edn', '--keyed', '-m', 'linearizable', stdin=event % (0, b'invoke') + event % (1, b'info'))
        self.assertEqual(judged.returncode, 2, judged.stderr)  # vacuous, and read

    def test_convert_says_what_it_cannot(self):
        deletes = HEADER + operation(1, 'delete', 'x', None)
        self.refuse(64, ['jepsen-log', 'a delete'], 'convert', '-', '-', '--to', 'jepsen-log', stdin=deletes)
        twice = HEADER + operation(1, 'write', 'x', 1) + operation(1, 'write', 'x', 1)
        self.refuse(64, ['plume', 'twice'], 'convert', '-', '-', '--to', 'plume', stdin=twice)
        self.refuse(64, ['begins with'], 'convert', '-', '-', '--to', 'binary', stdin=b'{:process 0}\n')
        lists = HEADER + operation(1, 'append', 'l', 7) + operation(2, 'write', 'x', 1)
        self.refuse(64, ['plume', 'lists'], 'convert', '-', '-', '--to', 'plume', stdin=lists)
        self.refuse(64, ['edn', '--key'], 'convert', '-', '-', '--to', 'edn', stdin=lists)
        self.refuse(64, ['unknown key', 'x'], 'convert', '-', '-', '--to', 'edn', '--key', 'y', stdin=lists)
        self.refuse(69, ['cannot create'], 'convert', '-', '/nowhere/h.bin', '--to', 'binary', stdin=lists)
        self.refuse(64, ['--key'], 'convert', '-', '-', '--to', 'binary', '--key', 'x', stdin=lists)

    def test_numbers_beyond_all_range(self):
        self.refuse(64, ['out of the range'], 'check', '-', stdin=HEADER + event(1, 'invoke', 'write', 'x', value=1)
                    .replace(b'"value": 1', b'"value": 1e999'))
        self.refuse(64, ['out of the range'], 'check', '-', stdin=b'{"schema":1e999}\n')

    def test_newer_schema_is_refused(self):
        self.refuse(64, ['consistory.history/2'], 'check', '-', stdin=b'{"schema":"consistory.history/2"}\n')

    def test_empty_history_is_no_pass(self):
        self.assertEqual(self.check(HEADER).returncode, 2)

    def test_violation_is_exit_1_and_named(self):
        stale = HEADER + operation(1, 'write', 'x', 7) + operation(1, 'read', 'x', None)
        result = self.check(stale)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'session 1 wrote x = 7', result.stdout)
        verdict = json.loads(consistory('check', '-', '--json', stdin=stale).stdout)
        self.assertEqual(verdict['schema'], 'consistory.verdict/1')
        self.assertEqual(verdict['overall'], 'violated')

    def test_require_hears_of_violated_sets(self):
        stale = (HEADER + operation(1, 'write', 'x', 1) + operation(1, 'write', 'x', 2) +
                 operation(1, 'read', 'x', 1) + operation(2, 'read', 'x', 2))
        result = consistory('check', '--require', 'read-your-writes', '-', stdin=stale)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'cannot tell which member', result.stdout)
        single = consistory('check', '-m', 'read-your-writes', '-', stdin=stale)
        self.assertIn(b'read-your-writes', single.stdout)

    def test_expect_violation_both_ways(self):
        stale = HEADER + operation(1, 'write', 'x', 7) + operation(1, 'read', 'x', None) + operation(2, 'read', 'x', 7)
        expect = ['check', '-m', 'read-your-writes', '--expect-violation', 'read-your-writes', '-']
        self.assertEqual(consistory(*expect, stdin=stale).returncode, 0)
        self.assertEqual(consistory(*expect, stdin=GOOD).returncode, 1)

    def test_hostile_keys_and_values_are_inert(self):
        hostile = '</script><img onerror=alert(1)>\x1b[2J\x1b]0;x\x07\u202e\n::error::x'
        history = HEADER + operation(1, 'write', hostile, hostile) + operation(1, 'read', hostile, None)
        with temporary_directory() as folder:
            report = os.path.join(folder, 'report.html')
            result = consistory('check', '--report', report, '-', stdin=history)
            self.assertEqual(result.returncode, 1, result.stderr)
            page = pathlib.Path(report).read_bytes()
        for text in (result.stdout, result.stderr, page):
            self.assertNotIn(b'\x1b', text)
            self.assertNotIn(b'\x07', text)
            self.assertNotIn('\u202e'.encode(), text)
        self.assertNotIn(b'<img', page)
        self.assertNotIn(b'</script>', page)
        for line in result.stdout.splitlines():
            self.assertFalse(line.startswith(b'::'), line)

    def test_a_bad_campaign_file(self):
        with temporary_directory() as folder:
            path = os.path.join(folder, 'c.toml')
            for text, words in (('schema = 1\n[run]\ndurration = "5s"\n', [f'{path}:3:1', 'did you mean "duration"']),
                                ('schema = 1\n[[config]]\nname = "a"\nprotocol = "evental"\n', ['did you mean "eventual"']),
                                ('schema = 1\nfaults = [["partitoin"]]\n[[config]]\n', ['did you mean "partition"']),
                                ('schema = \n', [f'{path}:1']),
                                ('schema = 1\n', ['at least one [[config]]']),
                                ('schema = 2\n[[config]]\n', ['schema = 1'])):
                with open(path, 'w') as file:
                    file.write(text)
                self.refuse(64, words, 'campaign', path)


if __name__ == '__main__':
    unittest.main()
