#!/usr/bin/python3
"""A package goes to its points in rings: at a real site, with directories, and an agent beside."""
import os
import shutil

from agent_site import Agents
from harness import claim, despool, make_tree, run


def four(site):
    """P1, and the points one to three and shop, which is an agent."""
    site.start()
    for name in 'one', 'two', 'three':
        site.add_point(name)
    site.join('shop')
    site.do('group.add', {'name': 'stores', 'dps': ['one', 'two', 'three', 'shop']})
    make_tree(site.path('source'))
    site.do('package.add', {'id': 'P1', 'source': site.path('source')})


def rollout(site):
    return site.status('P1')['rollout']


@claim(120)
def rings_end_at_every_point_in_the_order_that_the_plan_has_told():
    with Agents() as site:
        four(site)
        planned = site.do('plan', {'id': 'P1', 'to': ['shop', '@stores'],
                                   'rings': ['1', '60', '100']})
        rings = {row['dp']: row['ring'] for row in planned['points']}
        assert rings == {'shop': 1, 'one': 2, 'two': 2, 'three': 3}, rings
        done = despool(site, 'distribute', 'P1', '--to', 'shop,@stores', '--rings', '1,60,100')
        assert done.returncode == 0, done.stderr
        site.wait_for('the last ring', lambda: rollout(site)['state'] == 'done', 60)
        site.wait_states('P1', dict.fromkeys(rings, 'installed'))
        told = [event['dp'] for event in site.history()
                if event['package'] == 'P1' and event['id'] == 2330]
        assert told[0] == 'shop' and told[-1] == 'three', told
        assert {row['dp']: row['ring'] for row in site.status('P1')['targets']} == rings
        for name in rings:
            site.holds(name, 'P1', site.path('source'))
        site.stop()


@claim(120)
def a_failure_stops_the_rest_over_a_restart_until_the_operator_goes_on():
    with Agents() as site:
        four(site)
        os.makedirs(site.path('points', 'one', 'P1'))  # not ours: a cause that needs a person
        site.do('distribute', {'id': 'P1', 'to': ['@stores'], 'rings': ['25', '100'], 'stop_at': 1})
        site.wait_for('the stop', lambda: rollout(site)['state'] == 'stopped', 30)
        site.kill()
        site.start()
        now = rollout(site)
        assert (now['ring'], now['of'], now['state']) == (1, 2, 'stopped'), now
        shown = despool(site, 'status', 'P1').stdout
        assert 'ring 1 of 2' in shown and 'stopped' in shown, shown
        states = site.states('P1')
        assert states == {'one': 'failed', 'two': 'waiting', 'three': 'waiting',
                          'shop': 'waiting'}, states
        assert os.listdir(site.path('points', 'two')) == ['.despool'], 'a held point has content'
        shutil.rmtree(site.path('points', 'one', 'P1'))
        site.do('retry', {'id': 'P1', 'dp': 'one'})
        site.wait_for('the point that was mended',
                      lambda: site.states('P1')['one'] == 'installed', 30)
        assert despool(site, 'rollout', 'resume', 'P1').returncode == 0
        site.wait_states('P1', dict.fromkeys(('one', 'two', 'three', 'shop'), 'installed'))
        assert rollout(site)['state'] == 'done', rollout(site)
        site.stop()


run()
