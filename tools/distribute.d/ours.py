"""despool as tools/bench-distribute runs it: a site, its agents, and the command line."""
import json
import os
import re
import subprocess
import time

from peers import FLIGHT, PACKAGES, POINTS, Failed, System, end, free_port, together

ID = 'BENCH'
WAIT = 600      # seconds for a distribution
PATIENCE = 30   # seconds for a host to answer


class Site:
    """A host of a data directory of its own, and the agents that have joined it."""

    def __init__(self, build, directory, plain=False):
        self.build, self.dir, self.plain = build, directory, plain
        self.agents = {}
        os.makedirs(directory, mode=0o700)
        self.address = f'tcp://127.0.0.1:{free_port()}'
        clear = ['--listen-plain', f'tcp://127.0.0.1:{free_port()}'] if plain else []
        self.host = self.start('--data', self.path('site'), '--listen', self.address, *clear)
        until = time.monotonic() + PATIENCE
        while not self.is_ready():
            if time.monotonic() > until or self.host.poll() is not None:
                raise Failed('despoold does not become ready')
            time.sleep(0.02)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def start(self, *words):
        with open(self.path('log'), 'ab') as log:
            return subprocess.Popen([os.path.join(self.build, 'tools/despoold'), *words],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_ready(self):
        """A host answers a ping before its site is open, and says so."""
        done = self.run('ping', check=False)
        return done.returncode == 0 and json.loads(done.stdout)['ready']

    def run(self, *words, check=True):
        done = subprocess.run([os.path.join(self.build, 'tools/despool'), '--data',
                               self.path('site'), '--json', *words], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False)
        if check and done.returncode:
            raise Failed(f'despool {words[0]} {words[1]}: {done.stdout.strip()[-200:]} '
                         f'{done.stderr.strip()[-200:]}')
        return done

    def join(self, names):
        for name in names:
            token = json.loads(self.run('dp', 'add', name, '--agent').stdout)['token']
            os.mkdir(self.path(name))
            self.agents[name] = self.start('join', token, '--data', self.path(name + '.data'),
                                           '--root', self.path(name))
        until = time.monotonic() + PATIENCE
        while not all(self.is_here(name) for name in names):
            if time.monotonic() > until:
                raise Failed('an agent does not come')
            time.sleep(0.05)
        if self.plain:
            self.go_plain(names)

    def go_plain(self, names):
        """Sets the points to it, and waits until each agent has its second connection."""
        for name in names:
            self.run('dp', 'set', name, '--bulk', 'plain')
        until = time.monotonic() + PATIENCE
        while self.connected() < len(names):
            if time.monotonic() > until:
                raise Failed('an agent has no plain connection')
            time.sleep(0.05)

    def connected(self):
        shown = json.loads(self.run('component', 'show', 'agent_gateway').stdout)
        return int(re.search(r'paired: (\d+)', shown['component']['describes']).group(1))

    def is_here(self, name):
        shown = json.loads(self.run('dp', 'show', name).stdout)['dp']
        return shown['state'] == 'active' and shown['incarnation'] is not None

    def add_directories(self, names):
        for name in names:
            os.mkdir(self.path(name))
            self.run('dp', 'add', name, self.path(name))

    def distribute(self, names):
        self.run('distribute', ID, '--to', ','.join(names), f'--wait={WAIT}')

    def leave(self, names):
        for name in names:
            if name in self.agents:
                end(self.agents.pop(name))
            self.run('dp', 'remove', name, '--forget')

    def pids(self):
        return [self.host.pid, *(agent.pid for agent in self.agents.values())]

    def close(self):
        for process in (*self.agents.values(), self.host):
            end(process)
        self.agents = {}

    def tree(self, name):
        return os.path.realpath(self.path(name, ID, 'current'))


class Ours(System):
    """Ours in general: which steps are before the clock is what the kinds differ in."""
    bar = False

    def __init__(self, build, name='despool', agents=False, plain=False):
        self.build, self.name, self.agents, self.plain = build, name, agents, plain
        self.site, self.names = None, []

    def daemons(self):
        return self.site.pids() if self.site else []

    def peaks(self, meter):
        """Bytes that the host and the largest of the agents had at most."""
        if not self.site:
            return {}
        host, *agents = (meter.peaks.get(pid, 0) for pid in self.site.pids())
        return {'rss site': host, **({'rss agent': max(agents)} if agents else {})}

    def points(self, run):
        self.names = [f'p{run.number}-{i}' for i in range(len(run.targets))]
        (self.site.join if self.agents else self.site.add_directories)(self.names)

    def trees(self, run):
        return [self.site.tree(name) for name in self.names]

    def fresh(self, run):
        self.site = Site(self.build, run.work + '/site')

    def close(self):
        if self.site:
            self.site.close()
            self.site = None


class Cold(Ours):
    """The store is warm, the targets are empty."""

    def prepare(self, run):
        if self.site is None:
            self.site = Site(self.build, run.base + '/' + re.sub('[ ,]+', '-', self.name) + '-site',
                             self.plain)
            self.site.run('package', 'add', ID, run.source)
        self.points(run)

    def go(self, run):
        self.site.distribute(self.names)

    def clean(self, run):
        self.site.leave(self.names)

    def spent(self, run):
        return [run.work, *(self.site.path(name + end) for name in self.names
                            for end in ('', '.data'))]


class EndToEnd(Ours):
    """The package is stored within the time, too."""

    def prepare(self, run):
        self.fresh(run)
        self.points(run)

    def go(self, run):
        self.site.run('package', 'add', ID, run.source)
        self.site.distribute(self.names)

    def clean(self, run):
        self.close()


class Ingest(EndToEnd):
    """package add into an empty store."""

    def prepare(self, run):
        self.fresh(run)

    def go(self, run):
        self.site.run('package', 'add', ID, run.source)

    def trees(self, run):
        return []


class Update(Ours):
    """The points hold the old version and get the new one; storing it is timed only when said."""

    def __init__(self, build, name, storing):
        super().__init__(build, name, agents=True)
        self.storing = storing

    def store(self, run):
        self.site.run('package', 'set', ID, '--source', run.source)
        self.site.run('package', 'update', ID)

    def prepare(self, run):
        self.fresh(run)
        self.points(run)
        self.site.run('package', 'add', ID, run.old)
        self.site.distribute(self.names)
        if not self.storing:
            for name in self.names:
                self.site.run('dp', 'pause', name)
            self.store(run)

    def go(self, run):
        if self.storing:
            self.store(run)
        else:
            for name in self.names:
                self.site.run('dp', 'resume', name)
        self.site.distribute(self.names)

    def clean(self, run):
        self.close()


class Unchanged(Cold):
    """Said once more where all is there."""

    def prepare(self, run):
        super().prepare(run)
        self.site.distribute(self.names)


class Verify(Unchanged):
    """Every byte of one point is read again."""

    def go(self, run):
        self.site.run('verify', ID, '--dp', self.names[0])


class Commands(Ours):
    """Each command makes a target and its event. The points are paused: nothing is placed."""

    def __init__(self, build, client):
        super().__init__(build)
        self.client = client

    def prepare(self, run):
        self.fresh(run)
        source = os.path.join(run.work, 'source')
        os.mkdir(source)
        with open(os.path.join(source, 'file'), 'w', encoding='utf-8') as file:
            file.write('small\n')
        self.site.add_directories(f'p{i}' for i in range(POINTS))
        for i in range(POINTS):
            self.site.run('dp', 'pause', f'p{i}')
        for i in range(PACKAGES):
            self.site.run('package', 'add', f'P{i}', source)

    def go(self, run):
        together([[self.client, f'ipc://{self.site.path("site")}/command.ipc', str(PACKAGES),
                   str(POINTS), str(FLIGHT)]])

    def clean(self, run):
        self.close()
