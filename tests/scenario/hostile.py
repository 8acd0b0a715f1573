#!/usr/bin/python3
"""What those can do who mean a site and its agents no good: docs/threats.md has the list.

Strangers at the door, a point that says what it should not, a machine that has the site's place on
the network and its transport key, with and without the key by which it signs, and a wire that
changes bytes. Whatever they do, work goes on beside them, nothing is placed that the site did not
sign, and nobody's process ends. The signatures are made by libsodium itself, not by the product.
"""
import hashlib
import os
import re
import socket

import msgpack
import zmq

from agent_site import (
    Agents, Puppet, big_tree, dealer_with, knock, restarts, site_key, stand_in, token_by_way_of,
    welcomed)
from chaos_proxy import Proxy
from fake_site import FakeSite, signed_text
from harness import SLOW, claim, make_tree, run, write

STRANGERS = int(os.environ.get('DESPOOL_STRANGERS', '300'))  # 10,000 as a long run


def measured_well(puppet, number, err='ok'):
    puppet.say('agent_done', order=number, outcome=None, claimed=None, collected=None,
               signature=None, measured={
                   'err': err, 'text': None, 'already': False, 'device': 1, 'need_bytes': 1,
                   'need_inodes': 1, 'have_bytes': 1 << 40, 'have_inodes': 1 << 30,
                   'reached': True})


def recorded_order(site):
    """The order to place P1, as the agent of shop hears it; the agent itself is away."""
    site.end_agent('shop')
    puppet = welcomed(site, 'shop')
    site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
    site.do('distribute', {'id': 'P1', 'to': ['shop']})
    measured_well(puppet, puppet.order('measure')['order'])
    order = puppet.order('work')
    puppet.close()
    return order


def nothing_is_placed(site, name='shop'):
    there = os.listdir(site.path('points', name))
    assert there == ['.despool'], f'{name} holds {there}'
    assert site.has(name) == 0, f'{site.has(name)} bytes were stored at {name}'


def site_is_taken(site, name='shop'):
    """The site has ended, somebody else has its place, and the agent has dialled there."""
    site.stop()
    fake = FakeSite(site)
    site.spawn(name)
    fake.hear('agent_hello')
    return fake


# ---- a malicious site ----

@claim(90)
def an_order_that_was_recorded_is_worth_nothing_later_or_twice():
    with Agents() as site:
        site.start()
        site.join('shop')
        order = recorded_order(site)
        fake = site_is_taken(site)
        work, number = order['work'], order['order']
        fake.order(number, 'work', work, order['signature'])
        assert fake.answer(number) == 'signature', 'an order of another connection was taken'
        nothing_is_placed(site)
        fake.order(number, 'work', work)  # one that holds, so that the claim above can fail
        assert fake.hear('agent_need')['order'] == number
        fake.order(number, 'work', work)
        assert fake.answer(number) == 'signature', 'the same order was taken twice'
        for wrong in ({**work, 'epoch': work['epoch'] + 1}, {**work, 'root': '11' * 32},
                      {**work, 'action': 'remove'}, {**work, 'grace_ms': 1}):
            number += 1
            text = signed_text(fake.visit, number, 'work', work)
            fake.order(number, 'work', wrong, fake.signer.sign(text))
            assert fake.answer(number) == 'signature', f'{wrong} was not what was signed'
        fake.order(number + 1, 'measure', work,
                   fake.signer.sign(signed_text(fake.visit, number + 1, 'work', work)))
        assert fake.answer(number + 1) == 'signature', 'an order was taken for another task'
        fake.close()


@claim(60)
def an_order_for_another_point_is_not_taken():
    with Agents() as site:
        site.start()
        site.join('shop')
        order = recorded_order(site)
        fake = site_is_taken(site)
        other = {**order['work'], 'dp_incarnation': '22' * 16}
        fake.order(order['order'], 'work', other)
        assert fake.answer(order['order']) == 'signature', "another point's order was taken"
        nothing_is_placed(site)
        fake.close()


@claim(90)
def a_name_that_leads_elsewhere_does_not_end_an_agent():
    with Agents() as site:
        site.start()
        site.join('shop')
        order = recorded_order(site)
        fake = site_is_taken(site)
        number = order['order']
        for name in ('..', '.', '', '.despool', 'a/b', '/etc', 'x\0y', '-rf', ' '):
            for task in ('work', 'measure', 'collect'):
                number += 1
                fake.order(number, task, {**order['work'], 'package': name})
                assert fake.answer(number) == 'bad-name', f'{name!r} was taken to {task}'
        assert site.agents['shop'].poll() is None, 'the agent has ended'
        nothing_is_placed(site)
        fake.close()


