#!/usr/bin/python3
"""Who joins takes no root and no data directory from who has it, and hears soon what is wrong."""
import os
import socket
import subprocess
import time

from agent_site import Agents, big_tree, token_by_way_of
from harness import claim, make_tree, needs_root, run

OTHERS = 'belongs to another distribution point'


def serves(site, package, *points):
    """Whether these points take another package."""
    site.do('package.add', {'id': package, 'source': make_tree(site.path(package))})
    site.do('distribute', {'id': package, 'to': list(points)})
    site.wait_states(package, {point: 'installed' for point in points})


@claim(120)
def a_join_takes_no_root_from_another_point_whether_it_is_refused_or_not():
    with Agents() as site:
        site.start()
        spent = site.token('spent')
        site.join('spent', spent)
        site.join('shop')
        near = site.add_point('near')
        serves(site, 'P1', 'shop', 'near', 'spent')
        shop, token = site.path('points', 'shop'), site.token('other')
        site.join_refused(spent, shop)
        serves(site, 'P2', 'shop', 'near', 'spent')
        for root in shop, near:
            assert OTHERS in site.join_refused(token, root, 'other.data')
            assert not os.path.exists(site.path('other.data')), 'it left its keys'
        within = os.path.join(shop, 'P1', 'within')
        os.mkdir(within)
        assert 'overlaps' in site.join_refused(token, within, 'other.data')
        os.rmdir(within)
        serves(site, 'P3', 'shop', 'near', 'spent')
        site.do('dp.remove', {'name': 'shop', 'forget': True})
        assert site.agents['shop'].wait(timeout=40) == 0
        os.rename(shop, site.path('points', 'other'))  # of a point that is no more it is free
        site.join('other', token)
        serves(site, 'P4', 'other', 'near')
        site.stop()


@claim(90)
def an_agent_joins_again_with_its_own_root_alone_wherever_that_is_by_now():
    with Agents() as site:
        site.start()
        token = site.token('shop')
        site.join('shop', token)
        serves(site, 'P1', 'shop')
        site.end_agent('shop')
        other, moved = site.path('other'), site.path('points', 'moved')
        os.mkdir(other)
        refusal = site.join_refused(token, other, 'shop.data')
        assert f"has the root '{site.path('points', 'shop')}'" in refusal, refusal
        assert os.listdir(other) == [], 'it was claimed'
        os.rename(site.path('points', 'shop'), moved)
        site.wait_for('it to be missed', lambda: site.figure('here') == 0)
        site.spawn('shop', 'join', token, '--root', moved)
        site.wait_here('shop')
        assert site.do('verify', {'id': 'P1'})['ok']
        assert site.do('dp.show', {'name': 'shop'})['dp']['root'].endswith(moved)
        site.stop()


@claim(90)
def an_agent_of_another_site_stays_in_its_data_directory_until_its_point_is_removed():
    with Agents() as site, Agents() as other:
        site.start()
        other.start()
        site.join('shop')
        site.end_agent('shop')
        os.mkdir(other.path('root'))
        token = other.token('shop')
        refusal = other.join_refused(token, other.path('root'), site.path('shop.data'))
        assert "'shop', a point of another site" in refusal and '--data' in refusal, refusal
        assert os.listdir(other.path('root')) == [], 'it was claimed'
        site.wait_for('it to be missed', lambda: site.figure('here') == 0)
        site.spawn('shop')
        site.wait_here('shop')
        site.do('dp.remove', {'name': 'shop'})
        assert site.agents['shop'].wait(timeout=40) == 0
        os.rename(site.path('shop.data'), other.path('shop.data'))
        other.join('shop', token)
        serves(other, 'P1', 'shop')
        site.stop()
        other.stop()


@claim(90)
def what_listens_and_is_no_site_is_told_of_soon_and_not_as_one_that_does_not_know_the_token():
    with Agents() as site, socket.socket() as silent:
        site.start()
        silent.bind(('127.0.0.1', 0))
        silent.listen()
        address = f'tcp://127.0.0.1:{silent.getsockname()[1]}'
        os.mkdir(site.path('root'))
        began = time.monotonic()
        refusal = site.join_refused(token_by_way_of(site.token('shop'), address),
                                    site.path('root'))
        took = time.monotonic() - began
        print(f'# {took:.1f} s')
        assert 'is no site' in refusal and 'does not know' not in refusal, refusal
        assert os.listdir(site.path('root')) == [] and not os.path.exists(site.path('refused.data'))
        site.stop()


@claim(120)
def a_disk_that_is_full_at_an_agent_is_told_as_its_own_and_work_goes_on_when_there_is_space():
    needs_root()
    with Agents() as site:
        site.start()
        data = site.tmpfs('shop.data', size='16m')
        os.chmod(data, 0o700)
        site.join('shop')
        source = big_tree(site.path('source'), 48)
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'waiting'})
        cause = site.target('P1', 'shop')['cause']
        assert cause['code'] == 'space' and 'too little free space' in cause['text'], cause
        assert 'site' not in cause['text'], cause
        subprocess.run(['mount', '-o', 'remount,size=200m', data], check=True)
        site.wait_states('P1', {'shop': 'installed'}, 60)
        site.holds('shop', 'P1', source)
        site.stop()


run()
