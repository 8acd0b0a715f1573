"""What the scenarios share: a real despoold in a directory of its own, a client, claims in TAP.

A Site starts the host that $DESPOOLD names, speaks to it as proto/PROTOCOL.md says, and waits for
what the stream tells, never for time to pass: every wait has an end, and looks again when a status
message came. It ends only the processes that it started. A scenario is a file of functions marked
@claim, each with a sentence for a name; run() prints them as TAP.
"""
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

import msgpack
import zmq

import treecheck

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DESPOOLD = os.environ.get('DESPOOLD', os.path.join(TOP, 'build', 'tools', 'despoold'))
DESPOOL = os.environ.get('DESPOOL', os.path.join(TOP, 'build', 'tools', 'despool'))
BAD_DISK = os.environ.get('BAD_DISK', '')
MOVED_CLOCK = os.environ.get('MOVED_CLOCK', '')
PLACEMENT = os.environ.get('DESPOOL_PLACEMENT', '')  # of a site: component, pool; an agent has none
SLOW = float(os.environ.get('DESPOOL_SLOWER', '1'))  # how much slower a sanitized host may be
ROOT = os.geteuid() == 0
NOBODY = 65534
USER = None  # whose the hosts and trees of this claim are; None: those of who runs it


def crashing_env():
    """For a host that is to crash: its sanitizer says so on its log, not among the reports."""
    return {name: os.environ.get(name, '') + ':log_path=stderr'
            for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS')}


class Refused(Exception):
    """The site answered a command with an error."""

    def __init__(self, cmd, error):
        super().__init__(f'{cmd}: {error}')
        self.code = error.get('code')
        self.error = error


class Late(AssertionError):
    """What was waited for did not come in time."""


class Site:
    """A host, its data directory, distribution points and sources, all below one directory."""

    def __init__(self, user=None, env=None, despoold=None):
        self.dir = tempfile.mkdtemp(prefix='ds-')
        self.user = USER if user is None else user
        self.data = os.path.join(self.dir, 'site')
        self.log = os.path.join(self.dir, 'host.log')
        self.env = dict(env or {})
        self.despoold = despoold or DESPOOLD
        self.options = []
        self.process = None
        self.context = zmq.Context()
        self.commands = None
        self.stream = None
        self.heard = []  # stream messages in the order in which they came
        self.mounts = []
        os.chmod(self.dir, 0o755)
        os.mkdir(self.data, 0o700)
        if self.user is not None:
            self.despoold = shutil.copy(self.despoold, self.dir)
            os.chmod(self.despoold, 0o755)
            self.give(self.data)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.show_log()
        self.close()

    def give(self, path):
        """Makes path the host's own."""
        if self.user is not None:
            os.chown(path, self.user, self.user)
        return path

    # ---- the host ----

    def start(self, ready=True, env=None, seconds=30):
        assert self.process is None or self.process.poll() is not None, 'it runs already'
        environment = {**os.environ, **self.env, **(env or {})}
        extra = {}
        if self.user is not None:
            extra = {'user': self.user, 'group': self.user, 'extra_groups': []}
        with open(self.log, 'ab') as log:
            placement = ['--placement', PLACEMENT] if PLACEMENT else []
            self.process = subprocess.Popen([self.despoold, '--data', self.data, *self.options,
                                             *placement],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, **extra)
        self.connect()
        if ready:
            self.wait_ready(seconds)
        return self

    def tune(self, **values):
        """Values of the configuration's section tuning, from the next start on."""
        config = self.path('despool.cfg')
        lines = [f'    {name.replace("_", "-")} = {value}\n' for name, value in values.items()]
        write(config, ''.join(['tuning\n', *lines]).encode())
        self.options = ['--config', config]

    def connect(self):
        self.disconnect()
        self.commands = self.context.socket(zmq.DEALER)
        self.stream = self.context.socket(zmq.SUB)
        for socket, name in ((self.commands, 'command.ipc'), (self.stream, 'status.ipc')):
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RECONNECT_IVL, 10)
            socket.setsockopt(zmq.RECONNECT_IVL_MAX, 100)
            socket.setsockopt(zmq.RCVHWM, 0)
        self.stream.setsockopt(zmq.SUBSCRIBE, b'')
        self.commands.connect(self.endpoint('command.ipc'))
        self.stream.connect(self.endpoint('status.ipc'))

    def endpoint(self, name):
        return 'ipc://' + os.path.join(self.data, name)

    def disconnect(self):
        for socket in (self.commands, self.stream):
            if socket is not None:
                socket.close(0)
        self.commands = self.stream = None

    def wait_ready(self, seconds=30):
        def ready():
            try:
                return self.ask('ping', seconds=seconds)['ready']
            except Refused as refusal:
                if refusal.code in ('starting', 'down', 'restarting'):
                    return False
                raise
        self.wait_for('the host to be ready', ready, seconds)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """SIGKILL, and waits until the process is gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def wait_gone(self, seconds=10):
        return self.process.wait(seconds * SLOW)

    def stop(self, seconds=10):
        """SIGTERM: it must end well, in time."""
        self.process.send_signal(signal.SIGTERM)
        code = self.wait_gone(seconds)
        assert code == 0, f'the host ended with {code}, expected 0'

    def close(self):
        self.disconnect()
        if self.alive():
            self.kill()
        self.context.destroy(0)
        for mount in reversed(self.mounts):
            subprocess.run(['umount', '-l', mount], check=False, stderr=subprocess.DEVNULL)
        remove_tree(self.dir)

    def show_log(self):
        with contextlib.suppress(OSError), \
                open(self.log, encoding='utf-8', errors='replace') as log:
            for line in log.read().splitlines()[-40:]:
                print('#   host: ' + line)
        for event in self.heard[-15:]:
            print(f"#   stream: {event.get('seq')} {event.get('id')} {event.get('package')}"
                  f" {event.get('dp')} {event.get('text')}")

    # ---- commands ----

    def send(self, cmd, args=None, **envelope):
        """Sends one command; returns its id."""
        request = {'v': 1, 'id': uuid.uuid4().hex, 'cmd': cmd, 'args': args or {}, **envelope}
        self.commands.send(msgpack.packb(request, use_bin_type=True))
        return request['id']

    def receive(self, seconds=30):
        """The next reply, or None when the host is gone; Late when none comes."""
        end = time.monotonic() + seconds * SLOW
        while True:
            # Asked before it is looked: what came just before its end, or ours, is still heard.
            gone, late = not self.alive(), time.monotonic() > end
            if self.commands.poll(100):
                frames = self.commands.recv_multipart()
                return msgpack.unpackb(frames[-1], raw=False, strict_map_key=False)
            if gone:
                raise Late('the host ended before it answered')
            if late:
                raise Late(f'no answer in {seconds} s')

    def ask(self, cmd, args=None, seconds=60, **envelope):
        """Does one command and returns its result; Refused when the site says no."""
        ident = self.send(cmd, args, **envelope)
        while True:
            reply = self.receive(seconds)
            if reply.get('id') == ident:
                if not reply['ok']:
                    raise Refused(cmd, reply['error'])
                return reply['result']

    def do(self, cmd, args=None, seconds=60, **envelope):
        """A command with a key, as the command line sends it."""
        return self.ask(cmd, args, seconds, key=uuid.uuid4().hex, **envelope)

    def refused(self, cmd, args=None, code=None, **envelope):
        """The command must be refused, with that code; returns the error."""
        try:
            result = self.ask(cmd, args, **envelope)
        except Refused as refusal:
            error = refusal.error
            assert error.get('code') and error.get('message'), f'{cmd}: without words: {error}'
            codes = code if isinstance(code, tuple) else (code,)
            assert code is None or error['code'] in codes, f'{cmd}: got {error}, expected {code}'
            return error
        raise AssertionError(f'{cmd} {args}: accepted ({result}), expected to be refused')

    # ---- what is there ----

    def status(self, package):
        return self.ask('status', {'id': package})

    def target(self, package, point):
        rows = [t for t in self.status(package)['targets'] if t['dp'] == point]
        assert len(rows) == 1, f'{len(rows)} rows for {package} on {point}, expected 1'
        return rows[0]

    def states(self, package):
        """{point: state}"""
        return {t['dp']: t['state'] for t in self.status(package)['targets']}

    def history(self, since=0):
        """Every stream message after `since`, as status.since tells them."""
        found = []
        while True:
            answer = self.ask('status.since', {'since': since})
            found += answer['events']
            if not answer['events']:
                return found
            since = answer['events'][-1]['seq']

    def listen(self, milliseconds):
        """Takes what the stream has; waits at most that long for the first message."""
        came = False
        while self.stream is not None and self.stream.poll(0 if came else milliseconds):
            frames = self.stream.recv_multipart()
            message = msgpack.unpackb(frames[-1], raw=False, strict_map_key=False)
            if isinstance(message, dict) and 'seq' in message:
                self.heard.append(message)
            came = True
        return came

    def wait_for(self, what, predicate, seconds=30):
        """Until predicate is true; looks again whenever the stream says something, and once more
        after its time: who waits may have been kept from looking."""
        end = time.monotonic() + seconds * SLOW
        while True:
            late = time.monotonic() > end
            value = predicate()
            if value:
                return value
            if self.process is not None and not self.alive():
                raise Late(f'the host ended ({self.process.returncode}) while waiting for {what}')
            if late:
                raise Late(f'after {seconds} s still waiting for {what}')
            self.listen(100)

    def wait_states(self, package, expected, seconds=60):
        """Until the targets of package are in these states; a value may be a tuple of states."""
        def there():
            now = self.states(package)
            return all(now.get(point) in (want if isinstance(want, tuple) else (want,))
                       for point, want in expected.items())
        try:
            self.wait_for(f'{package} to be {expected}', there, seconds)
        except Late as late:
            raise Late(f'{late}; it is {self.states(package)}') from None

    def wait_package(self, package, state, seconds=60):
        self.wait_for(f'{package} to be {state}',
                      lambda: self.status(package)['state'] == state, seconds)

    # ---- points and sources ----

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def add_point(self, name, root=None):
        root = root or self.path('points', name)
        if not os.path.isdir(root):
            os.makedirs(root)
            self.give(root)
        self.do('dp.add', {'name': name, 'root': root})
        return root

    def unplug(self, name):
        os.rename(self.path('points', name), self.path('points', name + '.unplugged'))

    def plug(self, name):
        os.rename(self.path('points', name + '.unplugged'), self.path('points', name))

    def tmpfs(self, *names, size='8m', inodes=None):
        """Mounts a small file system there (root only)."""
        where = self.path(*names)
        os.makedirs(where, exist_ok=True)
        options = f'size={size}' + (f',nr_inodes={inodes}' if inodes else '')
        subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'none', where], check=True)
        self.mounts.append(where)
        return self.give(where)

    def bind(self, what, *names):
        """Shows a directory there as well (root only)."""
        where = self.path(*names)
        os.makedirs(where, exist_ok=True)
        subprocess.run(['mount', '--bind', what, where], check=True)
        self.mounts.append(where)
        return where

    def folding(self, *names):
        """A directory whose names differ in more than their case, on an ext4 of its own (root
        only)."""
        needs_root()
        image, where = self.path(*names) + '.img', self.path(*names) + '.mount'
        os.makedirs(where)
        with open(image, 'wb') as file:
            file.truncate(64 << 20)
        root = os.path.join(where, 'root')
        for command in (['mkfs.ext4', '-q', '-O', 'casefold', '-E', 'encoding=utf8', image],
                        ['mount', '-o', 'loop', image, where],
                        ['mkdir', root], ['chattr', '+F', root]):
            try:
                done = subprocess.run(command, check=False, capture_output=True)
            except OSError as error:
                raise Skip(f'no ext4 that folds case here: {error}') from error
            if done.returncode != 0:
                raise Skip(f'no ext4 that folds case here: {command[0]} says no')
            if command[0] == 'mount':
                self.mounts.append(where)
        return self.give(root)

    def content(self, point, package):
        return self.path('points', point, package, 'current')

    def holds(self, point, package, source, mtime=True):
        """The point holds exactly the tree of source, says the independent checker."""
        found = treecheck.differences(source, self.content(point, package), mtime)
        assert not found, f'{point} differs from {source}: ' + '; '.join(found[:10])

    # ---- measures ----

    def threads(self):
        return len(os.listdir(f'/proc/{self.process.pid}/task'))

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def resident_kib(self):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('VmRSS:'))


def set_rule(site, line):
    """The disk fails as the line says, from now on; see bad_disk.c."""
    with open(site.path('rule.new'), 'w', encoding='utf-8') as file:
        file.write(line)
    os.rename(site.path('rule.new'), site.path('rule'))


def bad_disk_site(env=None):
    """A site whose disk does as set_rule says."""
    if not os.path.exists(BAD_DISK):
        raise Skip('there is no bad_disk library')
    site = Site(env=env)
    library = shutil.copy(BAD_DISK, site.dir)
    os.chmod(library, 0o755)
    site.env.update(LD_PRELOAD=library, BAD_DISK_RULE=site.path('rule'))
    return site


def despool(site, *words, seconds=60, json=False):
    """Runs the command line; returns its completed process with text output."""
    command = [DESPOOL, '--data', site.data] + (['--json'] if json else []) + list(words)
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors='surrogateescape', timeout=seconds * SLOW, check=False)


def remove_tree(path):
    """Removes a tree whatever its modes are."""
    for where, directories, _ in os.walk(path):
        for name in directories:
            below = os.path.join(where, name)
            if not os.path.islink(below):
                with contextlib.suppress(OSError):
                    os.chmod(below, 0o700)
    shutil.rmtree(path, ignore_errors=True)


def own(path):
    """Makes path the user's as whom the claim is tried."""
    if USER is not None:
        os.chown(path, USER, USER, follow_symlinks=False)
    return path