@claim(90)
def bytes_that_are_not_what_was_signed_are_not_stored():
    with Agents() as site:
        site.start()
        site.join('shop')
        order = recorded_order(site)
        fake = site_is_taken(site)
        number, work = order['order'], order['work']
        fake.order(number, 'work', work)
        need = fake.hear('agent_need')['ranges'][0]
        wrong = {'object': need['object'], 'from': 0, 'total': need['size'],
                 'bytes': b'x' * need['size']}
        fake.say('agent_data', order=number, err='ok', text=None, pieces=[wrong])
        assert fake.answer(number) == 'digest', 'other bytes were taken'
        nothing_is_placed(site)
        fake.close()


@claim(120)
def an_agent_stores_nothing_that_it_did_not_ask_for():
    with Agents() as site:
        site.start()
        site.join('shop')
        order = recorded_order(site)
        fake = site_is_taken(site)
        number = order['order']
        block = os.urandom(1 << 20)
        piece = {'object': hashlib.sha256(block).hexdigest(), 'from': 0, 'total': 2 << 20,
                 'bytes': block}
        for _ in range(4):  # of an order that there is not: let go, and its credit given back
            fake.say('agent_data', order=number, err='ok', text=None, pieces=[piece])
            assert fake.hear('agent_durable')['bytes'] == 1 << 20
        nothing_is_placed(site)
        for step, wrong in enumerate(({}, {'from': 1}, {'total': 1 << 40}, {'bytes': b''})):
            number += 1
            fake.order(number, 'work', order['work'])
            need = fake.hear('agent_need')['ranges'][0]
            mine = {} if step == 0 else {'object': need['object'], 'total': need['size'],
                                         'bytes': b'x'}
            fake.say('agent_data', order=number, err='ok', text=None,
                     pieces=[{**piece, **mine, **wrong}])
            fake.hear('agent_hello')  # it has begun anew
            nothing_is_placed(site)
        assert site.agents['shop'].poll() is None, 'the agent has ended'
        fake.close()


@claim(120)
def transfers_that_were_broken_off_leave_at_most_sixteen_objects():
    with Agents() as site:
        site.start()
        site.join('shop')
        order = recorded_order(site)
        fake = site_is_taken(site)
        number = order['order']
        for _ in range(20):
            number += 1
            fake.order(number, 'work', {**order['work'], 'root': os.urandom(32).hex()})
            need = fake.hear('agent_need')['ranges'][0]
            piece = {'object': need['object'], 'from': 0, 'total': need['size'], 'bytes': b'half'}
            fake.say('agent_data', order=number, err='ok', text=None, pieces=[piece])
            assert fake.hear('agent_durable')['bytes'] == 4
        staged = os.listdir(site.path('shop.data', 'incoming'))
        assert len(staged) == 16 and need['object'] in staged, f'{len(staged)} are staged'
        fake.close()


@claim(120)
def an_older_version_is_not_placed_again_whoever_signs_it():
    with Agents() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.join('shop')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'installed'})
        with open(site.path('points', 'shop', '.despool', 'receipts', 'P1'),
                  encoding='ascii') as file:
            receipt = dict(re.findall(r'^(\S+) (.*)$', file.read(), re.M))
        write(os.path.join(source, 'd0', 'new'), b'the second version')
        site.do('package.update', {'id': 'P1', 'version': 'two'})
        site.wait_for('the update', lambda: site.status('P1')['state'] == 'complete' and
                      site.target('P1', 'shop')['have']['label'] == 'two')
        site.end_agent('shop')
        puppet = welcomed(site, 'shop')
        site.do('package.add', {'id': 'P2', 'source': make_tree(site.path('other'), seed=2)})
        site.do('distribute', {'id': 'P2', 'to': ['shop']})
        order = puppet.order('measure')
        puppet.close()
        fake = site_is_taken(site)
        old = {**order['work'], 'package': 'P1', 'package_incarnation': receipt['incarnation'],
               'epoch': int(receipt['epoch']), 'root': receipt['root'], 'label': '1'}
        for number, task in ((order['order'] + 1, 'measure'), (order['order'] + 2, 'work')):
            fake.order(number, task, old)
            assert fake.answer(number) == 'superseded', f'epoch {old["epoch"]} was taken to {task}'
        site.holds('shop', 'P1', source)
        fake.close()


# ---- a malicious point ----

