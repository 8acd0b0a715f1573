#!/usr/bin/python3
"""kill -9 of the real host during real distributions; an independent judge looks after each.

Kills come at random times, at drawn ordinals of the host's disk operations ($DESPOOL_KILL_AT) and
at named points of its work ($DESPOOL_KILL_POINT). After each kill, before the host runs again, the
judge looks at the disk: nothing under any `current` may be anything but one whole version that was
distributed, and none older than before; the database must be sound, and every object that a
version in it needs must be in the store with its digest. Then the host runs again (some runs are
killed once more while they recover) and must finish unaided what was accepted, without a second
copy of a version that has its receipt.

usage: kill.py [--kills N] [--seed S]

tools/check makes 200 kills; more with --kills 2000, alone, in a tree built with
-Dfault_points=true ($DESPOOLD names its tools/despoold; a kill takes half a second). Each failure
tells its seed. kill_commands.py kills hosts that do other commands.
"""
import collections
import os
import random
import shutil
import time
import uuid

import msgpack

import killed
import treecheck
from harness import Site, claim, make_tree, run, write
from killed import fell, until_killed

OPTIONS = killed.options(__doc__, 200).parse_args()
SEED, KILLS = OPTIONS.seed, OPTIONS.kills
POINTS = ('a', 'b')
NAMED = ('place.staged', 'place.renamed', 'place.switched', 'place.receipted', 'store.committed')
PLACES = ('installing', 'between rename and receipt', 'between receipt and commit', 'mid-commit')
ALL = collections.Counter()   # of places, over all claims
WAYS = collections.Counter()  # of kills


class Run:
    """One site that is killed again and again, and what it has accepted."""

    def __init__(self, site, chance):
        self.site, self.chance = site, chance
        self.versions = {}   # epoch -> a copy of the source as it was
        self.epoch = 0
        self.maybe = None    # a copy of what an update that was cut off may have stored
        self.names = {None}  # that the package may have: of the last answer, of what was cut off
        self.seen = dict.fromkeys(POINTS, 0)  # the epoch that was last under `current`
        self.round = 0.0     # seconds that the work takes when nothing kills the host
        self.histogram = collections.Counter()  # of places; a kill may be in several
        self.ways = collections.Counter()
        self.number = 0
        self.store = killed.Store(site.data)

    def prepare(self):
        self.source = make_tree(self.site.path('source'), files=30)
        self.site.start()
        for point in POINTS:
            self.site.add_point(point)
        added = self.site.do('package.add', {'id': 'P', 'source': self.source})
        self.keep(added['version']['epoch'])
        self.site.do('distribute', {'id': 'P', 'to': list(POINTS)})
        self.site.wait_package('P', 'complete')
        self.change_source()
        started = time.monotonic()
        self.work()
        self.round = time.monotonic() - started
        self.site.stop()

    def keep(self, epoch):
        self.epoch = epoch
        self.versions[epoch] = self.copy()

    def copy(self):
        return shutil.copytree(self.source, self.site.path(f'version-{uuid.uuid4().hex}'),
                               symlinks=True)

    def change_source(self):
        self.number += 1
        for _ in range(10):
            name = f'file-{self.chance.randrange(6)}'
            write(os.path.join(self.source, f'd{self.chance.randrange(5)}', name),
                  self.chance.randbytes(self.chance.randrange(20000)))
        write(os.path.join(self.source, 'number'), b'%d' % self.number)

    def name_it(self):
        """A command that is one transaction: answered, it is in effect."""
        name = f'name {self.number}'
        self.names.add(name)
        self.site.do('package.set', {'id': 'P', 'name': name}, seconds=20)
        self.names = {name}

    def work(self):
        """Stores and distributes a new version; ends when the host was killed or all is done."""
        with until_killed(self.site):
            self.name_it()
            self.maybe = self.copy()
            done = self.site.do('package.update', {'id': 'P'}, seconds=20)
            self.stored(done['version']['epoch'])
            self.site.wait_package('P', 'complete', 20)

    def stored(self, epoch):
        self.epoch, self.versions[epoch], self.maybe = epoch, self.maybe, None

    # ---- after a kill ----

    def note(self, how):
        """Counts where the kill struck."""
        roots = {point: self.site.path('points', point) for point in POINTS}
        places = killed.where(self.site.data, self.site.path('look'), roots, 'P')
        if places == {'installed'} and self.maybe:
            places = {'storing the version'}
        self.histogram.update(places)
        self.ways[how] += 1

    def judge(self):
        """Every `current` leads to one whole version that was stored, none older than before."""
        with killed.database(self.site.data, self.site.path('look')) as connection:
            faults = (killed.database_faults(connection) + self.store.faults()
                      + self.store.needed(connection)[1])
        assert not faults, f'the site is not sound: {faults[:5]}'
        candidates = {**self.versions, **({self.epoch + 1: self.maybe} if self.maybe else {})}
        for point in POINTS:
            current = self.site.content(point, 'P')
            assert os.path.islink(current), f'{point} has no current'
            whole = [epoch for epoch, tree in candidates.items()
                     if not treecheck.differences(tree, current, True)]
            assert whole, (f'{point}: current is no version that was stored: '
                           f'{treecheck.differences(candidates[max(candidates)], current)[:5]}')
            assert whole[0] >= self.seen[point], \
                f'{point} went back from {self.seen[point]} to {whole[0]}'
            self.seen[point] = whole[0]

    def promised(self):
        """{point: (epoch of its receipt, the inode of a file of the version under current)}"""
        return {point: (killed.receipt_epoch(self.site.path('points', point), 'P'),
                        os.stat(os.path.join(self.site.content(point, 'P'), 'number')).st_ino)
                for point in POINTS}

    def recover(self):
        """The host runs again and finishes, unaided."""
        before = self.promised()
        self.site.start()
        status = self.site.status('P')
        assert status['name'] in self.names, f"named {status['name']}, expected {self.names}"
        self.names = {status['name']}
        version = status['version']
        assert version['epoch'] >= self.epoch, \
            f"epoch {version['epoch']} after the restart, {self.epoch} was accepted"
        if version['epoch'] > self.epoch:
            assert self.maybe, 'a version that nobody asked for'
            self.stored(version['epoch'])
        self.site.wait_package('P', 'complete', 60)
        for point in POINTS:
            self.site.holds(point, 'P', self.versions[self.epoch])
            if before[point][0] == self.epoch:
                assert self.promised()[point] == before[point], f'{point}: copied a second time'
        self.maybe = None
        for epoch in [e for e in self.versions if e < self.epoch - 3]:
            shutil.rmtree(self.versions.pop(epoch), ignore_errors=True)


