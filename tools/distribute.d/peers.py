"""The systems that tools/bench-distribute compares despool with, each as its users would run it.

A system has a name, the tools it needs, and up to three steps that a run goes through: prepare
(not timed), go (timed), clean (not timed). A run has source, targets (paths that are not there yet)
and, for an update, old: the tree that the targets' `.old` neighbours hold.
"""
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time

QUIET = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.PIPE}
PATIENCE = 20  # seconds for a daemon to listen
PACKAGES, POINTS = 50, 100  # of the durable commands: each pair is one
COMMANDS = PACKAGES * POINTS
FLIGHT = 64    # of them open at a time, on one connection


class Failed(Exception):
    """A program did not do what it was started for."""


def together(commands, shell=False):
    """Runs all at once; each must succeed."""
    started = [subprocess.Popen(c, shell=shell, executable='/bin/bash' if shell else None, **QUIET)
               for c in commands]
    said = [(p, p.communicate()[1]) for p in started]
    for process, text in said:
        if process.returncode:
            raise Failed(text.decode(errors='replace').strip()[-300:] or
                         f'exit code {process.returncode}')


def in_turns(commands, width):
    """Runs all, `width` at a time, as xargs -P would."""
    for begin in range(0, len(commands), width):
        together(commands[begin:begin + width])


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_listens(port, process):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', port)) == 0:
                return
        time.sleep(0.02)
    raise Failed(f'{process.args[0]} does not listen')


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class System:
    """One peer; subclasses say what it does."""
    name = ''
    needs = ()
    bar = True  # whether it counts as a peer, or is only shown

    def missing(self):
        return [tool for tool in self.needs if shutil.which(tool) is None]

    def open(self, work):
        """Before the first round."""

    def close(self):
        """After the last."""

    def daemons(self):
        return []

    def prepare(self, run):
        pass

    def go(self, run):
        raise NotImplementedError

    def clean(self, run):
        pass

    def spent(self, run):
        """What it has written and needs no more after this turn."""
        return [run.work]

    def trees(self, run):
        """Where what should equal the source lies; none: there is nothing to compare."""
        return run.targets


class Copies(System):
    """A command line for each target, some at a time."""

    def __init__(self, name, command, width=1, bar=True):
        self.name, self.command, self.width, self.bar = name, command, width, bar
        self.needs = (command[0],)

    def go(self, run):
        in_turns([[word.format(source=run.source, target=target) for word in self.command]
                  for target in run.targets], self.width)


class TarTee(System):
    """Read once by tar, written by as many as there are targets."""
    name = 'tar, tee, tar'
    needs = ('tar', 'tee', 'bash')

    def prepare(self, run):
        for target in run.targets:
            os.mkdir(target)

    def go(self, run):
        *others, last = [f'tar -xpf - -C {shlex.quote(t)}' for t in run.targets]
        # The shell does not wait for what it writes into: a lock that each holds tells the end.
        lock = run.work + '/tee.lock'
        into = ' '.join(f'>(exec 9<{lock}; flock -s 9; {other})' for other in others)
        with open(lock, 'wb'):
            pass
        pipe = f'tar -cf - --format=posix -C {shlex.quote(run.source)} .'
        tee = f' | tee {into}' if others else ''
        together([f'set -o pipefail; {pipe}{tee} | {last} && sleep 0.01; flock -x {lock} true'],
                 shell=True)


class Casync(System):
    """Ingest: a chunk store and an index of it."""
    name = 'casync make'
    needs = ('casync',)

    def go(self, run):
        together([['casync', 'make', '--with=2sec-time', '--with=permissions', '--with=symlinks',
                   f'--store={run.work}/ca.castr', f'{run.work}/ca.caidx', run.source]])

    def trees(self, run):
        return []


class TarZstd(System):
    """Ingest: one compressed file."""
    name = 'tar, zstd -3 -T2'
    needs = ('tar', 'zstd', 'bash')

    def go(self, run):
        together([f'set -o pipefail; tar -cf - -C {shlex.quote(run.source)} . | '
                  f'zstd -q -3 -T2 -o {run.work}/tree.tar.zst'], shell=True)

    def trees(self, run):
        return []


