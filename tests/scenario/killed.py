"""Where a kill struck, as the disk tells it: for the histogram of kill.py. Changes nothing.

Reads a copy of the database, the write-ahead log's frames, and the layout of the points as
actors/content/place.h and receipt.h describe it.
"""
import collections
import contextlib
import os
import re
import shutil
import sqlite3
import struct

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


def targets(data, scratch):
    """The rows of the database, read from a copy."""
    shutil.rmtree(scratch, ignore_errors=True)
    os.mkdir(scratch)
    for name in ('site.db', 'site.db-wal'):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(os.path.join(data, name), scratch)
    connection = sqlite3.connect(os.path.join(scratch, 'site.db'))
    try:
        return [Target(point, STATES[state], wanted, have) for point, state, wanted, have in
                connection.execute('SELECT point.name, state, wanted, have FROM target'
                                   ' JOIN point ON point.row = target.point')]
    finally:
        connection.close()


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
