#!/usr/bin/python3
"""Plain bulk: bytes of data by a connection that is not encrypted, where the operator wants it.

Each object is still held against its digest of a signed version; a stranger at the port gets
nothing without a ticket, which is good once; and what does not work goes by the encrypted
connection."""
import os
import re
import socket

import msgpack
import zmq

from agent_site import WINDOW, Agents, big_tree, free_port
from chaos_proxy import Proxy
from harness import claim, despool, run, write

TICKET = re.compile(rb'agent_ticket.*?ticket.{1,3}?([0-9a-f]{64})', re.S)


class Plain(Agents):
    """A site with an address for plain bulk, and a wire before it."""

    def __init__(self, fault='pass', **drawn):
        super().__init__()
        self.plain = f'tcp://127.0.0.1:{free_port()}'
        self.wire = Proxy(self.plain, fault, **drawn)
        self.wire.start()
        self.options += ['--listen-plain', self.plain]
        self.by_way_of(self.wire.address)

    def by_way_of(self, address):
        """What agents are told, from the next start on."""
        config = self.path('despool.cfg')
        write(config, f'listen\n    plain-address = {address}\n'.encode())
        if '--config' not in self.options:
            self.options = [*self.options, '--config', config]

    def set_bulk(self, way, name='shop'):
        return self.do('dp.set', {'name': name, 'bulk': way})['changed']

    def begin(self, source, name='shop'):
        self.do('package.add', {'id': 'P1', 'source': source})
        self.do('distribute', {'id': 'P1', 'to': [name]})

    def ticket(self):
        """One that an agent has said through the wire."""
        for said in self.wire.heard.values():
            found = TICKET.search(bytes(said))
            if found:
                return found.group(1).decode()
        return None

    def joined(self):
        self.start()
        self.join('shop')
        assert self.set_bulk('plain') is True
        self.wait_for('its ticket', self.ticket)


def told(site, number):
    return [event for event in site.history() if event['id'] == number]


@claim(120)
def a_tree_reaches_an_agent_unencrypted_where_that_is_wanted_and_nowhere_else():
    with Plain() as site:
        source = big_tree(site.path('source'), 8)
        write(os.path.join(source, 'words'), b'these words can be read on their way ' * 1000)
        site.start()
        site.join('shop')
        site.begin(source)
        site.wait_states('P1', {'shop': 'installed'})
        assert site.figure('in plain') == 0, 'nobody wanted it'
        assert site.do('dp.show', {'name': 'shop'})['dp']['bulk'] == 'curve'
        assert site.set_bulk('plain') is True
        assert site.set_bulk('plain') is False
        site.wait_for('its ticket', site.ticket)
        assert site.do('dp.show', {'name': 'shop'})['dp']['bulk'] == 'plain'
        write(os.path.join(source, 'big'), os.urandom(8 << 20))
        site.do('package.update', {'id': 'P1', 'version': 'two'})
        site.wait_for('the update', lambda: site.target('P1', 'shop')['have']['label'] == 'two')
        site.holds('shop', 'P1', source)
        assert site.figure('in plain') >= 8 << 20, site.figure('in plain')
        assert site.wire.sent >= 8 << 20, f'{site.wire.sent} bytes came by the plain connection'
        assert told(site, 2417)[0]['dp'] == 'shop'
        assert not told(site, 2418)
        assert site.do('verify', {'id': 'P1'})['ok']
        site.stop()


@claim(120)
def bytes_that_were_changed_on_the_way_are_refused_and_come_again_by_the_other_connection():
    with Plain('flip', strikes=1000, first=300000, last=600000, again=300000) as site:
        source = big_tree(site.path('source'), 8)
        site.joined()
        site.begin(source)
        site.wait_states('P1', {'shop': 'installed'}, 90)
        assert site.wire.struck > 0, 'nothing was changed'
        assert told(site, 2418), 'nobody is told that it does not work'
        site.holds('shop', 'P1', source)
        sent = site.figure('sent')
        assert sent <= (9 << 20) + (site.wire.struck + 1) * WINDOW, f'{sent} bytes were sent'
        assert site.do('verify', {'id': 'P1'})['ok']
        site.stop()


@claim(180)
def what_does_not_come_through_in_the_clear_goes_by_the_encrypted_connection():
    """The port is closed to the agent; then it breaks under each transfer."""
    with Plain('reset', strikes=1000) as site:
        site.by_way_of(f'tcp://127.0.0.1:{free_port()}')
        site.start()
        site.join('shop')
        site.set_bulk('plain')
        source = big_tree(site.path('source'), 4)
        site.begin(source)
        site.wait_states('P1', {'shop': 'installed'})
        assert site.figure('in plain') == 0
        site.wait_for('it to be told', lambda: told(site, 2418), 60)
        assert 'does not come' in told(site, 2418)[0]['text'], told(site, 2418)
        site.stop()
        site.by_way_of(site.wire.address)
        site.start()
        site.wait_for('its ticket', site.ticket)
        write(os.path.join(source, 'big'), os.urandom(8 << 20))
        site.do('package.update', {'id': 'P1', 'version': 'two'})
        site.wait_for('the update', lambda: site.target('P1', 'shop')['have']['label'] == 'two', 90)
        site.holds('shop', 'P1', source)
        assert site.wire.struck > 0, 'nothing was struck'
        site.stop()


@claim(120)
def a_plain_connection_that_falls_silent_is_left():
    with Plain('stall', strikes=1, first=300000, last=600000) as site:
        source = big_tree(site.path('source'), 8)
        site.joined()
        site.begin(source)
        site.wait_states('P1', {'shop': 'installed'}, 90)
        assert site.wire.struck == 1, 'it never stalled'
        site.holds('shop', 'P1', source)
        site.stop()


