#!/usr/bin/python3
"""kill -9 of the real host during real distributions; an independent judge looks after each.

Kills come at random times, at drawn ordinals of the host's disk operations ($DESPOOL_KILL_AT) and
at named points of its work ($DESPOOL_KILL_POINT). After each kill, before the host runs again, the
judge looks at the disk: nothing under any `current` may be anything but one whole version that was
distributed. Then the host runs again and must finish unaided what was accepted.
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
from harness import Late, Refused, Site, claim, make_tree, run, write

SEED = int(os.environ.get('DESPOOL_SEED', '20261122'))
KILLS = int(os.environ.get('DESPOOL_KILLS', '200'))
POINTS = ('a', 'b')
NAMED = ('place.staged', 'place.renamed', 'place.switched', 'place.receipted', 'store.committed')
PLACES = ('installing', 'between rename and receipt', 'between receipt and commit', 'mid-commit')
ALL = collections.Counter()


class Run:
    """One site that is killed again and again, and what it has accepted."""

    def __init__(self, site, chance):
        self.site, self.chance = site, chance
        self.versions = {}   # epoch -> a copy of the source as it was
        self.epoch = 0
        self.maybe = None    # a copy of what an update that was cut off may have stored
        self.histogram = collections.Counter()  # of places; a kill may be in several
        self.ways = collections.Counter()
        self.number = 0

    def prepare(self):
        self.source = make_tree(self.site.path('source'), files=30)
        self.site.start()
        for point in POINTS:
            self.site.add_point(point)
        added = self.site.do('package.add', {'id': 'P', 'source': self.source})
        self.keep(added['version']['epoch'])
        self.site.do('distribute', {'id': 'P', 'to': list(POINTS)})
        self.site.wait_package('P', 'complete')
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
            name = f'file-{self.chance.randrange(30)}'
            write(os.path.join(self.source, f'd{self.chance.randrange(5)}', name),
                  self.chance.randbytes(self.chance.randrange(20000)))
        write(os.path.join(self.source, 'number'), b'%d' % self.number)

    def work(self):
        """Stores and distributes a new version; ends when the host was killed or all is done."""
        self.maybe = self.copy()
        try:
            done = self.site.do('package.update', {'id': 'P'}, seconds=20)
        except (Late, Refused):
            return
        self.versions[done['version']['epoch']] = self.maybe
        self.epoch, self.maybe = done['version']['epoch'], None
        try:
            self.site.wait_package('P', 'complete', 20)
        except (Late, Refused):
            return

    # ---- after a kill ----

    def note(self, how):
        """Counts where the kill struck."""
        roots = {point: self.site.path('points', point) for point in POINTS}
        places = killed.where(self.site.data, self.site.path('look'), roots, 'P')
        self.histogram.update(places)
        self.ways[how] += 1

    def judge(self):
        """Every `current` leads to one whole version that was stored."""
        candidates = list(self.versions.values()) + ([self.maybe] if self.maybe else [])
        for point in POINTS:
            current = self.site.content(point, 'P')
            assert os.path.islink(current), f'{point} has no current'
            if not any(not treecheck.differences(c, current, True) for c in reversed(candidates)):
                found = treecheck.differences(candidates[-1], current)
                raise AssertionError(f'{point}: current is no version that was stored: {found[:5]}')

    def recover(self):
        """The host runs again and finishes, unaided."""
        self.site.start()
        version = self.site.status('P')['version']
        assert version['epoch'] >= self.epoch, \
            f"epoch {version['epoch']} after the restart, {self.epoch} was accepted"
        if version['epoch'] > self.epoch:
            assert self.maybe, 'a version that nobody asked for'
            self.versions[version['epoch']] = self.maybe
            self.epoch = version['epoch']
        self.site.wait_package('P', 'complete', 60)
        for point in POINTS:
            self.site.holds(point, 'P', self.versions[self.epoch])
        self.maybe = None
        for epoch in [e for e in self.versions if e < self.epoch - 3]:
            shutil.rmtree(self.versions.pop(epoch), ignore_errors=True)


def one_kill(run_, how, environment, delay=None):
    """Starts the host so that it kills itself (or is killed after a delay) while it works."""
    site = run_.site
    run_.change_source()
    try:
        site.start(env=environment, seconds=20)
    except Late:
        pass
    if delay is not None and site.alive():
        work_until(run_, time.monotonic() + delay)
    elif site.alive():
        run_.work()
    struck = not site.alive() and site.process.returncode == -9
    if site.alive():
        site.kill()
        struck = delay is not None
    run_.note(how if struck else f'{how}, not met: killed after the work')
    run_.judge()
    run_.recover()
    site.stop()
    return struck


def work_until(run_, end):
    """Works as a client does, and kills the host when the moment `end` has come."""
    site = run_.site
    run_.maybe = run_.copy()
    ident = site.send('package.update', {'id': 'P'}, key=uuid.uuid4().hex)
    while time.monotonic() < end:
        if site.commands.poll(max(0, (end - time.monotonic()) * 1000)):
            frames = site.commands.recv_multipart()
            reply = msgpack.unpackb(frames[-1], raw=False, strict_map_key=False)
            if reply.get('id') == ident and reply['ok']:
                run_.epoch = reply['result']['version']['epoch']
                run_.versions[run_.epoch], run_.maybe = run_.maybe, None
    site.kill()


def show(title, run_):
    ALL.update(run_.histogram)
    print(f'# {title}, seed {SEED}: {sum(run_.ways.values())} kills')
    for words in (run_.ways, run_.histogram):
        for word, times in words.most_common():
            print(f'# {times:5}  {word}')


@claim(400)
def killed_at_random_times_it_loses_nothing_accepted_and_finishes_unaided():
    chance = random.Random(SEED)
    with Site() as site:
        run_ = Run(site, chance)
        run_.prepare()
        for _ in range(KILLS // 4):
            one_kill(run_, 'random time', {}, delay=chance.uniform(0.001, 0.25))
        show('random times', run_)


@claim(600)
def killed_at_drawn_disk_operations_it_loses_nothing_accepted_and_finishes_unaided():
    chance = random.Random(SEED + 1)
    with Site() as site:
        run_ = Run(site, chance)
        run_.prepare()
        struck, bound = 0, 600
        for _ in range(KILLS // 2):
            ordinal = chance.randrange(1, bound)
            if one_kill(run_, 'disk operation', {'DESPOOL_KILL_AT': str(ordinal)}):
                struck += 1
            else:
                bound = max(20, int(bound * 0.8))
        show('disk operations', run_)
        assert struck >= KILLS // 4, f'only {struck} kills struck while the host worked'


@claim(400)
def killed_at_each_named_point_it_loses_nothing_accepted_and_finishes_unaided():
    chance = random.Random(SEED + 2)
    with Site() as site:
        run_ = Run(site, chance)
        run_.prepare()
        counts = collections.Counter()
        for name in NAMED:
            for number in range(max(10, KILLS // 12)):
                passing = 1 + number % 2
                environment = {'DESPOOL_KILL_POINT': f'{name}:{passing}'}
                counts[name] += one_kill(run_, f'point {name}', environment)
        show('named points', run_)
        for name in NAMED:
            assert counts[name] >= 10, f'{name} was hit {counts[name]} times, expected at least 10'


@claim(10)
def every_place_was_struck_at_least_ten_times():
    print('# all kills: ' + ', '.join(f'{place} {ALL[place]}' for place in PLACES))
    for place in PLACES:
        assert ALL[place] >= 10, f'{place}: {ALL[place]} kills, expected at least 10'


run()