def one_kill(run_, how, environment, delay=None, again=None):
    """Starts the host so that it kills itself (or is killed after a delay) while it works."""
    site = run_.site
    run_.change_source()
    with until_killed(site):
        site.start(env=environment, seconds=20)
        if delay is None:
            run_.work()
        else:
            work_until(run_, delay)
    struck = fell(site, f'{how} {environment}')
    if not struck:
        site.kill()
    run_.note(how if struck else f'{how}, not met: killed after the work')
    run_.judge()
    if again:
        kill_again(run_, again)
    run_.recover()
    site.stop()
    return struck


def kill_again(run_, environment):
    """Kills the host once more, while it recovers, or in its stop after that."""
    site = run_.site
    with until_killed(site):
        site.start(env=environment, seconds=20)
        site.wait_package('P', 'complete', 60)
    if site.alive():
        site.process.terminate()
        if site.wait_gone() == 0:
            return
    assert fell(site, f'recovery {environment}')
    run_.note('disk operation of a recovery')
    run_.judge()


def work_until(run_, delay):
    """Works as a client does, and kills the host when that time is over."""
    site = run_.site
    run_.maybe = run_.copy()
    ident = site.send('package.update', {'id': 'P'}, key=uuid.uuid4().hex)
    end = time.monotonic() + delay
    while time.monotonic() < end:
        if site.commands.poll(max(0, (end - time.monotonic()) * 1000)):
            frames = site.commands.recv_multipart()
            reply = msgpack.unpackb(frames[-1], raw=False, strict_map_key=False)
            if reply.get('id') == ident:
                assert reply['ok'], f'package.update: {reply}'
                run_.stored(reply['result']['version']['epoch'])
    assert site.alive(), 'the host ended before it was killed'
    site.kill()


def show(title, run_):
    ALL.update(run_.histogram)
    WAYS.update(run_.ways)
    print(f'# {title}, seed {SEED}: {sum(run_.ways.values())} kills')
    for words in (run_.ways, run_.histogram):
        for word, times in words.most_common():
            print(f'# {times:5}  {word}')


@claim(400 * max(1, KILLS / 200))
def killed_at_random_times_it_loses_nothing_accepted_and_finishes_unaided():
    chance = random.Random(SEED)
    with Site() as site:
        run_ = Run(site, chance)
        run_.prepare()
        for _ in range(KILLS // 4):
            one_kill(run_, 'random time', {}, delay=chance.uniform(0, 2 * run_.round))
        show('random times', run_)


@claim(600 * max(1, KILLS / 200))
def killed_at_drawn_disk_operations_it_loses_nothing_accepted_and_finishes_unaided():
    chance = random.Random(SEED + 1)
    with Site() as site:
        run_ = Run(site, chance)
        run_.prepare()
        struck, bound, cut = 0, 600, []
        for number in range(KILLS // 2):
            ordinal = chance.randrange(1, bound)
            if cut and number % 3 == 0:  # near one that fell into a commit
                ordinal = max(1, chance.choice(cut) + chance.randint(-4, 4))
            again = {'DESPOOL_KILL_AT': str(chance.randrange(1, 200))} if number % 4 == 1 else None
            commits = run_.histogram['mid-commit']
            if one_kill(run_, 'disk operation', {'DESPOOL_KILL_AT': str(ordinal)}, again=again):
                struck += 1
                bound = int(bound * 1.05)
            else:
                bound = max(20, int(bound * 0.8))
            if run_.histogram['mid-commit'] > commits and not again:
                cut.append(ordinal)
        show('disk operations', run_)
        assert struck >= KILLS // 4, f'only {struck} kills struck while the host worked'


@claim(400 * max(1, KILLS / 200))
def killed_at_each_named_point_it_loses_nothing_accepted_and_finishes_unaided():
    chance = random.Random(SEED + 2)
    with Site() as site:
        run_ = Run(site, chance)
        run_.prepare()
        counts = collections.Counter()
        for name in NAMED:
            for number in range(max(10, KILLS // 12)):
                passing = 1 if name.startswith('store.') else 1 + number % 2
                environment = {'DESPOOL_KILL_POINT': f'{name}:{passing}'}
                counts[name] += one_kill(run_, f'point {name}', environment)
        show('named points', run_)
        for name in NAMED:
            assert counts[name] >= 10, f'{name} was hit {counts[name]} times, expected at least 10'


@claim(10)
def every_place_was_struck_at_least_ten_times():
    kills = sum(times for way, times in WAYS.items() if 'not met' not in way)
    print(f'# {kills} kills while the host worked: '
          + ', '.join(f'{place} {ALL[place]}' for place in PLACES))
    for place in PLACES:
        assert ALL[place] >= 10, f'{place}: {ALL[place]} kills, expected at least 10'
    assert kills >= KILLS, f'{kills} kills struck, expected at least {KILLS}'


run()
