"""The program under test, and what every test of it needs."""
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('CONSISTORY_BUILD', ROOT / 'build' / 'release'))
PROGRAM = str(BUILD / 'consistory')
LITMUS = ROOT / 'checkers' / 'testdata' / 'litmus'

# Model on the command line -> column of the litmus suite.
ORACLE = {
    'linearizable': 'lin', 'sequential': 'sc', 'causal': 'cm', 'causal-convergence': 'ccv', 'weak-causal': 'cc',
    'pram': 'pram', 'cache': 'keysc', 'read-values': 'rval', 'monotonic-reads': 'mr', 'monotonic-writes': 'mw',
    'read-your-writes': 'ryw', 'writes-follow-reads': 'wfr', 'sessions': 'sess3', 'monotonic-reads-view': 'mr_v',
    'monotonic-writes-view': 'mw_v', 'read-your-writes-view': 'ryw_v', 'writes-follow-reads-view': 'wfr_v',
    'convergence': 'conv', 'eventual': 'ec', 'strong-eventual': 'sec'}
WORD = {'valid': 'holds', 'invalid': 'violated', 'na': 'not-checked'}


def consistory(*arguments, stdin=None, timeout=120, environment=()):
    """Runs the program to its end; output as bytes, so that nothing hides in decoding."""
    return subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout,
                          env=os.environ | dict(environment))


def compare_batch(test, path):
    """Every verdict of every case of a litmus file against its "expect"; returns the number of cases."""
    result = consistory('check', '--batch', path, '--json', timeout=300)
    test.assertIn(result.returncode, (0, 1), result.stderr)
    cases = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    test.assertEqual(len(cases), len(answers))
    for case, answer in zip(cases, answers):
        test.assertEqual(case['id'], answer['id'])
        test.assertEqual(set(answer['models']), set(ORACLE))
        wrong = {model: (word, case['expect'][ORACLE[model]]) for model, word in answer['models'].items()
                 if word != WORD[case['expect'][ORACLE[model]]]}
        test.assertEqual(wrong, {}, json.dumps(case))
    return len(cases)


def running_under(directory):
    """Processes whose command line names this directory."""
    found = []
    for entry in pathlib.Path('/proc').iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / 'cmdline').read_bytes().replace(b'\0', b' ').decode(errors='replace')
        except OSError:
            continue
        if str(directory) in command:
            found.append((entry.name, command))
    return found


def temporary_directory():
    return tempfile.TemporaryDirectory(prefix='consistory-test-')
