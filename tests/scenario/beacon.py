#!/usr/bin/python3
"""An agent knows whether it hears its site: beacons that nobody can say again, in its own time."""
import hashlib
import os
import re
import signal
import struct

from agent_site import Agents
from fake_site import FakeSite
from harness import MOVED_CLOCK, claim, despool, make_tree, run, write


def beaconing(site, beacon_ms=100):
    listen = site.options
    site.tune(beacon_ms=beacon_ms)  # an agent is stale after 15 of them
    site.options = [*listen, *site.options]


def kept(site):
    """What the agent keeps of the beacons."""
    try:
        with open(site.path('shop.data', 'beacon'), encoding='ascii') as file:
            return {key: int(value) for key, value in
                    re.findall(r'^(sequence|stale|replayed|time) (\d+)$', file.read(), re.M)}
    except FileNotFoundError:
        return {'sequence': 0, 'stale': 0, 'replayed': 0}


def wait_beacon(site, after=0):
    site.wait_for('a beacon', lambda: kept(site)['sequence'] > after and not kept(site)['stale'])
    return kept(site)['sequence']


def beacon(fake, sequence, stale_ms=60000, forged=False):
    with open(fake.site.path('shop.data', 'agent'), encoding='ascii') as file:
        agent = dict(line.split(' ', 1) for line in file.read().splitlines())
    said = hashlib.sha256(struct.pack('>QQ', 0, stale_ms)).digest()
    signature = fake.signer.sign(b'despool/beacon/1\0' + bytes.fromhex(agent['site']) + bytes(16) +
                                 bytes(4) + bytes(16) + struct.pack('>Q', sequence) + said +
                                 bytes(2))
    if forged:
        signature = bytes([signature[0] ^ 1]) + signature[1:]
    fake.say('agent_beacon', sequence=sequence, time=None, stale_ms=stale_ms, signature=signature)


@claim(120)
def an_agent_that_is_cut_off_says_that_it_is_stale_goes_on_serving_and_is_not_when_it_is_back():
    with Agents() as site:
        beaconing(site)
        source = make_tree(site.path('source'))
        site.start()
        site.join('shop')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'installed'})
        first = wait_beacon(site)
        second = wait_beacon(site, first)
        site.process.send_signal(signal.SIGSTOP)
        site.wait_for('it to be stale', lambda: kept(site)['stale'] == 1, 30)
        assert kept(site)['sequence'] >= second, kept(site)
        site.holds('shop', 'P1', source)
        last = kept(site)['sequence']
        site.process.send_signal(signal.SIGCONT)
        site.kill()
        site.start()
        assert wait_beacon(site, last) > last, 'a number was given twice over a restart'
        site.stop()


@claim(120)
def beacons_that_were_heard_before_or_are_not_the_sites_refresh_nothing():
    """Who has the site's place says old beacons again and forges newer ones, all the time."""
    with Agents() as site:
        beaconing(site)
        site.start()
        site.join('shop')
        wait_beacon(site)
        site.stop()
        heard = kept(site)['sequence']
        site.end_agent('shop')
        fake = FakeSite(site)
        site.spawn('shop')
        fake.hear('agent_hello')

        beacon(fake, heard + 1, 1500)
        heard += 1
        stale_beats = 0
        for _ in range(20):  # it says a beat each 2 s
            fake.hear('agent_beat')
            stale_beats += kept(site)['stale']
            if stale_beats == 4:
                break
            # The forged one first: while an old one is looked up, no other is taken.
            beacon(fake, heard + 1000, forged=True)
            beacon(fake, heard - 1)
            beacon(fake, heard)
        assert kept(site)['stale'] == 1, 'it is not stale'
        assert kept(site)['sequence'] == heard, kept(site)
        site.end_agent('shop')
        site.spawn('shop')
        fake.hear('agent_hello')
        fake.hear('agent_beat')
        beacon(fake, heard)
        fake.hear('agent_beat')
        assert kept(site)['stale'] == 1, 'one from before its restart refreshed it'
        beacon(fake, heard + 1)
        for _ in range(10):
            fake.hear('agent_beat')
            if kept(site)['sequence'] > heard:
                break
        assert kept(site)['sequence'] == heard + 1 and not kept(site)['stale'], kept(site)
        fake.close()


DAY_S = 86400


def shown(site, name):
    row = site.do('dp.show', {'name': name})['dp']
    return row['beacon'], row['beacon_age_ms']


@claim(120)
def the_site_shows_the_last_beacon_of_each_agent_and_its_age_whatever_the_clock_shows():
    with Agents() as site:
        beaconing(site)
        write(site.path('clock'), b'0')
        site.env.update(LD_PRELOAD=MOVED_CLOCK, MOVED_CLOCK=site.path('clock'))
        site.start()
        for name in 'shop', 'other':
            site.join(name)
        assert site.do('dp.show', {'name': site.add_point('here') and 'here'})['dp'][
            'beacon'] is None
        for name in 'shop', 'other':
            site.wait_for('a beacon', lambda at=name: shown(site, at)[0] is not None)
        assert shown(site, 'shop')[0] <= kept(site)['sequence'], 'more was seen than was heard'
        site.agents['shop'].send_signal(signal.SIGSTOP)

        def tells_twice():
            """The other one, and the second time after now: what shop had said before is heard."""
            for _ in range(2):
                seen = shown(site, 'other')[0]
                site.wait_for('the other one to see three more',
                              lambda seen=seen: shown(site, 'other')[0] >= seen + 3)
        tells_twice()
        last, age = shown(site, 'shop')
        tells_twice()
        again, later = shown(site, 'shop')
        assert again == last, 'one that is stopped has seen it'
        write(site.path('clock.new'), str(DAY_S).encode())
        os.rename(site.path('clock.new'), site.path('clock'))
        site.wait_for('the age to grow', lambda: shown(site, 'shop')[1] > max(age, later) + 100)
        assert shown(site, 'shop')[1] < DAY_S * 1000, 'the age is by the clock on the wall'
        done = despool(site, 'dp', 'show', 'other')
        assert re.search(r'^beacon_age_ms +[0-9]+$', done.stdout, re.M), done.stdout
        site.do('dp.remove', {'name': 'other', 'forget': True})
        site.kill()


run()
