"""The kinds of command that kill_commands.py kills a host in: what is there before, what each does,
and how that is seen from outside.
"""
import hashlib
import os
import shutil

import killed
from harness import write

POINTS = ('a', 'b')
PLACING = ('place.staged', 'place.renamed', 'place.switched', 'place.receipted')
RELEASING = ('point.unnamed', 'point.released')
REMOVING = ('removal.unpromised', 'removal.unread', 'removal.emptied')
LONG = 60  # seconds in which any work of these small packages ends


def number(rows, query, *values):
    return rows.execute(query, values).fetchone()[0]


class Command:
    """A kind of command: what is there before, what it does, and how that is seen from outside."""

    word = ''
    points = ()   # named points that its work passes
    events = 1    # that tell that it was accepted

    def __init__(self, cast):
        self.cast, self.site = cast, cast.site

    def prepare(self):
        """Makes what the command needs; the host runs."""

    def args(self):
        raise NotImplementedError

    def effect(self, rows):
        """Whether the database has the effect; a part of it is an error of the assertion."""
        raise NotImplementedError

    def begun(self):
        """What stands on the disk without being committed: a word, or None."""

    def settle(self):
        """Waits until what was commanded is done."""

    def check(self, answer):
        """Looks at what is there when all is done."""

    def undo(self):
        """Back to what was before."""


class PackageAdd(Command):
    word = 'package.add'
    points = ('store.committed',)

    def prepare(self):
        self.id = f'A{self.cast.number}'
        self.source = self.cast.make_source(self.id)
        self.before = set(self.cast.store.names())

    def args(self):
        return {'id': self.id, 'source': self.source}

    def effect(self, rows):
        count = number(rows, 'SELECT count(*) FROM package WHERE id = ?', self.id)
        versions = number(rows, 'SELECT count(*) FROM version JOIN package'
                                ' ON package.row = version.package WHERE id = ?', self.id)
        assert count == versions, f'{count} packages {self.id} with {versions} versions'
        return count == 1

    def begun(self):
        if set(self.cast.store.names()) != self.before:
            return 'stored, not committed'
        return 'storing' if self.cast.store.temporaries() else None

    def check(self, answer):
        shown = self.site.status(self.id)['version']
        assert shown['epoch'] == 1, f"epoch {shown['epoch']}, expected 1"
        leaves = self.cast.store.reach(shown['root'], self.cast.store.names())[1]
        assert leaves == digests(self.source), 'the version is not what its source is'

    def undo(self):
        self.site.do('package.remove', {'id': self.id})
        self.cast.forget_package(self.id)


def digests(tree):
    """SHA-256 of every file and of every link's text."""
    found = set()
    for where, directories, names in os.walk(tree):
        for path in (os.path.join(where, name) for name in directories + names):
            if os.path.islink(path):
                found.add(hashlib.sha256(os.readlink(path).encode()).hexdigest())
            elif os.path.isfile(path):
                with open(path, 'rb') as file:
                    found.add(hashlib.sha256(file.read()).hexdigest())
    return found


class PackageUpdate(PackageAdd):
    word = 'package.update'
    points = ('store.committed', *PLACING)

    def prepare(self):
        self.id = 'P'
        self.epoch = self.site.status('P')['version']['epoch']
        for name in range(5):
            write(os.path.join(self.cast.source('P'), f'new-{name}'),
                  self.cast.chance.randbytes(9000))
        self.cast.keep_tree('P')
        for tree in self.cast.trees['P'][:-3]:
            shutil.rmtree(tree)
            self.cast.trees['P'].remove(tree)
        self.before = set(self.cast.store.names())

    def args(self):
        return {'id': 'P'}

    def effect(self, rows):
        epoch = number(rows, "SELECT epoch FROM package WHERE id = 'P'")
        wanted = number(rows, 'SELECT count(*) FROM target JOIN package'
                              ' ON package.row = target.package'
                              " WHERE id = 'P' AND wanted = package.epoch")
        assert wanted == len(POINTS), f'{wanted} targets want epoch {epoch}, expected all'
        return epoch == self.epoch + 1

    def settle(self):
        self.site.wait_package('P', 'complete', LONG)

    def check(self, answer):
        version = self.site.status('P')['version']
        assert version == answer['version'], f'{version}, answered {answer["version"]}'
        assert version['epoch'] == self.epoch + 1, f'{version}, expected one after {self.epoch}'
        for point in POINTS:
            self.cast.holds(point, 'P')

    def undo(self):
        pass


