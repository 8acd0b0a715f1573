#!/usr/bin/python3
"""Points on other machines that go, and a site that goes elsewhere: agents that are here, or away.

The agents are real despoold processes; where a claim has to see each frame it speaks itself, by the
keys of an agent that has joined.
"""
import os
import shutil
import uuid

from agent_site import Agents, Puppet, free_port
from fake_site import FakeSite
from harness import claim, make_tree, run, write

TOLD = 2379  # STATUS_AGENT_TOLD
STRANDED = 1104  # STATUS_AGENTS_STRANDED


def log_of(site, name):
    with open(site.path(name + '.log'), errors='replace') as log:
        return log.read()


def nobody_asks(site):
    """Until nobody asks the gateway for an agent in 2 s of the site's clock: ten looks-out."""
    seen = [-1, 0]

    def quiet():
        now, up_ms = site.figure('asked in vain'), site.do('ping')['up_ms']
        if now != seen[0]:
            seen[:] = now, up_ms
        return up_ms > seen[1] + 2000
    site.wait_for('nobody to work for a point that is gone', quiet, 60)


def installed_and_away(site, source):
    """shop has P1, its agent is away, and a second version waits for it."""
    site.tune(probe_ms=200)
    site.options += ['--listen', site.address]
    site.start()
    site.join('shop')
    site.add_point('near')
    site.do('package.add', {'id': 'P1', 'source': source})
    site.do('distribute', {'id': 'P1', 'to': ['shop', 'near']})
    site.wait_states('P1', {'shop': 'installed', 'near': 'installed'})
    site.end_agent('shop')
    shutil.copytree(source, site.path('first'), symlinks=True)
    write(os.path.join(source, 'd0', 'new'), b'the second version')
    site.do('package.update', {'id': 'P1', 'version': 'two'})
    site.wait_states('P1', {'shop': 'retrying', 'near': 'installed'})


@claim(180)
def q212937_a_removed_point_makes_no_more_work_and_its_agent_hears_it_whenever_it_comes():
    with Agents() as site:
        source = make_tree(site.path('source'))
        installed_and_away(site, source)
        site.join('idle')
        site.end_agent('idle')
        site.wait_for('both to be looked out for', lambda: all(
            site.do('dp.show', {'name': name})['dp']['state'] == 'absent'
            for name in ('shop', 'idle')))
        site.do('dp.remove', {'name': 'shop', 'forget': True})
        site.do('dp.remove', {'name': 'idle'})  # it holds nothing
        assert site.states('P1') == {'near': 'installed'}, site.states('P1')
        nobody_asks(site)
        site.wait_for('both to be kept', lambda: site.figure('removed') == 2)
        site.kill()
        site.start()
        site.wait_for('the site to know whom it has to tell', lambda: site.figure('removed') == 2)
        site.spawn('shop')
        assert site.agents['shop'].wait(timeout=30) == 0, 'it goes on, or calls it a failure'
        assert 'removed: shop is no distribution point' in log_of(site, 'shop')
        site.wait_for('its key to be good for nothing', lambda: site.figure('removed') == 1)
        assert [e['dp'] for e in site.history() if e['id'] == TOLD] == ['shop']
        site.holds('shop', 'P1', site.path('first'))  # as the operator said, and no job since
        before = log_of(site, 'shop')
        site.spawn('shop')
        assert site.agents['shop'].wait(timeout=30) == 0
        assert 'removed: shop' in log_of(site, 'shop')[len(before):], 'the agent has forgotten it'
        assert site.figure('here') == 0
        site.stop()


@claim(90)
def an_agent_that_is_here_hears_at_once_that_its_point_was_removed():
    with Agents() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.join('shop')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'installed'})
        site.do('dp.remove', {'name': 'shop', 'withdraw': True})
        assert site.agents['shop'].wait(timeout=30) == 0
        assert 'removed: shop is no distribution point' in log_of(site, 'shop')
        assert os.listdir(site.path('points', 'shop')) == ['.despool'], 'its content stays'
        site.wait_for('its key to be good for nothing', lambda: site.figure('removed') == 0)
        site.join('shop')  # the same machine, directory and name: a point like any other
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'installed'})
        site.stop()


@claim(90)
def an_agent_of_a_removed_point_gets_its_tombstone_and_nothing_else_before_or_after():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        site.do('dp.remove', {'name': 'shop'})
        # Who comes before the gateway has read the removal is one that was here during it.
        site.wait_for('the gateway to know', lambda: site.figure('removed') == 1)
        puppet = Puppet(site, 'shop')
        for _ in range(2):  # one that did not understand is told again
            puppet.hello()
            first = puppet.hear_any()
            assert first['say'] == 'agent_removed', f'it was told {first} before'
        puppet.say('agent_beat', number=1)
        puppet.say('agent_need', order=1, ranges=[])
        puppet.say('agent_durable', order=1, bytes=1 << 20)
        puppet.hello()
        assert puppet.hear_any()['say'] == 'agent_removed', 'it is heard as an agent'
        strangers = site.figure('strangers refused')
        puppet.say('agent_buried', visit=uuid.uuid4().hex)
        refused = puppet.hear('agent_refused')
        assert refused and refused['err'] == 'point-removed', refused
        puppet.close()
        puppet = Puppet(site, 'shop')
        puppet.hello()
        site.wait_for('it to be a stranger', lambda: site.figure('strangers refused') > strangers)
        assert puppet.answers() == []
        puppet.close()
        site.stop()


@claim(90)
def a_removed_agent_that_has_not_heard_it_joins_anew_by_its_own_keys():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        site.do('dp.remove', {'name': 'shop'})
        site.wait_for('the removal', lambda: site.figure('removed') == 1)
        site.join('shop')
        site.wait_for('it to be a point again', lambda: site.figure('removed') == 0)
        site.end_agent('shop')
        site.spawn('shop')
        site.wait_here('shop')
        site.stop()