def own_tree(path):
    """Makes a tree the user's as whom the claim is tried."""
    for where, directories, files in os.walk(own(path)):
        for name in directories + files:
            own(os.path.join(where, name))
    return path


def make_directories(path):
    """As os.makedirs, with what is made the user's own."""
    if not os.path.isdir(path):
        make_directories(os.path.dirname(path))
        os.mkdir(path)
        own(path)


def write(path, data, mode=0o644, mtime=None):
    make_directories(os.path.dirname(path))
    with open(path, 'wb') as file:
        file.write(data)
    own(path)
    os.chmod(path, mode)
    if mtime is not None:
        os.utime(path, ns=(mtime, mtime))


def make_tree(path, seed=1, files=20, size=4096):
    """A tree of that many files in some directories, with a link, from a seed."""
    chance = random.Random(seed)
    make_directories(path)
    os.chmod(path, 0o755)
    for number in range(files):
        below = os.path.join(path, f'd{number % 5}', f'e{number % 3}')
        write(os.path.join(below, f'file-{number}'), chance.randbytes(chance.randint(0, 2 * size)),
              chance.choice((0o644, 0o600, 0o755, 0o444)))
    with contextlib.suppress(FileExistsError):
        os.symlink('d0/e0/file-0', os.path.join(path, 'link'))
        own(os.path.join(path, 'link'))
    return path