@claim(90)
def an_agent_reads_nothing_but_what_its_order_names():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        hidden = site.path('hidden')
        write(os.path.join(hidden, 'secret'), b'not for shop')
        root = site.do('package.add', {'id': 'P0', 'source': hidden})['version']['root']
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        puppet = welcomed(site, 'shop')
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        order = puppet.order('measure')
        puppet.say('agent_need', order=order['order'],
                   ranges=[{'object': order['work']['root'], 'from': 0, 'size': 0}])
        assert puppet.hear('agent_data')['err'] == 'ok', 'what the order names is not sent'
        puppet.say('agent_need', order=order['order'], version=root,
                   ranges=[{'object': root, 'from': 0, 'size': 0}])
        said = puppet.hear('agent_data')
        assert said['err'] == 'not-stored', f'a version of another package is sent: {said}'
        wanted = hashlib.sha256(b'not for shop').hexdigest()
        puppet.say('agent_need', order=order['order'],
                   ranges=[{'object': wanted, 'from': 0, 'size': 0}])
        said = []
        while not any(frame['say'] == 'agent_refused' for frame in said):
            assert puppet.dealer.poll(20000), 'it was neither sent nor refused'
            said.append(msgpack.unpackb(puppet.dealer.recv()))
        assert not any(frame['say'] == 'agent_data' for frame in said), 'it read what is not its'
        assert restarts(site) == 0, 'an agent has ended the gateway'
        puppet.close()
        site.stop()


@claim(90)
def a_hello_again_gives_no_new_credit():
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        puppet.hello()
        assert puppet.hear('agent_refused') is not None, 'a second hello was taken'
        puppet.hello()
        assert puppet.hear('agent_refused') is not None, 'a third hello was taken'
        assert site.figure('here') == 0
        puppet.close()
        site.stop()


@claim(120)
def an_agent_does_not_speak_for_its_site():
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        measured_well(puppet, puppet.order('measure')['order'], 'paused')
        assert puppet.hear('agent_refused') is not None, 'it was taken'
        cause = site.target('P1', 'shop')['cause'] or {}
        assert cause.get('code') != 'paused', 'the site says for its agent that it is paused'
        puppet.close()
        site.spawn('shop')  # it is honest again, and gets what it was to get
        site.wait_for('it to be placed', lambda: site.states('P1')['shop'] == 'installed', 60)
        assert restarts(site) == 0, 'an agent has ended the gateway'
        site.stop()


@claim(120)
def an_agent_that_tells_without_end_does_not_fill_the_history():
    """Of its seed, and of its own program: what it says of that becomes an event."""
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        order = puppet.order('measure')
        for number in range(1, 1001):
            puppet.say('agent_seeded', order=order['order'], err='io', text=None, files=0, bytes=0,
                       skipped=0)
            puppet.say('agent_activated', package='P1', epoch=1, result='exit', code=1,
                       package_incarnation=order['work']['package_incarnation'],
                       attempt=number, at=None, text=None)
        puppet.say('agent_beat', number=999999)
        while puppet.hear('agent_beat')['number'] != 999999:
            pass
        told = [e['id'] for e in site.history() if e['dp'] == 'shop' and e['id'] in (2391, 2411)]
        assert 0 < told.count(2391) <= 300 and 0 < told.count(2411) <= 300, len(told)
        assert site.figure('here') == 1, 'it was ended, and would tell anew'
        puppet.close()
        site.stop()


def connected(site):
    """TCP connections at the site's port, by the kernel's count."""
    port = int(site.address.rsplit(':', 1)[1])
    with open(f'/proc/{site.process.pid}/net/tcp', encoding='ascii') as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return sum(row[3] == '01' and int(row[1].split(':')[1], 16) == port for row in rows)


@claim(90)
def a_key_has_one_connection():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        puppets = []
        for _ in range(12):
            puppet = welcomed(site, 'shop', once=True)
            puppets.append(puppet)
        site.wait_for('the older ones to end', lambda: connected(site) <= 1, 20)
        puppets[-1].say('agent_beat', number=7)
        assert puppets[-1].hear('agent_beat') is not None, 'the newest is not the one that stays'
        for puppet in puppets:
            puppet.close()
        site.stop()


@claim(90)
def a_frame_that_is_too_large_ends_its_connection_alone():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        site.wait_for('shop to be gone', lambda: site.figure('here') == 0, 20)
        site.join('other')
        puppet = welcomed(site, 'shop')
        before = site.resident_kib()
        for _ in range(16):
            puppet.dealer.send(b'\0' * (3 << 20))
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        site.do('distribute', {'id': 'P1', 'to': ['other']})
        site.wait_states('P1', {'other': 'installed'})
        grown = site.resident_kib() - before
        assert grown < (48 << 10) * SLOW, f'it has grown by {grown} KiB'
        assert restarts(site) == 0, 'an agent has ended the gateway'
        puppet.close()
        site.stop()


# ---- strangers ----

