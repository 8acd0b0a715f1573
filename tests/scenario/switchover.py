#!/usr/bin/python3
"""Points that stage a version and switch to it later: at a time, or all or none of them.

At a real site, with two directories, and an agent that is stopped, killed or away in between.
"""
import os
import signal
import subprocess
import time

from agent_site import Agents
from harness import MOVED_CLOCK, claim, despool, make_tree, run, write

POINTS = ('one', 'two', 'shop')


def three(site):
    """P1 at the points one and two and at shop, which is an agent."""
    site.start()
    for name in 'one', 'two':
        site.add_point(name)
    site.join('shop')
    site.do('group.add', {'name': 'tills', 'dps': list(POINTS)})
    make_tree(site.path('source'))
    site.do('package.add', {'id': 'P1', 'source': site.path('source')})


def switchover(site):
    return site.status('P1')['switchover']


def current(site, name):
    """Where readers of the point are led, or None."""
    link = site.path('points', name, 'P1', 'current')
    return os.readlink(link) if os.path.islink(link) else None


def nobody_has(site, version):
    assert version not in [current(site, name) for name in POINTS], 'one has switched'


def ids(site):
    return [event['id'] for event in site.history() if event['package'] == 'P1']


def in_state(site, state, seconds=60):
    site.wait_for(f'a switchover that is {state}', lambda: switchover(site)['state'] == state,
                  seconds)


@claim(180)
def nobody_switches_before_all_have_promised_and_then_every_one_does():
    with Agents() as site:
        three(site)
        site.end_agent('shop')
        done = despool(site, 'distribute', 'P1', '--to', '@tills', '--barrier')
        assert done.returncode == 0, done.stderr
        site.wait_for('the promises', lambda: switchover(site)['promised'] == 2)
        nobody_has(site, 'v1')
        site.kill()
        site.start()
        nobody_has(site, 'v1')
        shown = despool(site, 'status', 'P1').stdout
        assert 'switchover of all or none staging' in shown and 'promised since' in shown, shown
        assert 'waits for shop' in shown, shown
        site.spawn('shop')
        in_state(site, 'done')
        site.wait_states('P1', dict.fromkeys(POINTS, 'installed'))
        for name in POINTS:
            site.holds(name, 'P1', site.path('source'))
        told = ids(site)
        assert told.count(2419) == 3 and told.count(2421) == 1, told
        assert told.index(2421) < told.index(2330), 'one switched before the decision'
        site.stop()


@claim(180)
def an_agent_that_is_killed_between_promise_and_decision_switches_when_it_is_back():
    with Agents() as site:
        three(site)
        site.unplug('two')
        site.do('distribute', {'id': 'P1', 'to': ['@tills'], 'barrier': True})
        site.wait_for('the promises', lambda: switchover(site)['promised'] == 2)
        site.end_agent('shop')
        site.plug('two')
        in_state(site, 'decided')
        site.wait_for('the others', lambda: switchover(site)['switched'] == 2)
        site.wait_for('the word of its absence',
                      lambda: site.target('P1', 'shop')['cause'] is not None, 60)
        there = site.target('P1', 'shop')
        assert there['state'] == 'promised' and there['promised'], there
        assert current(site, 'shop') is None
        refused = despool(site, 'cancel', 'P1', '--dp', 'shop')
        assert refused.returncode == 1 and 'decided' in refused.stderr, refused
        site.kill()
        site.start()
        assert 'promised since' in despool(site, 'status', 'P1').stdout
        site.spawn('shop')
        site.wait_states('P1', dict.fromkeys(POINTS, 'installed'))
        in_state(site, 'done')
        site.holds('shop', 'P1', site.path('source'))
        site.stop()