class OnQ(Command):
    """What is done with Q on a and b."""

    def state_is(self, rows, *states):
        return number(rows, 'SELECT count(*) FROM target JOIN package'
                            " ON package.row = target.package WHERE id = 'Q' AND state IN"
                            f" ({','.join(str(killed.STATES.index(s)) for s in states)})")

    def put(self):
        self.site.do('distribute', {'id': 'Q', 'to': list(POINTS)})
        self.site.wait_package('Q', 'complete', LONG)

    def take(self):
        self.site.do('withdraw', {'id': 'Q', 'all': True})
        self.wait_taken()

    def wait_taken(self):
        self.site.wait_states('Q', dict.fromkeys(POINTS, 'removed'), LONG)

    def whole(self, count):
        assert count in (0, len(POINTS)), f'the effect is there for {count} points of 2'
        return count > 0


class Distribute(OnQ):
    word = 'distribute'
    points = PLACING

    def args(self):
        return {'id': 'Q', 'to': list(POINTS)}

    def effect(self, rows):
        return self.whole(self.state_is(rows, 'pending', 'installing', 'installed', 'retrying',
                                        'waiting', 'failed'))

    def settle(self):
        self.site.wait_package('Q', 'complete', LONG)

    def check(self, answer):
        assert answer['targets'] == list(POINTS), f'answered {answer}'
        for point in POINTS:
            self.cast.holds(point, 'Q')

    def undo(self):
        self.take()


class Withdraw(OnQ):
    word = 'withdraw'
    points = REMOVING

    def prepare(self):
        self.put()

    def args(self):
        return {'id': 'Q', 'from': list(POINTS)}

    def effect(self, rows):
        return self.whole(self.state_is(rows, 'removing', 'removed'))

    def settle(self):
        self.wait_taken()

    def check(self, answer):
        for point in POINTS:
            self.cast.bare(point, 'Q')


class Cancel(OnQ):
    """Of work that has just begun: some of it may be done before the cancel is."""
    word = 'cancel'
    points = ('place.staged',)

    def prepare(self):
        self.site.do('distribute', {'id': 'Q', 'to': list(POINTS)})

    def args(self):
        return {'id': 'Q'}

    def effect(self, rows):
        return number(rows, "SELECT count(*) FROM event WHERE seq > ? AND text LIKE 'cancel %'",
                      self.seq) == 1

    def settle(self):
        self.site.wait_states('Q', dict.fromkeys(POINTS, ('cancelled', 'installed')), LONG)

    def check(self, answer):
        states = self.site.states('Q')
        expected = {point: 'cancelled' if point in (answer['targets'] or ()) else 'installed'
                    for point in POINTS}
        assert states == expected, f'got {states}, expected {expected}'

    def undo(self):
        self.take()
        for point in POINTS:
            self.cast.bare(point, 'Q')


class PointAdd(Command):
    word = 'dp.add'
    points = ('point.claimed',)

    def prepare(self):
        self.name = f'n{self.cast.number}'
        self.root = self.site.path('points', self.name)
        os.mkdir(self.root)
        self.cast.roots[self.name] = self.root

    def args(self):
        return {'name': self.name, 'root': self.root}

    def identity(self):
        return killed.sealed(os.path.join(self.root, '.despool', 'point')).get('incarnation')

    def effect(self, rows):
        row = rows.execute('SELECT incarnation FROM point WHERE name = ?',
                           (self.name,)).fetchone()
        assert row is None or row[0].hex() == self.identity(), \
            f'the database has {row[0].hex()}, {self.root} has {self.identity()}'
        return row is not None

    def begun(self):
        return 'claimed, not committed' if self.identity() else None

    def check(self, answer):
        with self.cast.look() as rows:
            assert self.effect(rows), 'the point is not there'

    def undo(self):
        self.site.do('dp.remove', {'name': self.name})
        del self.cast.roots[self.name]


class PointAdopt(PointAdd):
    """Of a root that has lost its identity: what is there is the point's again."""
    word = 'dp.adopt'

    def prepare(self):
        self.name, self.root = 'b', self.cast.roots['b']
        self.lost = self.identity()
        os.unlink(os.path.join(self.root, '.despool', 'point'))

    def args(self):
        return {'name': 'b'}

    def effect(self, rows):
        assert self.identity() in (None, self.lost), f'{self.identity()}, expected {self.lost}'
        return self.identity() == self.lost

    def begun(self):
        return None

    def check(self, answer):
        verified = self.site.ask('verify', {'id': 'P', 'dp': 'b'})
        assert verified['ok'], f'{verified}'

    def undo(self):
        pass