class Socat(System):
    """tar over plain TCP to each target, read once."""

    def __init__(self, squeeze):
        self.squeeze = squeeze
        self.name = 'tar, zstd -1, socat' if squeeze else 'tar, socat'
        self.needs = ('tar', 'tee', 'socat', 'bash') + (('zstd',) if squeeze else ())
        self.receivers = []

    def prepare(self, run):
        self.ports = [free_port() for _ in run.targets]
        self.receivers = []
        for target, port in zip(run.targets, self.ports):
            os.mkdir(target)
            unpack = 'zstd -dcq | ' if self.squeeze else ''
            self.receivers.append(subprocess.Popen(
                ['bash', '-c', f'set -o pipefail; socat -u -b262144 TCP-LISTEN:{port},'
                 f'bind=127.0.0.1,reuseaddr - | {unpack}tar -xpf - -C {shlex.quote(target)}'],
                **QUIET))
        until = time.monotonic() + PATIENCE
        while any(not listens(port) for port in self.ports):
            if time.monotonic() > until:
                raise Failed('socat does not listen')
            time.sleep(0.02)

    def go(self, run):
        pipe = f'tar -cf - --format=posix -C {shlex.quote(run.source)} .'
        pipe += ' | zstd -q -1 -T1' if self.squeeze else ''
        sends = [f'socat -u -b262144 - TCP:127.0.0.1:{port}' for port in self.ports]
        into = ' '.join(f'>({send})' for send in sends[:-1])
        tee = f' | tee {into}' if into else ''
        together([f'set -o pipefail; {pipe}{tee} | {sends[-1]}'], shell=True)
        for receiver in self.receivers:
            if receiver.wait(timeout=120):
                raise Failed(receiver.stderr.read().decode(errors='replace')[-200:])

    def clean(self, run):
        for receiver in self.receivers:
            end(receiver)


def listens(port):
    """Without connecting, which would be the one connection that is taken."""
    with open('/proc/net/tcp', encoding='ascii') as file:
        return any(f':{port:04X} 00000000:0000 0A' in line for line in file)


class RsyncDaemon(System):
    """A daemon at the targets' side, pushed to by as many clients as there are targets."""
    needs = ('rsync',)

    def __init__(self, name, options, keeps_old=False, in_place=False, again=False, bar=True):
        self.name, self.options, self.bar = name, options, bar
        self.keeps_old, self.in_place, self.again = keeps_old, in_place, again
        self.daemon = None

    def open(self, work):
        self.port = free_port()
        config = os.path.join(work, self.name.replace(' ', '_').replace('/', '_') + '.conf')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(f'use chroot = no\nmunge symlinks = no\nuid = {os.getuid()}\n'
                       f'gid = {os.getgid()}\n[all]\npath = {work}\nread only = no\n')
        self.work = work
        self.daemon = subprocess.Popen(
            ['rsync', '--daemon', '--no-detach', f'--config={config}', f'--port={self.port}',
             '--address=127.0.0.1', '--log-file=/dev/null'], **QUIET)
        wait_listens(self.port, self.daemon)

    def close(self):
        if self.daemon:
            end(self.daemon)

    def daemons(self):
        return [self.daemon.pid]

    def push(self, source, targets, options):
        together([['rsync', *options, source + '/',
                   f'rsync://127.0.0.1:{self.port}/all/{os.path.relpath(target, self.work)}/']
                  for target in targets])

    def prepare(self, run):
        if self.again:
            self.push(run.source, run.targets, ['-aW'])
        elif run.old is not None:
            ending = '' if self.in_place else '.old'
            in_turns([['cp', '-a', run.old, target + ending] for target in run.targets], 2)

    def go(self, run):
        if not self.keeps_old:
            self.push(run.source, run.targets, self.options)
            return
        # The other version beside it is named relative to the directory that is written.
        together([['rsync', *self.options, f'--link-dest=../{os.path.basename(target)}.old',
                   run.source + '/', f'rsync://127.0.0.1:{self.port}/all/'
                   f'{os.path.relpath(target, self.work)}/'] for target in run.targets])