@claim(90)
def an_agent_that_was_revoked_is_told_nothing():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.do('dp.set', {'name': 'shop', 'revoke': True})
        site.agents['shop'].wait(timeout=20)
        site.do('dp.remove', {'name': 'shop'})
        assert site.figure('removed') == 0, 'a key that may be stolen opens the door'
        site.stop()


@claim(90)
def only_the_site_itself_tells_an_agent_that_its_point_is_no_more():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        site.stop()
        fake = FakeSite(site)
        site.spawn('shop')
        fake.hear('agent_hello')
        for signature in (bytes(64), fake.removal(visit=uuid.uuid4().hex),
                          fake.removal(word=b'order')):
            fake.say('agent_removed', signature=signature)
        number = fake.hear('agent_beat')['number']
        while fake.hear('agent_beat')['number'] < number + 2:
            pass
        note = site.path('shop.data', 'removed')
        assert not os.path.exists(note), 'it believed what is not signed'
        fake.say('agent_removed', signature=fake.removal())  # so that the claim above can fail
        fake.hear('agent_buried')
        assert os.path.exists(note), 'it was said before it was durable'
        fake.close()
        assert site.agents['shop'].wait(timeout=40) == 0


# ---- another address of the site ----

def knows(site, name):
    """The addresses that an agent knows durably, the first to be tried before the other."""
    with open(site.path(name + '.data', 'agent'), encoding='ascii') as file:
        said = dict(line.split(' ', 1) for line in file.read().splitlines())
    return said['address'], said.get('former')


def behind(site, address):
    """What the site says of who does not know the address."""
    answer = site.do('site.set', {'address': address})
    assert answer['changed'] is False, answer
    return answer['text']


def listen(site, *addresses):
    site.options = [word for address in addresses for word in ('--listen', address)]


@claim(240)
def a_new_address_reaches_each_agent_before_the_old_one_goes_also_who_was_away():
    with Agents() as site:
        old, new = site.address, f'tcp://127.0.0.1:{free_port()}'
        site.start()
        site.join('shop')
        site.join('away')
        site.end_agent('away')
        answer = site.do('site.set', {'address': new})
        assert answer['changed'] and '2: away, shop' in answer['text'], answer
        site.wait_for('shop to know it', lambda: '1: away' in behind(site, new))
        assert knows(site, 'shop') == (new, old), knows(site, 'shop')
        site.spawn('away')  # the site does not listen there yet: it comes to the old one
        site.wait_for('away to know it', lambda: ': 0' in behind(site, new))
        assert knows(site, 'away') == (new, old), knows(site, 'away')
        for name in ('shop', 'away'):
            site.end_agent(name)
        site.stop()
        listen(site, old)  # what they try first does not answer
        site.start()
        for name in ('shop', 'away'):
            site.spawn(name)
        site.wait_here('shop', 1, 60)
        site.stop()
        listen(site, old, new)  # then both do
        site.start()
        site.wait_here('shop', 1, 60)
        site.stop()
        listen(site, new)  # and the old one goes
        site.start()
        site.wait_here('shop', 1, 60)
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        site.do('distribute', {'id': 'P1', 'all': True})
        site.wait_states('P1', {'shop': 'installed', 'away': 'installed'})
        assert not [e for e in site.history() if e['id'] == STRANDED]
        site.join('third')  # its token has the new one
        assert knows(site, 'third') == (new, None), knows(site, 'third')
        site.stop()


@claim(90)
def an_old_address_that_goes_before_all_know_the_new_one_is_told_by_names():
    with Agents() as site:
        new = f'tcp://127.0.0.1:{free_port()}'
        site.start()
        site.join('shop')
        site.join('away')
        site.end_agent('away')
        site.do('site.set', {'address': new})
        site.wait_for('shop to know it', lambda: '1: away' in behind(site, new))
        site.stop()
        listen(site, new)
        site.start()
        told = site.wait_for('a warning', lambda: [e for e in site.history()
                                                   if e['id'] == STRANDED])
        assert ': 1: away' in told[0]['text'] and 'shop' not in told[0]['text'], told
        site.stop()


@claim(60)
def an_address_that_is_none_is_refused():
    with Agents() as site:
        site.start()
        for wrong in ('', 'tcp://', 'tcp://:1', 'tcp://h', 'tcp://h:', 'tcp://h:0', 'tcp://h:65536',
                      'tcp://*:7100', 'udp://h:1', 'tcp://h:1 tcp://h:2', 'tcp://h:' + '1' * 30):
            site.refused('site.set', {'address': wrong}, ('bad-value', 'missing-argument'))
        assert site.do('site.set', {'address': 'tcp://h:7100'})['changed'] is True
        site.stop()


@claim(90)
def an_address_that_the_site_did_not_sign_for_this_visit_is_not_taken():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        site.stop()
        fake = FakeSite(site)
        site.spawn('shop')
        fake.hear('agent_hello')
        old = knows(site, 'shop')
        for signature in (bytes(64), fake.address('tcp://h:1', visit=uuid.uuid4().hex),
                          fake.address('tcp://h:2')):
            fake.say('agent_address', address='tcp://h:1', signature=signature)
        number = fake.hear('agent_beat')['number']
        while fake.hear('agent_beat')['number'] < number + 2:
            pass
        assert knows(site, 'shop') == old, 'it goes where anybody wants it to'
        fake.say('agent_address', address='tcp://h:1', signature=fake.address('tcp://h:1'))
        assert fake.hear('agent_moved')['address'] == 'tcp://h:1'
        assert knows(site, 'shop') == ('tcp://h:1', old[0])
        fake.close()


run()