@claim(180)
def an_agent_that_is_stopped_after_its_promise_holds_up_nobody_and_switches_when_it_goes_on():
    with Agents() as site:
        three(site)
        site.unplug('two')
        site.do('distribute', {'id': 'P1', 'to': ['@tills'], 'barrier': True})
        site.wait_for('the promises', lambda: switchover(site)['promised'] == 2)
        site.agents['shop'].send_signal(signal.SIGSTOP)
        site.plug('two')
        site.wait_for('the others', lambda: switchover(site)['switched'] == 2, 90)
        assert switchover(site)['state'] == 'decided'
        assert current(site, 'shop') is None
        site.agents['shop'].send_signal(signal.SIGCONT)
        site.wait_states('P1', dict.fromkeys(POINTS, 'installed'))
        site.stop()


@claim(180)
def the_deadline_cancels_for_all_and_the_version_before_stays():
    with Agents() as site:
        three(site)
        site.do('distribute', {'id': 'P1', 'to': ['@tills'], 'barrier': True})
        in_state(site, 'done')
        site.unplug('two')
        make_tree(site.path('source'), seed=2)
        done = despool(site, 'package', 'update', 'P1', '--barrier', '--deadline', '+5s')
        assert done.returncode == 0, done.stderr
        in_state(site, 'cancelled')
        site.plug('two')
        site.wait_states('P1', dict.fromkeys(POINTS, 'cancelled'))
        assert [current(site, name) for name in POINTS] == ['v1'] * 3
        assert 'the deadline has passed' in despool(site, 'status', 'P1').stdout
        site.do('distribute', {'id': 'P1', 'to': ['@tills'], 'barrier': True})
        in_state(site, 'done')
        assert [current(site, name) for name in POINTS] == ['v2'] * 3
        site.stop()


@claim(180)
def what_is_staged_switches_at_its_time_though_the_site_was_down_then():
    with Agents() as site:
        for env in site.env, site.agent_env:
            env.update(LD_PRELOAD=MOVED_CLOCK, MOVED_CLOCK=site.path('clock'))
        three(site)
        at = int(time.time()) + 3600
        done = despool(site, 'distribute', 'P1', '--to', '@tills', '--activate-at',
                       time.strftime('%Y-%m-%dT%H:%M:%S+00:00', time.gmtime(at)))
        assert done.returncode == 0, done.stderr
        site.wait_for('the promises', lambda: switchover(site)['promised'] == 3)
        nobody_has(site, 'v1')
        site.kill()
        write(site.path('clock.new'), b'3660')  # its time comes, for all of them
        os.rename(site.path('clock.new'), site.path('clock'))
        try:
            site.agents['shop'].wait(2)
            assert False, 'the agent has ended'
        except subprocess.TimeoutExpired:
            nobody_has(site, 'v1')
        site.start()
        in_state(site, 'done')
        site.wait_states('P1', dict.fromkeys(POINTS, 'installed'))
        told = ids(site)
        assert told.count(2421) == 1 and told.index(2421) < told.index(2330), told
        site.stop()


@claim(60)
def a_time_that_makes_no_sense_is_refused_and_nothing_is_wanted():
    with Agents() as site:
        site.start()
        site.add_point('one')
        make_tree(site.path('source'))
        site.do('package.add', {'id': 'P1', 'source': site.path('source')})
        for words in (('--activate-at', '2020-01-01T00:00:00Z'), ('--deadline', '+1h'),
                      ('--barrier', '--deadline', '+1h', '--activate-at', '+2h'),
                      ('--barrier', '--rings', '10,100'),
                      ('--activate-at', '2199-01-01T00:00:00Z')):
            refused = despool(site, 'distribute', 'P1', '--to', 'one', *words)
            assert refused.returncode == 1 and 'cannot distribute' in refused.stderr, refused
        for words in ('--activate-at', 'tomorrow'), ('--activate-at', '2030-01-01T00:00:00'):
            refused = despool(site, 'distribute', 'P1', '--to', 'one', *words)
            assert refused.returncode == 2 and 'zone' in refused.stderr, refused
        assert site.status('P1')['targets'] == [] and switchover(site) is None
        site.stop()


run()
