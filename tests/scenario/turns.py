#!/usr/bin/python3
"""Several packages to one agent: none is stuck behind a larger one, and the more urgent goes first.

No claim is one on speed: what is held against a bound are bytes, and the order of events."""
import os

from agent_site import Agents
from harness import claim, despool, run, write

LARGE, SMALL = 48 << 20, 1 << 20
TURN = 8 << 20  # AGENT_TURN_BYTES of proto/limits.h
RATE = 1 << 20   # bytes a second: LARGE takes 48 s
SLACK = 8 << 20  # what goes between a command and its effect: of eight seconds at that rate


def packages(site, **sizes):
    for name, size in sizes.items():
        write(os.path.join(site.path(name), 'big'), os.urandom(size))
        site.do('package.add', {'id': name, 'source': site.path(name)})


def started(site):
    """A site with an agent to which LARGE takes a while, a part of which is on its way."""
    site.start()
    site.join('shop')
    packages(site, LARGE=LARGE, SMALL=SMALL, OTHER=SMALL)
    site.do('dp.set', {'name': 'shop', 'rate': RATE})
    site.wait_for('the rate', lambda: site.figure('slowest') == RATE)
    site.do('distribute', {'id': 'LARGE', 'to': ['shop']})
    site.wait_for('the first bytes', lambda: site.figure('sent') > 1 << 20)


def installed(site):
    """The packages in the order in which they were installed."""
    return [event['package'] for event in site.history() if event['id'] == 2330]


def finish(site, *names):
    site.do('dp.set', {'name': 'shop', 'rate': 0})
    for name in names:
        site.wait_states(name, {'shop': 'installed'}, 90)


@claim(120)
def a_small_package_is_not_stuck_behind_a_large_one_and_no_byte_is_sent_twice():
    with Agents() as site:
        started(site)
        sent = site.figure('sent')
        site.do('distribute', {'id': 'SMALL', 'to': ['shop']})
        site.wait_states('SMALL', {'shop': 'installed'}, 60)
        between = site.figure('sent') - sent
        assert between <= TURN + SMALL + SLACK, f'{between} bytes went before 1 MiB was there'
        assert site.states('LARGE')['shop'] != 'installed'
        finish(site, 'LARGE')
        site.holds('shop', 'LARGE', site.path('LARGE'))
        total = site.figure('sent')
        assert total <= LARGE + SMALL + 65536, f'{total} bytes were sent of {LARGE + SMALL}'
        told = [int(event['attrs']['sent']) for event in site.history() if event['id'] == 2330]
        assert sum(told) <= total and sum(told) >= LARGE + SMALL, f'{told} of {total} are told'
        assert site.target('LARGE', 'shop')['attempts'] == 1, site.target('LARGE', 'shop')
        site.stop()


@claim(120)
def the_more_urgent_goes_first_and_the_less_urgent_waits():
    with Agents() as site:
        started(site)
        site.do('distribute', {'id': 'OTHER', 'to': ['shop'], 'priority': 'low'})
        sent = site.figure('sent')
        site.do('distribute', {'id': 'SMALL', 'to': ['shop'], 'priority': 'high'})
        site.wait_states('SMALL', {'shop': 'installed'}, 60)
        between = site.figure('sent') - sent
        assert between <= SMALL + SLACK, f'{between} bytes went before the urgent one was there'
        assert site.target('OTHER', 'shop')['priority'] == 'low', site.target('OTHER', 'shop')
        finish(site, 'LARGE', 'OTHER')
        assert installed(site) == ['SMALL', 'LARGE', 'OTHER'], installed(site)
        site.stop()


@claim(120)
def what_goes_first_is_changed_while_it_waits():
    with Agents() as site:
        started(site)
        site.do('distribute', {'id': 'OTHER', 'to': ['shop'], 'priority': 'low'})
        site.wait_for('it to wait', lambda: site.states('OTHER') == {'shop': 'pending'})
        done = despool(site, 'prioritize', 'OTHER', 'high', '--dp', 'shop')
        assert done.stdout == 'changed: shop\n', done
        assert site.do('prioritize', {'id': 'OTHER', 'priority': 'high'})['changed'] is False
        site.wait_states('OTHER', {'shop': 'installed'}, 60)
        assert site.states('LARGE')['shop'] != 'installed'
        done = despool(site, 'distribute', 'LARGE', '--to', 'shop', '--priority', 'low')
        assert done.stdout == 'changed: shop\n', done
        finish(site, 'LARGE')
        assert site.do('prioritize', {'id': 'OTHER', 'priority': 'low'})['changed'] is False
        site.refused('prioritize', {'id': 'OTHER', 'priority': 'urgent'}, 'bad-value')
        site.stop()


run()
