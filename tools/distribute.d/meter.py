"""What a system takes: seconds until all is durable, CPU, bytes on the wire, memory."""
import os
import resource
import subprocess
import threading
import time

TICK = 1 / os.sysconf('SC_CLK_TCK')
SAMPLE_SECONDS = 0.1


def below(tops):
    """The processes of tops and all that they have started."""
    children = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open(f'/proc/{name}/stat', encoding='latin-1') as file:
                    parent = int(file.read().rpartition(') ')[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            children.setdefault(parent, []).append(int(name))
    found, open_ones = set(), list(tops)
    while open_ones:
        one = open_ones.pop()
        if one not in found:
            found.add(one)
            open_ones += children.get(one, [])
    return found


def cpu_of(pid):
    """CPU seconds of a process that goes on, with those of the children it has waited for."""
    try:
        with open(f'/proc/{pid}/stat', encoding='latin-1') as file:
            return sum(map(int, file.read().rpartition(') ')[2].split()[11:15])) * TICK
    except OSError:
        return 0.0


def memory_of(pid):
    try:
        with open(f'/proc/{pid}/status', encoding='latin-1') as file:
            return sum(int(line.split()[1]) * 1024 for line in file
                       if line.startswith(('RssAnon:', 'RssShmem:')))
    except (OSError, ValueError):
        return 0


def own_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wire_bytes():
    with open('/proc/net/dev', encoding='ascii') as file:
        line, = (line for line in file if line.strip().startswith('lo:'))
        return int(line.split(':')[1].split()[8])


class Meter:
    """Measures from its making to stop (); `daemons` are processes that go on running. The memory
    of each process (RssAnon and RssShmem) is looked at ten times in a second; `rss` is the most
    that one of them had."""

    def __init__(self, daemons, wire):
        self.daemons = list(daemons)
        self.wire = wire
        self.ended = threading.Event()
        self.peaks = {}  # process -> bytes
        self.cpu = sum(map(self.cpu_below, self.daemons)) + own_cpu()
        self.bytes = wire_bytes() if wire else 0
        self.looker = threading.Thread(target=self.look, daemon=True)
        self.looker.start()
        self.begin = time.monotonic()

    @staticmethod
    def cpu_below(pid):
        return sum(map(cpu_of, below([pid])))

    def look(self):
        me = os.getpid()
        while not self.ended.wait(SAMPLE_SECONDS):
            for pid in below([me]) - {me}:
                self.peaks[pid] = max(self.peaks.get(pid, 0), memory_of(pid))

    def stop(self, directory):
        """The figures; what is below directory is durable before the clock is read."""
        subprocess.run(['sync', '-f', directory], check=True)
        seconds = time.monotonic() - self.begin
        self.ended.set()
        self.looker.join()
        figures = {'seconds': seconds, 'rss': max(self.peaks.values(), default=0),
                   'cpu': sum(map(self.cpu_below, self.daemons)) + own_cpu() - self.cpu}
        if self.wire:
            figures['wire'] = wire_bytes() - self.bytes
        return figures