def odd_tree(path):
    """Names, modes and depths that went wrong somewhere before."""
    make_tree(path, seed=7, files=4)
    raw = os.fsencode(path)
    write(os.path.join(path, 'n' * 255), b'a name of 255 bytes')
    write(os.path.join(raw, b'not-utf8-\xff\xfe'), b'odd bytes')
    write(os.path.join(raw, bytes(b for b in range(1, 256) if b != 0x2f)), b'every byte but two')
    write(os.path.join(path, "it's; drop table targets; -- \"%n%s\" $(touch x)"), b'quotes')
    write(os.path.join(path, '-rf'), b'')
    write(os.path.join(path, ' '), b'blank')
    write(os.path.join(path, 'line\nbreak'), b'')
    deep = path
    for _ in range(60):
        deep = os.path.join(deep, 'deep' * 15)
        if len(deep) > 3500:
            break
    os.makedirs(deep)
    write(os.path.join(path, 'empty-file'), b'')
    os.makedirs(os.path.join(path, 'empty-directory'))
    for mode in (0o444, 0o555, 0o640, 0o700, 0o777):
        write(os.path.join(path, f'mode-{mode:o}'), b'%o' % mode, mode)
    os.symlink('../../outside', os.path.join(path, 'link-that-leads-out'))
    os.symlink('nowhere', os.path.join(path, 'link-to-nothing'))
    os.symlink('/etc/passwd', os.path.join(path, 'link-absolute'))
    write(os.path.join(path, 'closed-directory', 'inside'), b'x')
    os.chmod(os.path.join(path, 'closed-directory'), 0o555)
    os.utime(os.path.join(path, 'empty-file'), ns=(1, 4102444800123456789))
    return path


