"""The folders include downwards only, every source is built, and files stay readable."""
import pathlib
import re
import unittest

from program import ROOT

# What each folder may include, beside itself (docs/ARCHITECTURE.md).
ALLOWED = {
    'base': set(),
    'checkers/history': {'base'},
    'checkers': {'base', 'checkers/history'},
    'nemesis': {'base'},
    'workloads': {'base', 'checkers/history'},
    'results': {'base', 'checkers', 'checkers/history'},
    'harness': {'base', 'checkers', 'checkers/history', 'nemesis', 'workloads', 'results'},
    'reference-store': set(),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
LINES_MAX = {'.h': 250, '.cpp': 600, '.py': 800}
LINE_WIDTH_MAX = 100
# Only these may sleep, read clocks or draw entropy: everything else gets time and chance handed in.
BANNED = re.compile(r'\b(rand\(|srand\(|random_device|usleep|sleep_for|nanosleep|system_clock|gettimeofday|std::time\()')
MAY = {'base/clock.cpp', 'base/random.cpp', 'base/hash.cpp', 'reference-store/wall_clock.h'}
MAY |= {f'harness/clocks/{name}' for name in ('clock_stub.h', 'clock_stub.cpp', 'process_clock.cpp', 'process_clock_test.cpp')}


def layer_of(path):
    name = path.as_posix()
    return max((layer for layer in ALLOWED if name.startswith(layer + '/')), key=len, default=None)


def sources():
    for layer in {layer.split('/')[0] for layer in ALLOWED}:
        for path in sorted((ROOT / layer).rglob('*')):
            if path.suffix in ('.h', '.cpp'):
                yield path.relative_to(ROOT)


def violations(path, text):
    """Includes of `path` that its layer does not allow."""
    layer = layer_of(path)
    for name in INCLUDE.findall(text):
        other = layer_of(pathlib.Path(name))
        if other != layer and other not in ALLOWED[layer]:
            yield name


class Layers(unittest.TestCase):
    def test_includes_point_down(self):
        for path in sources():
            self.assertEqual(list(violations(path, (ROOT / path).read_text())), [], f'{path} includes upwards')

    def test_the_test_itself_can_fail(self):
        base = pathlib.Path('base/x.h')
        self.assertEqual(list(violations(base, '#include "checkers/judge.h"\n')), ['checkers/judge.h'])
        store = pathlib.Path('reference-store/x.h')
        self.assertEqual(list(violations(store, '#include "base/check.h"\n')), ['base/check.h'])
        self.assertEqual(list(violations(pathlib.Path('results/x.h'), '#include "base/check.h"\n')), [])

    def test_every_source_is_in_a_build_list(self):
        lists = ''.join(path.read_text() for path in ROOT.glob('*/CMakeLists.txt'))
        for path in sources():
            if path.suffix == '.cpp':
                inside = path.relative_to(path.parts[0]).as_posix()
                self.assertRegex(lists, r'(?<![\w/])' + re.escape(inside), f'{path} is built by nothing')

    def test_sizes(self):
        for path in sources():
            lines = (ROOT / path).read_text().splitlines()
            self.assertLessEqual(len(lines), LINES_MAX[path.suffix], path)
            for number, line in enumerate(lines, 1):
                if 'R"(' in line:  # a line of a history, as a test quotes it
                    continue
                self.assertLessEqual(len(line), LINE_WIDTH_MAX, f'{path}:{number}')

    def test_time_and_chance_come_from_one_place(self):
        for path in sources():
            if path.as_posix() in MAY or path.name.endswith('_test.cpp'):
                continue
            self.assertIsNone(BANNED.search((ROOT / path).read_text()), path)


if __name__ == '__main__':
    unittest.main()
