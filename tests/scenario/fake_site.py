"""Who has a site's place on the network: its address and its transport key, and perhaps more.

The signatures are made by libsodium itself, not by the product.
"""
import ctypes
import ctypes.util
import hashlib
import os
import re
import struct

import msgpack
import zmq
from zmq.utils import z85

TASKS = ('measure', 'work', 'probe', 'collect')
ACTIONS = ('install', 'remove', 'verify')


def secret(data, name):
    with open(os.path.join(data, 'keys', name), encoding='ascii') as file:
        return bytes.fromhex(re.search('secret ([0-9a-f]{64})', file.read()).group(1))


class Signer:
    """ed25519 by libsodium."""

    def __init__(self, seed):
        self.sodium = ctypes.CDLL(ctypes.util.find_library('sodium') or 'libsodium.so.23')
        public, self.whole = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        assert self.sodium.crypto_sign_seed_keypair(public, self.whole, seed) == 0

    def sign(self, text):
        signature = ctypes.create_string_buffer(64)
        assert self.sodium.crypto_sign_detached(signature, None, text,
                                                ctypes.c_ulonglong(len(text)), self.whole) == 0
        return signature.raw


def signed_text(visit, number, task, work):
    """What a site signs, by proto/PROTOCOL.md."""
    said = (bytes.fromhex(visit) + struct.pack('>QI', number, TASKS.index(task)) +
            msgpack.packb(work, use_bin_type=True))
    name = work['package'].encode()
    return (b'despool/order/1\0' + bytes.fromhex(work['site']) +
            bytes.fromhex(work['dp_incarnation']) +
            struct.pack('>I', ACTIONS.index(work['action'])) +
            bytes.fromhex(work['package_incarnation'] or '0' * 32) +
            struct.pack('>Q', work['epoch']) + hashlib.sha256(said).digest() +
            struct.pack('>H', len(name)) + name)


class FakeSite:
    """Who has the site's address and transport key, and perhaps the one by which it signs."""

    def __init__(self, site):
        self.site = site
        self.signer = Signer(secret(site.data, 'signing'))
        self.socket = site.context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.curve_server = True
        self.socket.curve_secretkey = z85.encode(secret(site.data, 'transport'))
        self.socket.bind(site.address)
        self.peer = self.visit = None

    def hear(self, word, seconds=30):
        """What the agent says with this word; its hellos are answered meanwhile."""
        while self.socket.poll(seconds * 1000):
            self.peer, body = self.socket.recv_multipart()
            frame = msgpack.unpackb(body, raw=False)
            if frame['say'] == 'agent_hello':
                self.visit = frame['is']['visit']
                self.say('agent_welcome', v=1)
            elif frame['say'] == 'agent_beat':
                self.say('agent_beat', number=frame['is']['number'])
            if frame['say'] == word:
                return frame['is']
        raise AssertionError(f'the agent does not say {word}')

    def say(self, word, **record):
        self.socket.send_multipart(
            [self.peer, msgpack.packb({'v': 1, 'say': word, 'is': record}, use_bin_type=True)])

    def order(self, number, task, work, signature=None, visit=None):
        text = signed_text(visit or self.visit, number, task, work)
        self.say('agent_order', order=number, task=task, work=work,
                 signature=signature or self.signer.sign(text))

    def word(self, word, visit=None, root=bytes(32)):
        """The signature of what is said to the agent of shop beside orders."""
        with open(self.site.path('shop.data', 'agent'), encoding='ascii') as file:
            agent = dict(line.split(' ', 1) for line in file.read().splitlines())
        return self.signer.sign(b'despool/' + word + b'/1\0' + bytes.fromhex(agent['site']) +
                                bytes.fromhex(agent['incarnation']) + bytes(4) +
                                bytes.fromhex(visit or self.visit) + bytes(8) + root + bytes(2))

    def removal(self, visit=None, word=b'removed'):
        """Of the word that its point is no more."""
        return self.word(word, visit)

    def address(self, address, visit=None):
        """Of another address of the site."""
        return self.word(b'address', visit, hashlib.sha256(address.encode()).digest())

    def answer(self, number):
        """What became of an order: the error in the answer."""
        while True:
            done = self.hear('agent_done')
            if done['order'] == number:
                return next(done[row]['err'] for row in ('outcome', 'measured', 'claimed',
                                                         'collected') if done[row])

    def close(self):
        self.socket.close(0)
