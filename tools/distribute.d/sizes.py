"""The job `sizes` of tools/bench-distribute: what memory the largest packages and idle agents take.

One file of 50 GiB that is all hole, 1,000,000 files of 32 bytes in a tree of directories, and
agents that have nothing to do. Each figure has its bound; a package goes to a directory and to an
agent.
"""
import os
import subprocess
import time

import ours
from meter import Meter, memory_of
from peers import Failed

GIB = 1 << 30
MIB = 1 << 20
FILE_BYTES = 50 * GIB
FILES, FILES_EACH = 1000000, 1000
IDLE_AGENTS = 32
IDLE_SECONDS = 10
SITE_MOST, AGENT_MOST = 128 * MIB, 64 * MIB
IDLE_MOST, EACH_MOST = 12 * MIB, 64 << 10
ours.WAIT = 3600


def one_file(top):
    os.mkdir(top)
    with open(os.path.join(top, 'file'), 'wb') as file:
        file.truncate(FILE_BYTES)


def many_files(top):
    for directory in range(FILES // FILES_EACH):
        path = os.path.join(top, f'd{directory // 32:03}', f'd{directory % 32:03}')
        os.makedirs(path)
        for number in range(FILES_EACH):
            with open(os.path.join(path, f'f{number:04}'), 'wb') as file:
                file.write(b'%08d small file of the tree\n' % (directory * FILES_EACH + number))


def one_file_is(top, placed):
    """Its length, and that it takes no more of the disk than its hole does."""
    del top
    about = os.stat(os.path.join(placed, 'file'))
    return about.st_size == FILE_BYTES and about.st_blocks * 512 < MIB


def many_files_are(top, placed):
    return subprocess.run(['diff', '-rq', top, placed], stdout=subprocess.DEVNULL,
                          check=False).returncode == 0


INPUTS = [('one file of 50 GiB', one_file, one_file_is),
          ('1,000,000 files', many_files, many_files_are)]


def clear(path):
    """A million names at a time: the tool for that is faster than our own."""
    subprocess.run(['rm', '-rf', path], check=False)


class Sizes:
    """Rows as bench-distribute prints them, each when it is found."""

    def __init__(self, build, base, say, show):
        self.build, self.base, self.say, self.show = build, base, say, show
        self.lacking = []

    def row(self, source, points, metric, value, most=None):
        row = {'job': 'sizes', 'input': source, 'points': points, 'system': 'despool',
               'metric': metric, 'value': value, 'checked': 1, 'rounds': 1, 'ratio_p75': None}
        if most is not None:
            row |= {'at_most': most, 'ratio_p75': value / most}
        self.show(row)

    def measured(self, site, source, points, *words):
        meter = Meter(site.pids(), False)
        site.run(*words)
        figures = meter.stop(self.base)
        host, *agents = (meter.peaks.get(pid, 0) for pid in site.pids())
        what = f'{source}: ' + (f'to {words[3]}' if points else 'package add')
        self.row(what, points, 'seconds', figures['seconds'])
        self.row(what, points, 'cpu', figures['cpu'])
        self.row(what, points, 'rss site', host, SITE_MOST)
        self.row(what, points, 'rss agent', max(agents), AGENT_MOST)

    def package(self, source, make, is_right):
        top = os.path.join(self.base, 'source')
        self.say(f'sizes: {source}')
        make(top)
        site = ours.Site(self.build, os.path.join(self.base, 'site'))
        try:
            site.add_directories(['directory'])
            site.join(['agent'])
            self.measured(site, source, 0, 'package', 'add', ours.ID, top)
            for name in 'directory', 'agent':
                self.measured(site, source, 1, 'distribute', ours.ID, '--to', name,
                              f'--wait={ours.WAIT}')
                if not is_right(top, site.tree(name)):
                    raise Failed(f'{source} at {name} is not what was added')
        finally:
            site.close()
            clear(os.path.join(self.base, 'site'))
            clear(top)

    def idle(self):
        self.say(f'sizes: {IDLE_AGENTS} idle agents')
        site = ours.Site(self.build, os.path.join(self.base, 'site'))
        try:
            site.join(['first'])
            time.sleep(IDLE_SECONDS)
            before = memory_of(site.host.pid)
            site.join([f'idle{number}' for number in range(IDLE_AGENTS)])
            time.sleep(IDLE_SECONDS)
            each = (memory_of(site.host.pid) - before) / IDLE_AGENTS
            agents = [memory_of(pid) for pid in site.pids()[1:]]
            self.row('idle agents', IDLE_AGENTS, 'rss site each', each, EACH_MOST)
            self.row('idle agents', IDLE_AGENTS, 'rss agent', max(agents), IDLE_MOST)
        finally:
            site.close()
            clear(os.path.join(self.base, 'site'))

    def play(self):
        os.mkdir(self.base)
        for step in (self.idle, *(lambda one=one: self.package(*one) for one in INPUTS)):
            try:
                step()
            except (Failed, OSError, subprocess.SubprocessError) as failed:
                self.lacking.append(f'sizes: {failed}')
        clear(self.base)


def shown(row):
    value, unit = row['value'], ' s'
    if row['metric'].startswith('rss'):
        value, unit = value / MIB, ' MiB'
    text = f'  {row["input"]:42} {row["metric"]:14} {value:9.2f}{unit}'
    if 'at_most' in row:
        verdict = 'met' if row['ratio_p75'] <= 1 else 'MISSED'
        text += f', at most {row["at_most"] / MIB:g}  {verdict}'
    return text