class Stranger:
    """Somebody at the plain port."""

    def __init__(self, site):
        self.dealer = site.context.socket(zmq.DEALER)
        self.dealer.linger = 0
        self.dealer.reconnect_ivl = -1
        self.watch = self.dealer.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.dealer.connect(site.plain)

    def say(self, ticket):
        self.dealer.send(msgpack.packb({'v': 1, 'say': 'agent_ticket', 'is': {'ticket': ticket}}))

    def hears(self, milliseconds):
        return self.dealer.poll(milliseconds) != 0

    def is_ended(self, seconds=30):
        return self.watch.poll(seconds * 1000) != 0

    def close(self):
        self.dealer.disable_monitor()
        self.dealer.close(0)


@claim(180)
def a_stranger_at_the_plain_port_gets_nothing_and_is_counted():
    with Plain() as site:
        source = big_tree(site.path('source'), 8)
        site.joined()
        unknown = site.figure('unknown')
        one = Stranger(site)
        one.say(os.urandom(32).hex())
        site.wait_for('it to be counted', lambda: site.figure('unknown') == unknown + 1)
        again = Stranger(site)  # what was said once is good for nobody any more
        again.say(site.ticket())
        site.wait_for('it to be counted', lambda: site.figure('unknown') == unknown + 2)
        site.begin(source)
        site.wait_states('P1', {'shop': 'installed'})
        assert not one.hears(0) and not again.hears(0), 'a stranger was sent something'
        again.say(site.ticket())
        assert again.is_ended(), 'a second word was heard'
        assert one.is_ended(), 'who is not known may stay'
        large = Stranger(site)
        large.dealer.send(b'x' * 4096)
        assert large.is_ended(), 'a long word was heard'
        assert site.figure('unknown') == unknown + 2, site.figure('unknown')
        assert site.figure('in plain') > 8 << 20
        for stranger in one, again, large:
            stranger.close()
        site.stop()


@claim(120)
def those_who_say_nothing_at_the_plain_port_are_ended_and_keep_nobody_out():
    with Plain() as site:
        source = big_tree(site.path('source'), 8)
        site.start()
        host, port = site.plain[len('tcp://'):].rsplit(':', 1)
        silent = [socket.create_connection((host, int(port)), 20) for _ in range(600)]
        greeted = [Stranger(site) for _ in range(20)]
        for half in silent[:100]:
            half.send(b'\xff\0\0\0\0\0\0\0\x01\x7f')  # the beginning of a greeting
        site.join('shop')
        site.set_bulk('plain')
        site.wait_for('its ticket', site.ticket)
        site.begin(source)
        site.wait_states('P1', {'shop': 'installed'})
        assert site.figure('in plain') > 8 << 20
        for half in silent:
            half.settimeout(60)
            while half.recv(4096):  # the site's own greeting, then its end
                pass
            half.close()
        for stranger in greeted:
            assert stranger.is_ended(), 'who says nothing may stay'
            stranger.close()
        assert site.figure('paired') == 1, 'the agent has ended with them'
        site.stop()


@claim(120)
def it_is_switched_while_bytes_are_under_way():
    """To the encrypted connection at once; to the other one with the next that is asked for."""
    with Plain() as site:
        source = big_tree(site.path('source'), 24)
        site.joined()
        site.do('dp.set', {'name': 'shop', 'rate': 1 << 20})  # it takes 24 s
        site.wait_for('the rate', lambda: site.figure('slowest') == 1 << 20)
        site.begin(source)
        site.wait_for('bytes in plain', lambda: site.figure('in plain') > 1 << 20)
        assert site.set_bulk('curve') is True
        site.wait_for('bytes of the other way',
                      lambda: site.figure('sent') > site.figure('in plain') + (1 << 20))
        plain = site.figure('in plain')
        assert site.states('P1')['shop'] != 'installed', 'it is too late'
        site.do('dp.set', {'name': 'shop', 'rate': 0})
        site.wait_states('P1', {'shop': 'installed'}, 60)
        assert site.figure('in plain') == plain, 'bytes went unencrypted that should not'
        sent = site.figure('sent')
        assert sent <= (25 << 20) + WINDOW, f'{sent} bytes were sent'
        site.holds('shop', 'P1', source)
        site.wire.heard.clear()
        site.set_bulk('plain')
        site.wait_for('another ticket', site.ticket)
        write(os.path.join(source, 'big'), os.urandom(4 << 20))
        site.do('package.update', {'id': 'P1', 'version': 'two'})
        site.wait_for('the update', lambda: site.target('P1', 'shop')['have']['label'] == 'two')
        assert site.figure('in plain') >= plain + (4 << 20)
        site.stop()


@claim(60)
def it_is_refused_where_it_cannot_be():
    with Agents() as site:
        site.start()
        site.join('shop')
        error = site.refused('dp.set', {'name': 'shop', 'bulk': 'plain'}, 'bad-value')
        assert '--listen-plain' in error['hint'], error
        site.add_point('here')
        site.refused('dp.set', {'name': 'here', 'bulk': 'curve'}, 'bad-value')
        site.refused('dp.set', {'name': 'shop', 'bulk': 'loud'}, 'bad-value')
        done = despool(site, 'dp', 'set', 'shop', '--bulk', 'curve')
        assert done.returncode == 0, done
        site.stop()
        site.options = ['--listen-plain', f'tcp://127.0.0.1:{free_port()}']
        site.start(ready=False)
        assert site.wait_gone() == 1, 'it started without an address for agents'


run()