class RsyncSsh(System):
    """rsync through an sshd of our own, with the cipher that both choose by themselves."""
    name = 'rsync over ssh'
    needs = ('rsync', 'ssh', 'ssh-keygen', '/usr/sbin/sshd')

    def open(self, work):
        self.dir = os.path.join(work, 'ssh')
        os.mkdir(self.dir, 0o700)
        os.makedirs('/run/sshd', exist_ok=True)
        for name in ('host', 'client'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f',
                            os.path.join(self.dir, name)], check=True)
        self.port = free_port()
        config = os.path.join(self.dir, 'sshd_config')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(f'Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.dir}/host\n'
                       f'AuthorizedKeysFile {self.dir}/client.pub\nPidFile none\nUsePAM no\n'
                       'StrictModes no\nPermitRootLogin yes\nMaxStartups 100\n')
        self.daemon = subprocess.Popen(['/usr/sbin/sshd', '-D', '-f', config], **QUIET)
        wait_listens(self.port, self.daemon)
        self.shell = (f'ssh -p {self.port} -i {self.dir}/client -o BatchMode=yes '
                      '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null '
                      '-o LogLevel=ERROR')

    def cipher(self):
        done = subprocess.run([*shlex.split(self.shell.replace('LogLevel=ERROR', 'LogLevel=DEBUG')),
                               '127.0.0.1', 'true'], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        lines = [line for line in done.stderr.splitlines() if 'cipher:' in line]
        return lines[0].split('cipher: ')[1].split()[0] if lines else 'unknown'

    def close(self):
        end(self.daemon)

    def daemons(self):
        return [self.daemon.pid]

    def go(self, run):
        together([['rsync', '-aW', '-e', self.shell, run.source + '/', f'127.0.0.1:{target}/']
                  for target in run.targets])


class Program(System):
    """A program of tools/distribute.d: a floor, or what the bare transport does."""

    def __init__(self, name, path, words=(), bar=False):
        self.name, self.path, self.words, self.bar = name, path, words, bar

    def missing(self):
        return [] if os.path.exists(self.path) else [self.path]

    def go(self, run):
        together([[self.path, *self.words, run.source, *run.targets]])


class Curve(Program):
    """ZeroMQ's CURVE moving as many bytes to as many receivers, which throw them away."""

    def go(self, run):
        together([[self.path, str(run.bytes), str(len(run.targets))]])

    def trees(self, run):
        return []


class Sums(System):
    """sha256sum -c of one point."""
    name = 'sha256sum -c'
    needs = ('sha256sum', 'cp')

    def prepare(self, run):
        subprocess.run(['cp', '-a', run.source, run.targets[0]], check=True)
        self.list = run.work + '/sums'
        names = [os.path.join(at, name) for at, _, names in os.walk(run.targets[0])
                 for name in names if not os.path.islink(os.path.join(at, name))]
        with open(self.list, 'wb') as file:
            subprocess.run(['xargs', '-0', 'sha256sum'], input='\0'.join(names).encode(),
                           stdout=file, check=True)
        subprocess.run(['sync', '-f', run.work], check=True)

    def go(self, run):
        together([['sha256sum', '--quiet', '-c', self.list]])


class Redis(System):
    """A stream that is durable at each answer: as many entries as the others have commands, as
    many of them in flight: of one client that sends them together, or of a client each."""
    needs = ('redis-server', 'redis-benchmark')

    def __init__(self, name, clients):
        self.name, self.clients = name, clients

    def prepare(self, run):
        self.port = free_port()
        self.server = subprocess.Popen(
            ['redis-server', '--port', str(self.port), '--bind', '127.0.0.1', '--save', '',
             '--appendonly', 'yes', '--appendfsync', 'always', '--dir', run.work], **QUIET)
        wait_listens(self.port, self.server)

    def daemons(self):
        return [self.server.pid]

    def go(self, run):
        together([['redis-benchmark', '-q', '-p', str(self.port), '-n', str(COMMANDS),
                   '-c', str(self.clients), '-P', str(FLIGHT // self.clients),
                   'XADD', 'stream', '*', 'package', 'P', 'point', 'p']])

    def clean(self, run):
        end(self.server)

    def trees(self, run):
        return []
