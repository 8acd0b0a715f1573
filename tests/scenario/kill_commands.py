#!/usr/bin/python3
"""kill -9 of the real host while it does each kind of command; an independent judge looks after.

Each round prepares a site, sends one command with a key, and kills the host: at a drawn one of the
disk operations that the command takes, at a named point, at a random time, or as its answer comes
($DESPOOL_KILL_FILE is shared with the host, so that the round begins to count when the command is
sent). Before the host runs again, the judge looks at the disk: the database is sound, every object
of every version in it is in the store with its digest, nothing at a point is an orphan, and
every `current` and every receipt stands for a whole version. After the restart a command that was
answered has its effect; one that was not has it wholly or not at all; its repeat with the same key
is answered (as before, when it was answered before), and together they had one effect; its work
ends unaided. Status messages have numbers without a gap, and those that were heard before the kill
are the same after it. At the end the store is collected: it has what its versions need, and
nothing that a killed snapshot left.

usage: kill_commands.py [--kills N] [--seed S] [--only WORD]

tools/check makes 144 kills; more with --kills 2000, alone, in a tree built with
-Dfault_points=true ($DESPOOLD names its tools/despoold; a kill takes half a second). A failure
tells its seed and round: --seed with the same --kills and --only plays it again, but for what the
timing of threads decides.
"""
import collections
import contextlib
import itertools
import mmap
import os
import random
import shutil
import struct
import time
import uuid

import kill_kinds
import killed
import treecheck
from harness import Refused, Site, claim, make_tree, run
from kill_kinds import LONG, POINTS
from killed import fell, until_killed

PARSER = killed.options(__doc__, 144)
PARSER.add_argument('--only', default='', help='the command, or a part of its word')
OPTIONS = PARSER.parse_args()
WAYS = ('operation', 'committed', 'point', 'answer', 'operation', 'point', 'committed', 'operation',
        'time')
HITS = collections.Counter()   # of commands: kills before their work was seen done
STEPS = collections.Counter()  # of (command, step)


class Trigger:
    """The file that the host maps (world_kill_t): what it counts, and where it is to end."""

    NUMBERS = struct.Struct('=QQQQ')
    POINT = NUMBERS.size

    def __init__(self, path):
        with open(path, 'wb') as file:
            file.write(bytes(self.POINT + 64))
        with open(path, 'r+b') as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.path = path

    def put(self, place, value):
        struct.pack_into('=Q', self.map, 8 * place, value)

    def calls(self):
        return self.NUMBERS.unpack_from(self.map)[0]

    def disarm(self):
        self.put(1, 0)
        self.put(3, 0)

    def at_operation(self, number):
        self.put(1, self.calls() + number)

    def at_point(self, name, passing):
        self.disarm()
        self.put(2, 0)
        self.map[self.POINT:self.POINT + 64] = name.encode().ljust(64, b'\0')
        self.put(3, passing)


