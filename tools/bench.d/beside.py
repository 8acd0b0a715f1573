"""What a host costs those beside it: idle, and by the spinning of its workers."""
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

IDLE_SECONDS = 60
SPIN_SECONDS = 4.0
HEAD_START = 0.1         # seconds that the host runs before the busy ones begin, and after
BUSY = 2                 # processes
PACES = ('idle', 'ticking', 'paced', 'flat')
SPIN = r'(#define SPIN_TURNS +)\d+u'


class Failed(Exception):
    """A program did not do what it was started for."""


def cpu_seconds(pid):
    """All that the process has used so far: its CPU clock."""
    return time.clock_gettime((~pid << 3) | 2)


def idle_cpu(host, seconds):
    """Percent of one processor that a host with an empty site uses, once it is ready."""
    site = tempfile.mkdtemp(prefix='despool-bench-')
    process = subprocess.Popen([host, '--data', site], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        said = process.stdout.readline()
        if ': ready' not in said:
            raise Failed(f'despoold did not get ready: {said.strip()}')
        time.sleep(1)  # what it does once, after its start
        began, used = time.monotonic(), cpu_seconds(process.pid)
        time.sleep(seconds)
        return 100 * (cpu_seconds(process.pid) - used) / (time.monotonic() - began)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
        shutil.rmtree(site, ignore_errors=True)


def begin(command, *words):
    return subprocess.Popen([command, *map(str, words)], stdout=subprocess.PIPE, text=True,
                            stdin=subprocess.DEVNULL)


def end(process):
    said = process.communicate()[0]
    if process.returncode:
        raise Failed(f'{os.path.basename(process.args[0])}: exit code {process.returncode}')
    return json.loads(said)


def beside(busy, host, pace, seconds):
    """What the busy ones got done beside the host (None: alone), and what the host says."""
    ms = int(seconds * 1000)
    ours = host and begin(host, 'spin', pace, ms + int(2000 * HEAD_START))
    time.sleep(HEAD_START)
    others = [begin(busy, 'busy', 'alone', ms) for _ in range(BUSY)]
    done = sum(end(process)['ops'] for process in others)
    return done, end(ours) if ours else None


def spin_rounds(busy, spinning, still, rounds, seconds=SPIN_SECONDS):
    """Per pace: percent of the busy ones' work that goes when workers spin, and how it came."""
    taken = {pace: [] for pace in PACES}
    for _ in range(rounds):
        alone = beside(busy, None, None, seconds)[0]
        for pace in PACES:
            taken[pace].append((alone, beside(busy, spinning, pace, seconds),
                                beside(busy, still, pace, seconds)))
    return {pace: judged(found) for pace, found in taken.items()}


def lost(done, of):
    return 100 * (1 - done / of)


def each(said):
    """CPU time of the host, in microseconds: per round trip, or per second where there is none."""
    return said['cpu_seconds'] * 1e6 / (said['ops'] or said['seconds'])


def burnt(rounds):
    """Percent of the busy ones' processors that the host takes more because it spins."""
    more = [(each(on) - each(off)) * (on['ops'] or on['seconds']) / on['seconds'] / 1e6
            for on, off in rounds]
    return 100 * statistics.median(more) / BUSY


def judged(found):
    middle = statistics.median
    unit = 'trip' if found[0][1][1]['ops'] else 's'
    return middle(lost(on, off) for _, (on, _), (off, _) in found), (
        f'of the work of {BUSY} busy processes; beside a host that spins they lose '
        f'{middle(lost(on, alone) for alone, (on, _), _ in found):.1f} %, beside one that does '
        f'not {middle(lost(off, alone) for alone, _, (off, _) in found):.1f} %; spinning burns '
        f'{burnt([(on, off) for _, (_, on), (_, off) in found]):.1f} % of their CPU; the host '
        f'{middle(each(on) for _, (_, on), _ in found):.0f} us/{unit}, '
        f'{middle(each(off) for _, _, (_, off) in found):.0f} us/{unit}; '
        f'{middle(on["ops"] / on["seconds"] for _, (_, on), _ in found):.0f} trips/s, '
        f'{middle(off["ops"] / off["seconds"] for _, _, (_, off) in found):.0f} trips/s')
