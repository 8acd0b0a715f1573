#!/usr/bin/python3
"""Compares two directory trees and says every difference. Shares no code with despool.

usage: treecheck.py EXPECTED ACTUAL [--mtime]

Compared: names (bytes), types, modes (07777), link targets, contents, and modification times when
asked. The two roots themselves are compared too; either may be a symbolic link to a directory.
Exit code 0: equal; 1: different, one line for each difference; 2: usage or unreadable.
"""
import os
import stat
import sys

KINDS = {stat.S_IFREG: 'file', stat.S_IFDIR: 'directory', stat.S_IFLNK: 'link',
         stat.S_IFIFO: 'fifo', stat.S_IFSOCK: 'socket', stat.S_IFCHR: 'device',
         stat.S_IFBLK: 'device'}


def kind(status):
    return KINDS.get(stat.S_IFMT(status.st_mode), 'unknown')


def shown(path):
    return os.fsdecode(path).encode('utf-8', 'backslashreplace').decode()


def same_bytes(one, other):
    with open(one, 'rb') as a, open(other, 'rb') as b:
        at = 0
        while True:
            x, y = a.read(1 << 20), b.read(1 << 20)
            if x != y:
                for i, (p, q) in enumerate(zip(x, y)):
                    if p != q:
                        return f'byte {at + i} is {q:#04x}, expected {p:#04x}'
                return f'length differs after byte {at + min(len(x), len(y))}'
            if not x:
                return None
            at += len(x)


def compare_entry(expected, actual, name, mtime, found):
    a, b = os.lstat(expected), os.lstat(actual)
    if kind(a) != kind(b):
        found.append(f'{shown(name)}: is a {kind(b)}, expected a {kind(a)}')
        return False
    link = stat.S_ISLNK(a.st_mode)
    if not link and stat.S_IMODE(a.st_mode) != stat.S_IMODE(b.st_mode):
        found.append(f'{shown(name)}: mode {stat.S_IMODE(b.st_mode):04o}, '
                     f'expected {stat.S_IMODE(a.st_mode):04o}')
    if mtime and a.st_mtime_ns != b.st_mtime_ns:
        found.append(f'{shown(name)}: mtime {b.st_mtime_ns}, expected {a.st_mtime_ns}')
    if link and os.readlink(expected) != os.readlink(actual):
        found.append(f'{shown(name)}: leads to {shown(os.readlink(actual))}, '
                     f'expected {shown(os.readlink(expected))}')
    if stat.S_ISREG(a.st_mode):
        try:
            difference = same_bytes(expected, actual)
        except PermissionError:
            difference = None if a.st_size == b.st_size else 'size differs'
        if difference:
            found.append(f'{shown(name)}: {difference}')
    return stat.S_ISDIR(a.st_mode)


def walk(expected, actual, name, mtime, found):
    try:
        a, b = set(os.listdir(expected)), set(os.listdir(actual))
    except PermissionError:
        return
    for missing in sorted(a - b):
        found.append(f'{shown(os.path.join(name, missing))}: missing')
    for extra in sorted(b - a):
        found.append(f'{shown(os.path.join(name, extra))}: extra')
    for both in sorted(a & b):
        below = os.path.join(name, both)
        here, there = os.path.join(expected, both), os.path.join(actual, both)
        if compare_entry(here, there, below, mtime, found):
            walk(here, there, below, mtime, found)


def differences(expected, actual, mtime=False):
    """Every difference of the tree `actual` from the tree `expected`, as lines of text."""
    found = []
    expected = os.fsencode(os.path.realpath(expected))
    actual = os.fsencode(os.path.realpath(actual))
    if not os.path.isdir(actual):
        return [f'{shown(actual)}: is not there']
    compare_entry(expected, actual, b'.', mtime, found)
    walk(expected, actual, b'', mtime, found)
    return found


def count(root):
    """How many names are below root."""
    return sum(len(directories) + len(files)
               for _, directories, files in os.walk(os.fsencode(os.path.realpath(root))))


def main():
    words = [word for word in sys.argv[1:] if word != '--mtime']
    if len(words) != 2 or not os.path.isdir(words[0]):
        print(__doc__, file=sys.stderr)
        return 2
    found = differences(words[0], words[1], '--mtime' in sys.argv)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
