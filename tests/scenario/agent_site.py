"""A site that listens and the agents of its points, as scenarios of agents share them.

The agents are real despoold processes; a Puppet is one that says what a claim wants it to.
"""
import contextlib
import hashlib
import os
import random
import re
import signal
import socket
import subprocess
import uuid

import msgpack
import zmq
from zmq.utils import z85

import packs
from harness import DESPOOLD, Site, make_tree, write

WINDOW = 8 << 20  # AGENT_WINDOW_BYTES of proto/limits.h


HELD = []  # sockets


def free_port():
    """A port for a host of ours. It is held for as long as this process lives, by a socket that
    does not listen, beside which those listen that say SO_REUSEADDR, as libzmq does. Nobody else
    is given it meanwhile, not for a connection either: also while its host is away."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(('127.0.0.1', 0))
    HELD.append(holder)
    return holder.getsockname()[1]


class Agents(Site):
    """A site that listens, and the agents of its points."""

    def __init__(self):
        super().__init__()
        self.address = f'tcp://127.0.0.1:{free_port()}'
        self.options = ['--listen', self.address]
        self.agents = {}
        self.agent_env = {}
        self.enter = []  # words before an agent's command line

    def token(self, name, **args):
        return self.do('dp.add', {'name': name, 'agent': True, **args})['token']

    def join(self, name, token=None):
        """Starts an agent by its token and waits until it is here."""
        root = self.path('points', name)
        os.makedirs(root, exist_ok=True)
        live = sum(agent.poll() is None for agent in self.agents.values())
        self.wait_for('who has ended to be missed', lambda: self.figure('here') <= live)
        here = self.figure('here')
        self.spawn(name, 'join', token or self.token(name), '--root', root)
        self.wait_here(name, here)

    def spawn(self, name, *words):
        with open(self.path(name + '.log'), 'ab') as log:
            self.agents[name] = subprocess.Popen(
                [*self.enter, DESPOOLD, *words, '--data', self.path(name + '.data')],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.agent_env})

    def wait_here(self, name, others=0, seconds=30):
        self.wait_for(f'the agent of {name}', lambda: self.figure('here') > others, seconds)

    def figure(self, name):
        """One of the figures of agent_gateway."""
        text = self.do('component.show', {'name': 'agent_gateway'})['component']['describes']
        return int(re.search(rf'{name}: (\d+)', text).group(1))

    def end_agent(self, name, number=signal.SIGKILL):
        self.agents[name].send_signal(number)
        return self.agents[name].wait(timeout=20)

    def has(self, name):
        """Bytes of content that an agent has, whole or not."""
        data = self.path(name + '.data')
        bytes_there = sum(record.stored for record in packs.objects(data + '/store').values())
        for path, _, files in os.walk(data + '/incoming'):
            for file in files:
                with contextlib.suppress(FileNotFoundError):  # it was whole, and went to the store
                    bytes_there += os.path.getsize(os.path.join(path, file))
        return bytes_there

    def join_refused(self, token, root, data='refused.data', code=1):
        done = subprocess.run([DESPOOLD, 'join', token, '--data', self.path(data), '--root', root],
                              capture_output=True, text=True, timeout=40)
        assert done.returncode == code, f'exit {done.returncode}: {done.stdout}{done.stderr}'
        return done.stderr

    def show_log(self):
        super().show_log()
        for name in self.agents:
            with open(self.path(name + '.log'), errors='replace') as log:
                print(f'# agent {name}: ' + '# '.join(log.readlines()[-20:]))

    def close(self):
        for agent in self.agents.values():
            if agent.poll() is None:
                agent.send_signal(signal.SIGCONT)
                agent.kill()
                agent.wait()
        super().close()


def big_tree(path, megabytes):
    """A few small files, and one that takes its time: always the same bytes in a directory of this
    name, as where they are cut into chunks decides how much of them is sent."""
    make_tree(path)
    chance = random.Random(os.path.basename(path))
    write(os.path.join(path, 'big'), chance.randbytes(megabytes << 20))
    return path


def site_key(site, name):
    """The site's public key, as the agent of that name keeps it."""
    with open(site.path(name + '.data', 'agent'), encoding='ascii') as file:
        return bytes.fromhex(re.search('site-key ([0-9a-f]{64})', file.read()).group(1))


