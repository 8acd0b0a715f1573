#!/usr/bin/python3
"""What went wrong in the Sender of SMS: what was lost is sent for ever, a timer that another one
does not know, a send that meets the lock of the one before, and dead sites that eat what the live
ones need. With real agents over real connections."""
import hashlib
import os
import select
import signal
import socket
import threading
import time

import packs
from agent_site import WINDOW, Agents, big_tree
from harness import BAD_DISK, Skip, claim, make_tree, run, set_rule, write

SILENCE = 8  # seconds: AGENT_SILENCE_MS of proto/limits.h


# ---- D25 ----

def damage(site, digest):
    """The site's own copy of this object goes bad."""
    record = packs.objects(site.path('site', 'store'))[digest]
    with open(record.path, 'r+b') as file:
        file.seek(record.offset + packs.HEAD.size)
        byte = file.read(1)
        file.seek(record.offset + packs.HEAD.size)
        file.write(bytes([byte[0] ^ 1]))


def nothing_is_left(site, name):
    """Neither a package that is none nor files without bytes."""
    there = os.listdir(site.path('points', name))
    assert there == ['.despool'], f'{name} holds {there}'
    for top in (site.path('points', name), site.path(name + '.data', 'incoming')):
        for path, _, files in os.walk(top):
            empty = [f for f in files if os.path.getsize(os.path.join(path, f)) == 0]
            assert not empty, f'{path} has files without a byte: {empty}'


def a_part_that_the_site_lost(lost):
    """A version of which lost(tree, root) is not there any more."""
    with Agents() as site:
        source = big_tree(site.path('source'), 3)
        site.start()
        site.join('shop')
        root = site.do('package.add', {'id': 'P1', 'source': source})['version']['root']
        site.do('package.add', {'id': 'P2', 'source': make_tree(site.path('other'), seed=2)})
        damage(site, lost(source, root))
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'failed'}, 40)
        cause = site.target('P1', 'shop')['cause']
        assert cause['code'] == 'not-stored' and 'package update' in cause['hint'], cause
        nothing_is_left(site, 'shop')
        sent = site.figure('sent')
        assert sent <= (3 << 20) * 1.05, f'{sent} bytes were sent of what cannot be whole'
        began = [e for e in site.history() if e['id'] == 2329 and e['package'] == 'P1']
        assert len(began) <= 3, f'it was begun {len(began)} times'  # INTEGRITY_ATTEMPTS_MAX
        site.do('distribute', {'id': 'P2', 'to': ['shop']})
        site.wait_package('P2', 'complete')
        assert site.states('P1') == {'shop': 'failed'}, site.states('P1')
        site.do('package.update', {'id': 'P1'})
        assert site.do('retry', {'id': 'P1'})['changed']
        site.wait_package('P1', 'complete', 60)
        site.holds('shop', 'P1', source)
        site.stop()


@claim(120)
def q279498_content_that_the_site_lost_is_told_and_not_sent_for_ever():
    def content(source, _):
        with open(os.path.join(source, 'd0', 'e0', 'file-0'), 'rb') as file:
            return hashlib.sha256(file.read()).hexdigest()
    a_part_that_the_site_lost(content)


@claim(120)
def q235837_a_manifest_that_the_site_lost_is_told_and_not_sent_for_ever():
    a_part_that_the_site_lost(lambda _, root: root)


# ---- D26 ----

@claim(180)
def q278357_a_retry_that_waits_longer_than_silence_is_allowed_meets_its_agent():
    if not os.path.exists(BAD_DISK):
        raise Skip('there is no bad_disk library')
    with Agents() as site:
        source = make_tree(site.path('source'))
        site.agent_env = {'LD_PRELOAD': BAD_DISK, 'BAD_DISK_RULE': site.path('rule')}
        site.start()
        site.join('shop')
        set_rule(site, 'eio 0 ' + site.path('points', 'shop', '.despool', 'staging'))
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_for('a retry that waits long', lambda: site.target('P1', 'shop')['attempts'] >= 5,
                      60)
        set_rule(site, 'ok 0 /')
        site.wait_states('P1', {'shop': 'installed'}, 60)
        site.holds('shop', 'P1', source)
        gone = [e['text'] for e in site.history() if e['dp'] == 'shop' and 'not there' in e['text']]
        assert not gone, f'it was thought gone: {gone}'
        assert site.figure('vain') == 0, 'it was not there when it was wanted'
        site.stop()


# ---- D27 ----