class PointRemove(Command):
    """Of a point that holds Q."""
    word = 'dp.remove --withdraw'
    points = (*REMOVING, *RELEASING)
    how = 'withdraw'

    def prepare(self):
        self.name = f'w{self.cast.number}'
        self.cast.add_point(self.name)
        self.site.do('distribute', {'id': 'Q', 'to': [self.name]})
        self.site.wait_states('Q', {self.name: 'installed'}, LONG)

    def args(self):
        return {'name': self.name, self.how: True}

    def effect(self, rows):
        row = rows.execute('SELECT row, removing FROM point WHERE name = ?',
                           (self.name,)).fetchone()
        states = {killed.STATES[state] for state, in rows.execute(
            'SELECT state FROM target WHERE point = ?', (row[0] if row else 0,))}
        removing = row is None or row[1] > 0
        assert not removing or states <= {'removing', 'removed'}, f'{states} on a removed point'
        return removing

    def settle(self):
        self.cast.wait_row('dp.list', 'dps', 'name', self.name)

    def check(self, answer):
        left = os.listdir(self.cast.roots[self.name])
        assert not left, f'{left} is left at a root that was given free'

    def undo(self):
        del self.cast.roots[self.name]


class PointForget(PointRemove):
    word = 'dp.remove --forget'
    points = ()
    how = 'forget'

    def check(self, answer):
        self.cast.holds(self.name, 'Q')


class PackageRemove(Command):
    word = 'package.remove --withdraw'
    points = REMOVING

    def prepare(self):
        self.id = f'R{self.cast.number}'
        self.cast.add_package(self.id)
        self.site.do('distribute', {'id': self.id, 'to': list(POINTS)})
        self.site.wait_package(self.id, 'complete', LONG)

    def args(self):
        return {'id': self.id, 'withdraw': True}

    def effect(self, rows):
        row = rows.execute('SELECT row, removing FROM package WHERE id = ?',
                           (self.id,)).fetchone()
        states = {killed.STATES[state] for state, in rows.execute(
            'SELECT state FROM target WHERE package = ?', (row[0] if row else 0,))}
        removing = row is None or row[1] == 1
        expected = {'removing', 'removed'} if removing else {'installed'}
        assert states <= expected, f'targets are {states}, expected {expected}'
        return removing

    def settle(self):
        self.cast.wait_row('package.list', 'packages', 'id', self.id)

    def check(self, answer):
        for point in POINTS:
            self.cast.bare(point, self.id)

    def undo(self):
        self.cast.forget_package(self.id)


class GroupAdd(Command):
    word = 'group.add'

    def args(self):
        self.name = f'g{self.cast.number}'
        return {'name': self.name, 'dps': list(POINTS)}

    def effect(self, rows):
        groups = number(rows, 'SELECT count(*) FROM pointgroup WHERE name = ?', self.name)
        members = number(rows, 'SELECT count(*) FROM member JOIN pointgroup'
                               ' ON pointgroup.row = member.pointgroup WHERE name = ?', self.name)
        assert members == groups * len(POINTS), f'a group of {members}, expected {len(POINTS)}'
        return groups == 1

    def check(self, answer):
        rows = {row['name']: row['dps'] for row in self.site.ask('group.list')['groups']}
        assert rows.get(self.name) == list(POINTS), f'{rows}, expected {self.name}'

    def undo(self):
        self.site.do('group.remove', {'name': self.name})


class ComponentSet(Command):
    word = 'component.set'

    def args(self):
        self.slots = 1 + self.cast.number % 200
        return {'name': 'despooler', 'slots': self.slots}

    def effect(self, rows):
        row = rows.execute("SELECT value FROM setting WHERE name = 'slots'").fetchone()
        return row is not None and row[0] == str(self.slots)

    def check(self, answer):
        with self.cast.look() as rows:
            assert self.effect(rows), f'the setting is not {self.slots}'


KINDS = (PackageAdd, PackageUpdate, Distribute, Withdraw, Cancel, PointAdd, PointAdopt, PointRemove,
         PointForget, PackageRemove, GroupAdd, ComponentSet)