class Cast:
    """One site: the points a and b hold the package P; Q comes and goes."""

    def __init__(self, site, chance):
        self.site, self.chance, self.number = site, chance, 0
        self.trigger = Trigger(site.path('trigger'))
        self.store = killed.Store(site.data)
        self.roots = {}                             # of every point that ever was: name -> ROOT
        self.trees = collections.defaultdict(list)  # package -> sources as they were
        self.heard = {}                             # seq -> text, of the stream
        self.turns = collections.Counter()          # of named points: how many were tried

    def start(self):
        self.trigger.disarm()
        self.site.start(env={'DESPOOL_KILL_FILE': self.trigger.path})

    def prepare(self):
        self.start()
        for name in POINTS:
            self.add_point(name)
        for package in ('P', 'Q'):
            self.add_package(package)
        self.site.do('distribute', {'id': 'P', 'to': list(POINTS)})
        self.site.wait_package('P', 'complete')

    def source(self, package):
        return self.site.path(f'source-{package}')

    def make_source(self, package):
        make_tree(self.source(package), seed=self.chance.randrange(1 << 30), files=12)
        self.keep_tree(package)
        return self.source(package)

    def keep_tree(self, package):
        self.trees[package].append(shutil.copytree(
            self.source(package), self.site.path(f'tree-{uuid.uuid4().hex}'), symlinks=True))

    def add_package(self, package):
        self.site.do('package.add', {'id': package, 'source': self.make_source(package)})

    def add_point(self, name):
        self.roots[name] = self.site.add_point(name)

    def forget_package(self, package):
        for tree in [self.source(package), *self.trees.pop(package)]:
            shutil.rmtree(tree)

    def wait_row(self, cmd, key, field, name):
        """Until a list of the site no longer has that name."""
        self.site.wait_for(f'{name} to go from {cmd}', lambda: name not in [
            row[field] for row in self.site.ask(cmd)[key]], LONG)

    def holds(self, point, package):
        self.site.holds(point, package, self.trees[package][-1])

    def bare(self, point, package):
        left = killed.left_of(self.roots[point], package)
        assert not left, f'{point} still has {left} of {package}'

    def last_event(self):
        return self.site.ask('status.since', {'since': 0, 'count': 1})['last']

    def note_heard(self):
        """Takes what the stream told, also what came just before the host died."""
        self.site.listen(0)
        self.heard.update({event['seq']: event['text'] for event in self.site.heard})
        self.site.heard.clear()

    # ---- the judge ----

    def look(self):
        return killed.database(self.site.data, self.site.path('look'))

    def judge(self):
        """What must be true of the disk whenever the host is not running."""
        with self.look() as rows:
            faults = killed.database_faults(rows) + self.store.needed(rows)[1]
            faults += self.promise_faults(rows)
            told = dict(rows.execute('SELECT seq, text FROM event'))
        faults += self.store.faults()
        faults += [f'message {seq} was heard as {text!r} and is {told.get(seq)!r}'
                   for seq, text in self.heard.items() if told.get(seq) != text]
        self.heard.clear()
        for root in self.roots.values():
            faults += [*killed.point_faults(root), *self.half_versions(root)]
        assert not faults, f'the site is not sound: {faults[:5]}'

    def half_versions(self, root):
        """What readers see, and what a receipt promises, is one whole version."""
        shown = [(package, 'current') for package in set(killed.listed(root)) - {'.despool'}
                 if os.path.lexists(os.path.join(root, package, 'current'))]
        for package, name in [*shown, *killed.promised(root)]:
            path = os.path.join(root, package, name)
            if all(treecheck.differences(tree, path, True) for tree in self.trees[package]):
                yield f'{path} is no version that was stored'

    def promise_faults(self, rows):
        """What is installed has its receipt; points of the database have their identity."""
        for name, incarnation, root in rows.execute('SELECT name, incarnation, root FROM point'):
            there = killed.sealed(os.path.join(root, '.despool', 'point')).get('incarnation')
            if there not in (incarnation.hex(), None):
                yield f'{name} carries the identity {there}, the database has {incarnation.hex()}'
        for package, root, have in rows.execute(
                'SELECT package.id, point.root, have FROM target'
                ' JOIN package ON package.row = target.package'
                ' JOIN point ON point.row = target.point WHERE state = 2'):
            receipt = killed.receipt_epoch(root, package)
            if receipt != have:
                yield f'{root} has epoch {have} of {package} by the database, {receipt} by receipt'