def work_goes_on(site, source, during):
    """A package reaches the agent whatever `during` does meanwhile."""
    site.do('package.add', {'id': 'P1', 'source': source})
    site.do('distribute', {'id': 'P1', 'to': ['shop']})
    during()
    site.wait_states('P1', {'shop': 'installed'}, 90)
    site.holds('shop', 'P1', source)
    assert site.figure('here') == 1, 'a stranger drove the agent away'
    assert restarts(site) == 0, 'a stranger has ended the gateway'
    assert site.status('P1')['targets'][0]['attempts'] == 1, site.status('P1')


def sockets(site):
    where = f'/proc/{site.process.pid}/fd'
    return sum(os.readlink(os.path.join(where, fd)).startswith('socket:')
               for fd in os.listdir(where))


def knock_often(site, count):
    """Handshakes by keys that nobody knows, at most 50 at one time."""
    key = site_key(site, 'shop')
    for first in range(0, count, 50):
        dealers = []
        wanted = site.figure('strangers refused') + min(50, count - first)
        for _ in range(min(50, count - first)):
            dealer = dealer_with(site, key, zmq.curve_keypair()[1])
            knock(site, dealer)
            dealers.append(dealer)
        site.wait_for('the strangers to be refused',
                      lambda wanted=wanted: site.figure('strangers refused') >= wanted, 60)
        for dealer in dealers:
            assert not dealer.poll(0), 'a stranger was answered'
            dealer.close(0)


@claim(240 if STRANGERS < 1000 else 3000)
def strangers_at_the_door_hold_up_nobody():
    with Agents() as site:
        source = big_tree(site.path('source'), 24)
        site.start()
        site.join('shop')
        site.do('package.add', {'id': 'P0', 'source': make_tree(site.path('first'))})
        site.do('distribute', {'id': 'P0', 'to': ['shop']})
        site.wait_states('P0', {'shop': 'installed'})
        before = sockets(site), site.resident_kib()
        work_goes_on(site, source, lambda: knock_often(site, STRANGERS))
        site.wait_for('their connections to end', lambda: connected(site) <= 1, 30)
        after = sockets(site), site.resident_kib()
        print(f'# {STRANGERS} strangers; sockets and KiB before {before}, after {after}')
        assert after[0] <= before[0] + 1, 'sockets were lost to strangers'
        assert after[1] <= before[1] + (96 << 10) * SLOW, 'memory was lost to strangers'
        site.stop()


def later(site, milliseconds, since=[]):  # pylint: disable=dangerous-default-value
    """Whether so much time has passed by the site's own clock."""
    since.append(site.do('ping')['up_ms'])
    return since[-1] > since[0] + milliseconds


@claim(90)
def an_agent_that_never_says_anything_is_not_kept():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        site.wait_for('its connection to end', lambda: connected(site) == 0, 20)
        puppet = Puppet(site, 'shop', once=True)
        site.wait_for('it to be let in', lambda: connected(site) == 1, 20)
        site.wait_for('it to be sent away', lambda: connected(site) == 0, 25)
        site.join('other')
        site.wait_for('more than its time to say something', lambda: later(site, 12000), 30)
        assert site.figure('here') == 1, 'who speaks is sent away as well'
        puppet.close()
        site.stop()


@claim(120)
def connections_that_say_nothing_are_ended():
    with Agents() as site:
        source = big_tree(site.path('source'), 8)
        site.start()
        site.join('shop')
        host, port = site.address[len('tcp://'):].rsplit(':', 1)
        silent = []

        def be_silent():
            for _ in range(600):
                silent.append(socket.create_connection((host, int(port)), 20))
            for half in silent[:100]:
                half.send(b'\xff\0\0\0\0\0\0\0\x01\x7f')  # the beginning of a greeting
        work_goes_on(site, source, be_silent)
        for half in silent:
            half.setblocking(True)
            half.settimeout(60)
            while half.recv(4096):  # the site's own greeting, then its end
                pass
            half.close()
        site.wait_for('them to have ended', lambda: connected(site) <= 1, 20)
        assert site.figure('here') == 1, 'the agent has ended with them'
        site.stop()


# ---- the wire ----

@claim(180)
def a_bit_that_changes_on_the_wire_is_never_placed():
    with Agents() as site:
        source = big_tree(site.path('source'), 8)
        site.start()
        wire = Proxy(site.address, 'flip', strikes=2, first=600000, last=600001)
        wire.start()
        site.join('shop', token_by_way_of(site.token('shop'), wire.address))
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'installed'}, 120)
        assert wire.struck == 2, f'{wire.struck} bits were changed'
        site.holds('shop', 'P1', source)
        verified = site.do('verify', {'id': 'P1'})
        assert verified['ok'], verified
        site.stop()


run()
