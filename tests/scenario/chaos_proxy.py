"""A wire that does harm: a TCP proxy between agents and their site, whose faults a seed draws.

Each connection by which enough has come meets the fault once, at a byte that is drawn for it by the
seed and the connection's number, until there were as many strikes as were asked for; then the wire
is a good one. What the site says is harmed, what it hears passes as it is.

  reset   both ends are told so by RST
  stall   nothing passes any more, in either direction, and nobody is told
  drip    some thousands of bytes pass one by one
  steps   the line becomes slow and fast again: each step has its own rate and number of bytes
  twice   what was just passed on is passed on once more
  flip    one bit of it is another
  pass    none
"""
import contextlib
import random
import select
import socket
import struct
import threading
import time

FAULTS = ('reset', 'stall', 'drip', 'steps', 'twice', 'flip')
BLOCK = 65536
DRIPS = 4000           # bytes that pass one by one
STEPS = 6
STEP_BYTES = 150000    # of a step, about
STEP_RATES = (100000, 2000000)  # bytes a second, of the slowest and the fastest


class Direction:
    """One direction of a connection: from one socket to the other."""

    def __init__(self, source, sink, chance=None, first=20000, last=1500000):
        self.source, self.sink = source, sink
        self.passed = 0
        self.at = chance.randrange(first, last) if chance else None  # None: it meets no fault
        self.steps = [(chance.randint(*STEP_RATES), chance.randrange(STEP_BYTES // 2, STEP_BYTES))
                      for _ in range(STEPS)] if chance else []
        self.ready = 0.0   # when a slow line takes something again


class Proxy(threading.Thread):
    """Passes connections at its own address on to that of the site."""

    def __init__(self, address, fault='pass', seed=0, strikes=3, first=20000, last=1500000,
                 again=None):
        super().__init__(daemon=True)
        host, port = address[len('tcp://'):].rsplit(':', 1)
        self.to = (host, int(port))
        self.fault, self.seed, self.strikes = fault, seed, strikes
        self.span = (first, last)
        self.again = again   # bytes after which a connection is struck once more; None: never
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.address = f'tcp://127.0.0.1:{self.listener.getsockname()[1]}'
        self.struck = 0
        self.taken = 0
        self.sent = 0        # bytes that the site has said, as they came
        self.heard = {}      # what was said to the site first, by the connection's number
        self.directions = {}
        self.stalled = set()

    # ---- connections ----

    def take_in(self):
        agent, _ = self.listener.accept()
        try:
            site = socket.create_connection(self.to)
        except OSError:  # it has ended
            agent.close()
            return
        chance = random.Random(f'{self.seed} {self.taken}')
        for end in agent, site:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.directions[site] = Direction(site, agent, chance, *self.span)
        self.directions[agent] = Direction(agent, site)
        self.directions[agent].number = self.taken
        self.heard[self.taken] = bytearray()
        self.taken += 1

    def end(self, direction, reset=False):
        for each in (direction.source, direction.sink):
            self.directions.pop(each, None)
            self.stalled.discard(each)
            with contextlib.suppress(OSError):
                if reset:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            each.close()

    # ---- what passes ----

    def run(self):
        while True:
            now = time.monotonic()
            waiting = [d for d in self.directions.values() if d.ready > now]
            slow = {d.source for d in waiting}
            until = min((d.ready - now for d in waiting), default=None)
            ends = [end for end in self.directions if end not in slow]
            ready, _, _ = select.select([self.listener, *ends], [], [], until)
            for end in ready:
                if end is self.listener:
                    self.take_in()
                elif end in self.directions:
                    self.pump(self.directions[end])

    def pump(self, direction):
        try:
            data = direction.source.recv(BLOCK)
            if not data:
                self.end(direction)
            elif direction.source not in self.stalled:
                self.pass_on(direction, data)
        except OSError:
            self.end(direction)

    def pass_on(self, direction, data):
        before = direction.passed
        direction.passed += len(data)
        if direction.at is None:
            kept = self.heard[direction.number]
            kept += data[:1024 - len(kept)] if len(kept) < 1024 else b''
            direction.sink.sendall(data)
            return
        self.sent += len(data)
        strikes = self.struck < self.strikes and before <= direction.at < direction.passed
        if strikes and self.fault != 'pass':
            self.struck += 1
            direction.at = direction.passed + self.again if self.again else direction.at
            getattr(self, self.fault)(direction, data)
        elif direction.ready:
            self.step(direction, data)
        else:
            direction.sink.sendall(data)

    # ---- faults ----

    def reset(self, direction, data):
        direction.sink.sendall(data[:len(data) // 2])
        self.end(direction, reset=True)

    def stall(self, direction, _data):
        self.stalled |= {direction.source, direction.sink}

    def drip(self, direction, data):
        for at in range(min(len(data), DRIPS)):
            direction.sink.sendall(data[at:at + 1])
        direction.sink.sendall(data[DRIPS:])

    def steps(self, direction, data):
        direction.ready = time.monotonic()
        self.step(direction, data)

    def step(self, direction, data):
        """Passes it on, and nothing more until it would have passed at the rate of this step."""
        direction.sink.sendall(data)
        if not direction.steps:
            direction.ready = 0.0
            return
        rate, left = direction.steps[0]
        direction.ready = time.monotonic() + len(data) / rate
        direction.steps[0] = (rate, left - len(data))
        if left <= len(data):
            direction.steps.pop(0)

    def twice(self, direction, data):
        direction.sink.sendall(data + data)

    def flip(self, direction, data):
        data = bytearray(data)
        data[len(data) // 2] ^= 0x10
        direction.sink.sendall(data)