class Round:
    """One command, one kill, one restart."""

    def __init__(self, cast, command, way, spans):
        self.cast, self.command, self.way, self.site = cast, command, way, cast.site
        self.operations, self.seconds = spans.get(command.word, (1, 0.1))
        self.key = uuid.uuid4().hex
        self.answer = None
        self.settled = False

    def ask(self):
        return self.site.ask(self.word(), self.wanted, seconds=LONG, key=self.key)

    def word(self):
        return self.command.word.split()[0]

    def arm(self):
        chance, trigger = self.cast.chance, self.cast.trigger
        points = self.command.points
        if self.way == 'point' and points:
            turn = self.cast.turns[points]
            self.cast.turns[points] += 1
            trigger.at_point(points[turn % len(points)], 1 + turn // len(points) % 2)
        elif self.way == 'committed':
            trigger.at_point('database.committed', chance.choice((1, 1, 2)))
        elif self.way in ('operation', 'point'):
            trigger.at_operation(chance.randint(1, self.operations))

    def work(self):
        """Sends the command, and kills or waits for the kill."""
        end = time.monotonic() + self.cast.chance.uniform(0, self.seconds)
        with until_killed(self.site):
            if self.way == 'time':
                self.site.send(self.word(), self.wanted, key=self.key)
                while time.monotonic() < end and not self.site.commands.poll(
                        max(0, (end - time.monotonic()) * 1000)):
                    pass
                return
            self.answer = self.ask()
            if self.way != 'answer':
                self.command.settle()
                self.settled = True

    def strike(self):
        """Ends with a dead host; tells whether it died before the work was seen done."""
        self.command.prepare()
        self.command.seq = self.seq = self.cast.last_event()
        self.wanted = self.command.args()
        self.arm()
        self.work()
        self.cast.note_heard()
        if not fell(self.site, self.way):
            self.site.kill()
            self.cast.note_heard()
        self.cast.trigger.disarm()
        return not self.settled

    def step(self, committed):
        if not committed and killed.log_is_cut(os.path.join(self.site.data, 'site.db-wal')):
            return 'mid-commit'
        if not committed:
            return self.command.begun() or 'before it began'
        if self.answer is None:
            return 'committed, not answered'
        return 'done' if self.settled else 'answered, at work'

    def judge(self):
        """What the disk tells; an answered command is in it."""
        self.cast.judge()
        with self.cast.look() as rows:
            committed = self.command.effect(rows)
        step = self.step(committed)
        assert committed or self.answer is None, 'it was answered, and its effect is not there'
        return step

    def go_on(self):
        """The host runs again; the command is repeated with its key; its work ends."""
        self.cast.start()
        again = self.ask()
        assert self.answer in (None, again) or not self.command.events, \
            f'answered {self.answer}, and to the repeat {again}'
        self.command.settle()
        events = [event['text'] for event in self.site.ask('status.since',
                                                           {'since': self.seq})['events']
                  if event['id'] == 9010]
        self.command.check(again)
        assert len(events) == self.command.events, \
            f'accepted {len(events)} times, expected {self.command.events}: {events}'
        self.command.undo()

    def run(self):
        struck = self.strike()
        step = self.judge()
        STEPS[self.command.word, step] += 1
        HITS[self.command.word] += struck
        self.go_on()


KINDS = [kind for kind in kill_kinds.KINDS if OPTIONS.only in kind.word]


def measure(cast, kind):
    """(disk operations, seconds) that the command takes when nothing kills the host."""
    command = kind(cast)
    cast.number += 1
    command.prepare()
    command.seq = cast.last_event()
    before, began = cast.trigger.calls(), time.monotonic()
    answer = cast.site.do(command.word.split()[0], command.args())
    command.settle()
    span = max(1, cast.trigger.calls() - before), time.monotonic() - began
    command.check(answer)
    command.undo()
    return span


def play(cast, kinds, kills):
    spans = {kind.word: measure(cast, kind) for kind in kinds}
    for kind, way in itertools.islice(itertools.product(
            kinds, itertools.islice(itertools.cycle(WAYS), -(-kills // len(kinds)))), kills):
        cast.number += 1
        round_ = Round(cast, kind(cast), way, spans)
        try:
            round_.run()
        except (AssertionError, Refused) as error:
            raise AssertionError(f'round {cast.number}, {kind.word} killed by {way}, seed'
                                 f' {OPTIONS.seed}: {error}') from error


def show():
    print(f'# kills by command and step, seed {OPTIONS.seed}')
    for (word, step), times in sorted(STEPS.items()):
        print(f'# {times:5}  {word}: {step}')


@claim(300 * max(1, OPTIONS.kills / 144))
def d07_killed_in_any_command_what_was_accepted_is_there_exactly_once():
    with Site() as site:
        cast = Cast(site, random.Random(OPTIONS.seed))
        cast.prepare()
        try:
            play(cast, KINDS, OPTIONS.kills)
        finally:
            show()
        collect(cast)


def collect(cast):
    """After killed snapshots the store has, in time, only what its versions need."""
    def clean():
        with contextlib.suppress(killed.sqlite3.Error, FileNotFoundError), cast.look() as rows:
            needed, _ = cast.store.needed(rows)
            return not cast.store.temporaries() and set(cast.store.names()) == needed
        return False

    cast.site.wait_for('the store to be collected', clean, 90)
    cast.site.stop()
    cast.judge()


@claim(10)
def every_command_was_struck_while_it_worked_and_on_both_sides_of_its_commit():
    each = OPTIONS.kills // len(KINDS) // 3
    for kind in KINDS:
        assert HITS[kind.word] >= each, \
            f'{kind.word}: {HITS[kind.word]} kills before it was done, expected at least {each}'
    least = OPTIONS.kills // 12
    unanswered = sum(times for (_, step), times in STEPS.items()
                     if step == 'committed, not answered')
    early = sum(times for (_, step), times in STEPS.items()
                if step not in ('committed, not answered', 'answered, at work', 'done'))
    print(f'# {early} kills before the commit, {unanswered} between commit and answer')
    assert unanswered >= least, \
        f'{unanswered} kills between commit and answer, expected at least {least}'
    assert early >= least, f'{early} kills before the commit, expected at least {least}'


run()
