"""A small data centre: three hosts, each a network namespace with an sshd, and on each a node of the reference store
that nobody of ours started. Runs inside namespaces of its own (see run_in_world), with which all of it goes.

usage: hosts_world.py DIRECTORY BUILD SCENARIO   (as process 1 of a PID namespace)
"""
import glob
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HOSTS = 3
PORT = 7000


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def address(host):
    return f'10.78.0.{host}'


def in_host(host, *command):
    return ['ip', 'netns', 'exec', f'h{host}', *command]


def wait_until(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class World:
    def __init__(self, directory, build):
        self.directory, self.build = pathlib.Path(directory), pathlib.Path(build)
        self.own = []
        run('mount', '-t', 'tmpfs', 'tmpfs', '/run')
        os.makedirs('/run/netns')
        os.makedirs('/run/sshd')
        self.connect()
        self.start_sshds()
        self.start_stores()

    def connect(self):
        run('ip', 'link', 'set', 'lo', 'up')
        run('ip', 'link', 'add', 'lan', 'type', 'bridge')
        run('ip', 'addr', 'add', '10.78.0.254/24', 'dev', 'lan')
        run('ip', 'link', 'set', 'lan', 'up')
        for host in range(1, HOSTS + 1):
            run('ip', 'netns', 'add', f'h{host}')
            run('ip', 'link', 'add', f'port{host}', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', f'h{host}')
            run('ip', 'link', 'set', f'port{host}', 'master', 'lan', 'up')
            run('ip', '-n', f'h{host}', 'link', 'set', 'lo', 'up')
            run('ip', '-n', f'h{host}', 'addr', 'add', f'{address(host)}/24', 'dev', 'eth0')
            run('ip', '-n', f'h{host}', 'link', 'set', 'eth0', 'up')

    def start_sshds(self):
        for name in ('host', 'user'):
            run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', str(self.directory / name))
        server, client = self.directory / 'sshd.conf', self.directory / 'ssh.conf'
        server.write_text(f'HostKey {self.directory}/host\nAuthorizedKeysFile {self.directory}/user.pub\n'
                          'StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n')
        client.write_text(f'Host *\n IdentityFile {self.directory}/user\n StrictHostKeyChecking no\n'
                          f' UserKnownHostsFile {self.directory}/known\n LogLevel ERROR\n')
        os.environ['CONSISTORY_SSH'] = f'ssh -F {client}'
        for host in range(1, HOSTS + 1):
            self.own.append(subprocess.Popen(in_host(host, '/usr/sbin/sshd', '-D', '-e', '-f', str(server)),
                                             stderr=(self.directory / f'sshd{host}.log').open('w')))

    def start_stores(self):
        peers = ','.join(f'{address(host)}:{PORT}' for host in range(1, HOSTS + 1))
        for host in range(1, HOSTS + 1):
            data = self.directory / f'data{host}'
            data.mkdir()
            command = in_host(host, str(self.build / 'consistory-reference-store'), '--node', str(host), '--listen',
                              f'{address(host)}:{PORT}', '--peers', peers, '--data', str(data), '--protocol', 'raft')
            log = (self.directory / f'store{host}.log').open('w')
            self.own.append(subprocess.Popen(command, stdout=log, stderr=log, env={'LC_MARK': f'host{host}', **os.environ}))
        if not wait_until(lambda: all(self.serves(host) for host in range(1, HOSTS + 1))):
            sys.exit('the stores do not serve')

    def serves(self, host):
        return subprocess.run(['curl', '-sf', '-m', '1', f'http://{address(host)}:{PORT}/status'],
                              capture_output=True).returncode == 0

    def command(self, *arguments):
        where = []
        for host in range(1, HOSTS + 1):
            where += ['--endpoint', f'{address(host)}:{PORT}', '--host', f'root@{address(host)}']
        return [str(self.build / 'consistory'), 'run', '--protocol', 'raft', '--yes-write', *where, '--json', '-q', '-o',
                str(self.directory / 'runs'), '--seed', '5', *arguments]

    def rules(self):
        return [run(*in_host(host, 'nft', 'list', 'ruleset')).strip() for host in range(1, HOSTS + 1)]

    @staticmethod
    def processes(name):
        states = []
        for entry in pathlib.Path('/proc').iterdir():
            try:
                if entry.name.isdigit() and name in (entry / 'cmdline').read_bytes().decode().split('\0')[0]:
                    states.append((entry / 'stat').read_text().rsplit(') ', 1)[1][0])
            except OSError:
                pass
        return states

    def is_whole(self):
        """Nothing of ours is left, and whatever was killed or stopped runs again."""
        return (self.rules() == [''] * HOSTS and not self.processes('consistory-helper')
                and all(self.serves(host) for host in range(1, HOSTS + 1)))

    def left(self):
        return {'whole': wait_until(self.is_whole), 'rules': self.rules(), 'helpers': self.processes('consistory-helper'),
                'stores': self.processes('consistory-reference-store'), 'files': glob.glob('/tmp/consistory-helper.*')}


def all_faults(world):
    done = subprocess.run(world.command('-d', '20s', '--rate', '1500', '--fault', 'partition,kill,pause,slow,partition:clients,link:loss,link:narrow',
                                        '--fault-every', '2500ms', '--fault-for', '1500ms'),
                          capture_output=True, text=True)
    return {'code': done.returncode, 'error': done.stderr, 'verdict': json.loads(done.stdout or '{}')}


def killed_controller(world):
    """While a node is dead, another is stopped and a third is cut off."""
    controller = subprocess.Popen(world.command('-d', '60s', '--fault', 'partition@n1,kill@n2,pause@n3', '--fault-every',
                                                '700ms', '--fault-for', '50s'), stderr=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL)
    struck = wait_until(lambda: 'drop' in ''.join(world.rules()) and 'T' in world.processes('consistory-reference-store')
                        and len(world.processes('consistory-reference-store')) < HOSTS, 40)
    controller.send_signal(signal.SIGKILL)
    controller.wait()
    return {'struck': struck}


def unreachable(world):
    os.environ['CONSISTORY_SSH'] += ' -p 23'
    done = subprocess.run(world.command('-d', '5s'), capture_output=True, text=True)
    return {'code': done.returncode, 'error': done.stderr}


def main(directory, build, scenario):
    world = World(directory, build)
    outcome = {'all-faults': all_faults, 'killed-controller': killed_controller, 'unreachable': unreachable}[scenario](world)
    print(json.dumps({**outcome, 'left': world.left()}))


def run_in_world(directory, build, scenario):
    """What the scenario tells, from outside."""
    done = subprocess.run(['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', sys.executable,
                           __file__, directory, build, scenario], capture_output=True, text=True, timeout=180)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


if __name__ == '__main__':
    main(*sys.argv[1:])
