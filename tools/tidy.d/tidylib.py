"""What the checks of tools/tidy.d share: the files of a project, findings, and the exit code.

A check exits with 0 when it found nothing, 1 when it found something, 2 when it could not judge.
"""
import fnmatch
import os
import subprocess
import sys

SKIPPED = ('.git', '__pycache__')
HERE = os.path.dirname(os.path.abspath(__file__))


def arguments():
    """The project's directory and the build's."""
    if len(sys.argv) != 3:
        sys.exit(2)
    return os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])


def files(top, *patterns):
    """The project's files below top that match a pattern, by their path from top, in order."""
    found = []
    for where, directories, names in os.walk(top):
        directories[:] = [d for d in directories
                          if d not in SKIPPED and not (where == top and d.startswith('build'))]
        if os.path.relpath(where, top) == os.path.join('tests', 'tidy'):
            directories[:] = [d for d in directories if d != 'planted']
        for name in names:
            if where == top and (name.startswith('build') or name in SKIPPED):
                continue  # .git is a file in a worktree
            whole = os.path.join(where, name)
            path = os.path.relpath(whole, top)
            if os.path.isfile(whole) and any(fnmatch.fnmatch(path, p) for p in patterns):
                found.append(path)
    return sorted(found)


def lines(top, path):
    with open(os.path.join(top, path), encoding='utf-8', errors='replace') as file:
        return list(enumerate(file.read().splitlines(), 1))


def table(name):
    """The lines of a table of tools/tidy.d, without comments, split into words."""
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        rows = [line.split('#')[0].split() for line in file]
    return [row for row in rows if row]


def exempt(name, path):
    return any(fnmatch.fnmatch(path, row[0]) for row in table(name))


def objects(build, *rooms):
    """The object files of rooms (directories of the build), by their path from build."""
    found = []
    for room in rooms:
        for where, _, names in os.walk(os.path.join(build, room)):
            found += [os.path.relpath(os.path.join(where, name), build)
                      for name in names if name.endswith('.o')]
    return sorted(set(found))


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          errors='replace').stdout


def finish(findings):
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