def dealer_with(site, server, secret):
    """A socket with the site's public key and a secret of its own (z85); it dials nobody yet."""
    dealer = site.context.socket(zmq.DEALER)
    dealer.linger = 0
    dealer.curve_serverkey = server
    dealer.curve_secretkey = secret
    dealer.curve_publickey = zmq.curve_public(secret)
    return dealer


def knock(site, dealer):
    """It dials the site and says a word, if it is not refused before it could."""
    dealer.connect(site.address)
    with contextlib.suppress(zmq.Again):
        dealer.send(b'let me in', zmq.DONTWAIT)


class Puppet:
    """An agent that says what the claim wants it to: by the keys of one that has joined."""

    def __init__(self, site, name, secret=None, once=False):
        with open(site.path(name + '.data', 'keys', 'transport')) as file:
            own = re.search('secret ([0-9a-f]{64})', file.read()).group(1)
        secret = z85.encode(secret or bytes.fromhex(own))
        self.dealer = dealer_with(site, site_key(site, name), secret)
        if once:
            self.dealer.reconnect_ivl = -1  # as who is shut out
        self.dealer.connect(site.address)

    def say(self, word, **record):
        self.dealer.send(msgpack.packb({'v': 1, 'say': word, 'is': record}))

    def hello(self):
        self.say('agent_hello', v=1, version='0', credit=WINDOW, visit=uuid.uuid4().hex)

    def hear(self, word, seconds=20):
        """What the site says with this word; None: it has said nothing for so long."""
        while self.dealer.poll(seconds * 1000):
            frame = msgpack.unpackb(self.dealer.recv())
            if frame['say'] == word:
                return frame['is']
        return None

    def hear_any(self, seconds=20):
        """The next that it says, whatever it is."""
        assert self.dealer.poll(seconds * 1000), 'the site says nothing'
        return msgpack.unpackb(self.dealer.recv())

    def order(self, *tasks, meanwhile=lambda: None):
        """The next order of such a task; beats meanwhile, as it is here."""
        for number in range(60):
            meanwhile()
            self.say('agent_beat', number=number)
            order = self.hear('agent_order', 1)
            if order and order['task'] in tasks:
                return order
        raise AssertionError(f'no order to {tasks}')

    def answers(self):
        """What has come, by its words."""
        came = []
        while self.dealer.poll(0):
            came.append(msgpack.unpackb(self.dealer.recv()))
        return came

    def close(self):
        self.dealer.close(0)


def welcomed(site, *who, **keys):
    """A Puppet, made of these, that has said hello and was welcomed."""
    puppet = Puppet(site, *who, **keys)
    puppet.hello()
    assert puppet.hear('agent_welcome') is not None, 'no welcome'
    return puppet


def stand_in(site, name):
    """An agent joins and ends; a Puppet that was welcomed has its place."""
    site.join(name)
    site.end_agent(name)
    return welcomed(site, name)


def secret_of(token):
    """The secret in a token, by token.h."""
    packed = bytes.fromhex(token.split('.')[1])
    return packed[2 + packed[1] + 32:][:32]


def token_by_way_of(token, address, key=None):
    """The same token with another address in it, and another key of the site, by token.h."""
    packed = bytes.fromhex(token.split('.')[1])[:-4]
    rest = packed[2 + packed[1]:]
    rest = (z85.decode(key) if key else rest[:32]) + rest[32:]
    packed = packed[:1] + bytes([len(address)]) + address.encode() + rest
    return 'despool1.' + (packed + hashlib.sha256(packed).digest()[:4]).hex()


def restarts(site):
    """Of the gateway."""
    return site.do('component.show', {'name': 'agent_gateway'})['component']['restarts']
