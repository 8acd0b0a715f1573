"""What a kill left behind, as the disk tells it: for kill.py, kill_commands.py. Changes nothing.

Reads a copy of the database, the write-ahead log's frames, the store as actors/content/store.h and
manifest.h describe it, and the layout of the points as place.h and receipt.h do. Shares no code
with the product.
"""
import argparse
import collections
import contextlib
import hashlib
import os
import re
import shutil
import sqlite3
import struct

from harness import Late
import packs

STATES = ('pending', 'installing', 'installed', 'retrying', 'waiting', 'failed', 'cancelled',
          'removing', 'removed')
Target = collections.namedtuple('Target', 'point state wanted have')


def log_is_cut(path):
    """The write-ahead log ends with frames of a transaction that was not committed."""
    with contextlib.suppress(FileNotFoundError), open(path, 'rb') as file:
        header = file.read(32)
        if len(header) < 32:
            return len(header) > 0
        page, salts = struct.unpack('>8xI4x8s8x', header)
        cut = False
        while True:
            frame = file.read(24 + page)
            if len(frame) < 24:
                return cut or len(frame) > 0
            _, commit, salt = struct.unpack('>II8s8x', frame[:24])
            if salt != salts:
                return cut  # of an earlier round of the log
            if len(frame) < 24 + page:
                return True
            cut = commit == 0
    return False


@contextlib.contextmanager
def database(data, scratch):
    """A connection to a copy of the site's database."""
    shutil.rmtree(scratch, ignore_errors=True)
    os.mkdir(scratch)
    for name in ('site.db', 'site.db-wal'):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(os.path.join(data, name), scratch)
    with contextlib.closing(sqlite3.connect(os.path.join(scratch, 'site.db'))) as connection:
        yield connection


def database_faults(connection):
    found = [row[0] for row in connection.execute('PRAGMA integrity_check')]
    found = [] if found == ['ok'] else found
    found += [f'foreign key {row}' for row in connection.execute('PRAGMA foreign_key_check')]
    count, first, last = connection.execute(
        'SELECT count(*), min(seq), max(seq) FROM event').fetchone()
    if count and (first, last) != (1, count):
        found.append(f'{count} events have the numbers {first} to {last}')
    return found


def targets(data, scratch):
    """The targets of the database, read from a copy."""
    with database(data, scratch) as connection:
        return [Target(point, STATES[state], wanted, have) for point, state, wanted, have in
                connection.execute('SELECT point.name, state, wanted, have FROM target'
                                   ' JOIN point ON point.row = target.point')]


class Store:
    """DATA/store: files, their chunks and manifest nodes by digest."""

    VERSION = struct.Struct('>4sHHqQQQQ32s')
    NODE = struct.Struct('>4sHHI')
    ENTRY = struct.Struct('>BBHHHIqQ32s')
    DIRECTORY = 2

    def __init__(self, data):
        self.root = os.path.join(data, 'store')
        self.good = {}  # name -> what stat said when its bytes were read and found right

    def names(self):
        """{digest: where it stands} of every object."""
        return packs.objects(self.root)

    def temporaries(self):
        return packs.temporaries(self.root)

    def faults(self):
        """Objects whose bytes are not those of their names."""
        found, names = [], self.names()
        for name, record in names.items():
            status = os.stat(record.path)
            stamp = (record.path, record.offset, status.st_ino)
            if self.good.get(name) == stamp:
                continue
            wrong = packs.is_right(name, record, names)
            if wrong is None:
                self.good[name] = stamp
            else:
                found.append(f'the object {name} is not right: {wrong}')
        return found

    def read(self, digest, names):
        return names[digest].read(names)

    def reach(self, root, names):
        """The digests that a version needs: (all of them, those of its files and links)."""
        node = self.VERSION.unpack(self.read(root, names))[-1].hex()
        needed, leaves, nodes = {root, node}, set(), [node]
        while nodes:
            bytes_, at = self.read(nodes.pop(), names), self.NODE.size
            for _ in range(self.NODE.unpack_from(bytes_)[-1]):
                entry = self.ENTRY.unpack_from(bytes_, at)
                at += self.ENTRY.size + entry[3] + 1 + entry[5]
                digest = entry[-1].hex()
                if entry[0] != self.DIRECTORY:
                    leaves.add(digest)
                    needed.update(names[digest].chunks() if digest in names else ())
                elif digest not in needed:
                    nodes.append(digest)
                needed.add(digest)
        return needed, leaves

    def needed(self, connection):
        """(the digests that the versions of the database need, what is wrong with them)"""
        names, needed, found = self.names(), set(), []
        for package, epoch, root in connection.execute(
                'SELECT package.id, version.epoch, root FROM version'
                ' JOIN package ON package.row = version.package'):
            try:
                of_version = self.reach(root.hex(), names)[0]
            except (KeyError, struct.error) as error:
                found.append(f'version {epoch} of {package} is not whole: {error!r}')
                continue
            needed |= of_version
            found += [f'version {epoch} of {package} needs {digest}, which is not there'
                      for digest in sorted(of_version - set(names))]
        return needed, found