# ---- claims -------------------------------------------------------------------------------------

CLAIMS = []


class Skip(Exception):
    """The claim cannot be tried here; the reason is told."""


def without_privileges(function):
    """The same claim, with hosts and trees that are an unprivileged user's."""
    def as_nobody():
        global USER  # pylint: disable=global-statement
        USER = NOBODY
        try:
            function()
        finally:
            USER = None
    as_nobody.__name__ = function.__name__ + '_without_privileges'
    return as_nobody


def claim(seconds=120, both=False):
    """Marks a claim that ends within that time; both: as root and as an unprivileged user."""
    def mark(function):
        CLAIMS.append((function, seconds))
        if both and ROOT:
            CLAIMS.append((without_privileges(function), seconds))
        return function
    return mark


def needs_root():
    if not ROOT:
        raise Skip('needs root')


def needs_mount_list():
    """Below a root that is no mount (a chroot) nobody can tell what lies where."""
    with open('/proc/self/mountinfo', encoding='utf-8') as mounts:
        if not any(line.split()[4] == '/' for line in mounts):
            raise Skip('needs a root that is in the list of mounts')


def out_of_time(_number, _frame):
    raise Late('the claim took longer than it may')


def try_claim(function, seconds):
    """ok, skip or not ok, and lines that say why."""
    signal.signal(signal.SIGALRM, out_of_time)
    signal.setitimer(signal.ITIMER_REAL, seconds * SLOW)
    try:
        function()
        return 'ok', []
    except Skip as skip:
        return 'skip', [str(skip)]
    except Exception:  # pylint: disable=broad-except
        return 'not ok', traceback.format_exc().splitlines()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def run():
    """Runs the claims as TAP; those that have $DESPOOL_CLAIM in their name where it is set."""
    wanted = os.environ.get('DESPOOL_CLAIM', '')
    chosen = [c for c in CLAIMS if wanted in c[0].__name__]
    print(f'1..{len(chosen)}' + ('' if chosen else ' # SKIP no claim of that name'), flush=True)
    failed = 0
    for number, (function, seconds) in enumerate(chosen, 1):
        started = time.monotonic()
        verdict, why = try_claim(function, seconds)
        took = time.monotonic() - started
        if verdict == 'skip':
            print(f'ok {number} - {function.__name__} # SKIP {why[0]}', flush=True)
            continue
        failed += verdict != 'ok'
        for line in why:
            print('#   ' + line)
        print(f'{verdict} {number} - {function.__name__} ({took:.2f}s)', flush=True)
    sys.exit(1 if failed else 0)