class Cutter(threading.Thread):
    """A proxy that ends each of the first connections after so many bytes of the site's."""

    def __init__(self, site, cuts, after):
        super().__init__(daemon=True)
        self.to = site.address[len('tcp://'):].rsplit(':', 1)
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.cuts, self.after, self.cut = cuts, after, 0
        self.pairs, self.passed = {}, {}

    def run(self):
        while True:
            ready, _, _ = select.select([self.listener, *self.pairs], [], [])
            for end in ready:
                if end is self.listener:
                    self.take_in()
                elif end in self.pairs:
                    self.pump(end)

    def take_in(self):
        agent, _ = self.listener.accept()
        try:
            site = socket.create_connection((self.to[0], int(self.to[1])))
        except OSError:  # it has ended
            agent.close()
            return
        self.pairs.update({agent: site, site: agent})
        self.passed[site] = 0

    def pump(self, end):
        other = self.pairs[end]
        try:
            data = end.recv(65536)
            if end in self.passed:
                self.passed[end] += len(data)
                if self.passed[end] > self.after and self.cut < self.cuts:
                    self.cut += 1
                    data = b''
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        for each in (end, other):
            self.pairs.pop(each, None)
            self.passed.pop(each, None)
            each.close()


@claim(180)
def q153260_a_send_that_was_broken_off_goes_on_where_it_was_and_meets_no_lock_of_its_own():
    with Agents() as site:
        source = big_tree(site.path('source'), 48)
        site.start()
        wire = Cutter(site, 3, 10 << 20)
        wire.start()
        site.join('shop', by_way_of(site.token('shop'), wire))
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_package('P1', 'complete', 90)
        site.holds('shop', 'P1', source)
        assert wire.cut == 3, f'{wire.cut} connections were broken off'
        sent = site.figure('sent')
        assert sent <= (48 << 20) * 1.05 + 3 * WINDOW, f'{sent} bytes were sent'
        told = [e for e in site.history() if e['id'] in (2328, 2331)]
        wrong = [e['text'] for e in told if 'not there' not in e['text']]
        assert not wrong, f'a try met something else than the link: {wrong}'
        assert site.target('P1', 'shop')['attempts'] == 1, site.target('P1', 'shop')
        site.stop()


def by_way_of(token, wire):
    """The same token with the proxy's address in it, by token.h."""
    address = f'tcp://127.0.0.1:{wire.listener.getsockname()[1]}'.encode()
    packed = bytes.fromhex(token.split('.')[1])[:-4]
    packed = packed[:1] + bytes([len(address)]) + address + packed[2 + packed[1]:]
    return 'despool1.' + (packed + hashlib.sha256(packed).digest()[:4]).hex()


# ---- D28 ----

@claim(240)
def q214485_dead_points_take_no_slot_and_no_byte_from_the_live_ones():
    dead, live = ('a1', 'a2', 'a3', 'a4'), ('b1', 'b2')
    with Agents() as site:
        site.start()
        site.do('component.set', {'name': 'despooler', 'slots': 2})
        sources = [make_tree(site.path(f'source-{number}'), seed=number) for number in range(4)]
        for number, source in enumerate(sources):
            write(os.path.join(source, 'some'), os.urandom(256 << 10))
            site.do('package.add', {'id': f'P{number}', 'source': source})
        for number, name in enumerate((*dead, *live), 1):
            site.join(name)
            site.wait_for('all so far', lambda n=number: site.figure('here') == n)
        for name in dead:
            site.agents[name].send_signal(signal.SIGSTOP)
        site.do('distribute', {'id': 'P0', 'to': [*dead, *live]})
        site.wait_states('P0', {**dict.fromkeys(dead, 'retrying'),
                                **dict.fromkeys(live, 'installed')}, 60)
        since, vain, sent = time.monotonic(), site.figure('vain'), site.figure('sent')
        for number in (1, 2, 3):
            site.do('distribute', {'id': f'P{number}', 'to': [*dead, *live]})
        for number in (1, 2, 3):
            site.wait_states(f'P{number}', {**dict.fromkeys(dead, 'retrying'),
                                            **dict.fromkeys(live, 'installed')}, 60)
        sent = site.figure('sent') - sent
        assert sent <= 3 * len(live) * (400 << 10), f'{sent} bytes: some of them to the dead'
        begun = [e['dp'] for e in site.history() if e['id'] == 2329 and e['dp'] in dead]
        assert not begun, f'work was begun at the dead: {begun}'
        vain = site.figure('vain') - vain
        looks = len(dead) * (time.monotonic() - since) / 2  # PROBE_PERIOD_MS
        assert vain <= 2 * 3 * len(dead) + looks, f'{vain} orders for who is not there'
        for number in range(4):
            for name in dead:
                target = site.target(f'P{number}', name)
                assert target['cause']['code'] == 'absent' and target['attempts'] == 0, target
        for name in dead:
            site.agents[name].send_signal(signal.SIGCONT)
        for number, source in enumerate(sources):
            site.wait_package(f'P{number}', 'complete', 60)
            for name in (*dead, *live):
                site.holds(name, f'P{number}', source)
        site.stop()


run()