def sealed(path):
    """The lines of a sealed text as a map; nothing when there is none or its digest is wrong."""
    with contextlib.suppress(FileNotFoundError), open(path, 'rb') as file:
        text = file.read()
        body, _, line = text[:-1].rpartition(b'\n')
        if line == b'sha256 ' + hashlib.sha256(body + b'\n').hexdigest().encode():
            return dict(pair.partition(' ')[::2] for pair in body.decode().splitlines())
    return {}


def listed(*path):
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return sorted(os.listdir(os.path.join(*path)))
    return []


def point_faults(root):
    """What stands at a point and belongs to nothing, and promises that are not kept."""
    own, found = os.path.join(root, '.despool'), []
    for package in set(listed(root)) - {'.despool'}:
        versions = listed(root, package)
        known = listed(own, 'packages', package)
        for name in set(versions) - set(known) - {'current'}:
            found.append(f'{root}/{package}/{name} is an orphan: no record names it')
        if 'current' in versions:
            leads_to = os.readlink(os.path.join(root, package, 'current'))
            if leads_to not in versions:
                found.append(f'{root}/{package}/current leads to {leads_to}, which is not there')
    for package, name in promised(root):
        if name not in listed(root, package):
            found.append(f'{root}: the receipt of {package} names {name}, which is not there')
    return found


def promised(root):
    """[(package, its version's directory)] of every receipt."""
    found = []
    for package in listed(root, '.despool', 'receipts'):
        if not package.startswith('.'):
            receipt = sealed(os.path.join(root, '.despool', 'receipts', package))
            copy = receipt.get('copy', '0')
            found.append((package, f"v{receipt.get('epoch')}"
                          + ('' if copy == '0' else f'-{copy}')))
    return found


def left_of(root, package):
    """Every trace of a package at a point."""
    own = os.path.join(root, '.despool')
    return ([os.path.join(package, name) for name in listed(root, package)]
            + ([package] if os.path.lexists(os.path.join(root, package)) else [])
            + [f'{where}/{name}' for where in ('receipts', 'packages', 'staging')
               for name in listed(own, where)
               if name == package or name.startswith((package + '.', f'.{package}.'))])


# ---- what the tests do with a host that may be killed ----

@contextlib.contextmanager
def until_killed(site):
    """What is waited for inside may be cut off by the host's end, and by nothing else."""
    try:
        yield
    except Late:
        if site.alive():
            raise


def fell(site, how):
    """Whether the host was killed; one that ended otherwise is a defect."""
    if site.alive():
        return False
    assert site.process.returncode == -9, \
        f'{how}: the host ended by itself with {site.process.returncode}'
    return True


def options(description, kills):
    """--kills and --seed of the command line, else of the environment."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument('--kills', type=int, default=int(os.environ.get('DESPOOL_KILLS', kills)))
    parser.add_argument('--seed', type=int,
                        default=int(os.environ.get('DESPOOL_SEED', '20261122')))
    return parser


def receipt_epoch(root, package):
    with contextlib.suppress(FileNotFoundError), \
            open(os.path.join(root, '.despool', 'receipts', package), encoding='latin-1') as file:
        match = re.search(r'^epoch\W+(\d+)', file.read(), re.M)
        return int(match.group(1)) if match else None
    return None


def step(target, root, package):
    """How far the work on one target had come."""
    if target.state in ('installed', 'removed', 'cancelled') and target.have == target.wanted:
        return target.state
    version = f'v{target.wanted}'
    with contextlib.suppress(OSError):
        if receipt_epoch(root, package) == target.wanted:
            return 'between receipt and commit'
        if os.readlink(os.path.join(root, package, 'current')) == version:
            return 'between rename and receipt'
        if os.path.isdir(os.path.join(root, package, version)):
            return 'between rename and receipt'
    return target.state


def where(data, scratch, roots, package):
    """The places in which the kill struck: a set of words."""
    found = set()
    try:
        for target in targets(data, scratch):
            found.add(step(target, roots[target.point], package))
    except sqlite3.Error as error:
        found.add(f'database unreadable: {error}')
    if log_is_cut(os.path.join(data, 'site.db-wal')):
        found.add('mid-commit')
    return found
