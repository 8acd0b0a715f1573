#!/usr/bin/python3
"""The main job: three points of which one is unplugged, a kill, and a third that catches up."""
import os

from harness import Site, claim, make_tree, run, write

ZONES = '/usr/share/zoneinfo'


@claim(120)
def a_real_tree_reaches_every_point_through_an_absence_and_a_kill():
    with Site() as site:
        site.start()
        for point in ('berlin', 'lisbon', 'oslo'):
            site.add_point(point)
        site.unplug('oslo')
        site.do('package.add', {'id': 'zones', 'source': ZONES})
        site.do('distribute', {'id': 'zones', 'to': ['berlin', 'lisbon', 'oslo']})
        site.wait_states('zones', {'berlin': 'installed', 'lisbon': 'installed',
                                   'oslo': 'retrying'})
        oslo = site.target('zones', 'oslo')
        assert oslo['cause']['code'] == 'absent', f"cause is {oslo['cause']}, expected absent"
        assert oslo['due'], 'oslo is retrying and no time is due'
        assert oslo['attempts'] == 0, f"absence used up {oslo['attempts']} attempts, expected 0"
        assert site.status('zones')['state'] == 'active'
        site.kill()
        site.start()
        assert site.states('zones')['berlin'] == 'installed', 'berlin was forgotten'
        assert site.states('zones')['oslo'] != 'installed'
        site.plug('oslo')
        site.wait_states('zones', {'oslo': 'installed'}, 30)
        site.wait_package('zones', 'complete', 10)
        for point in ('berlin', 'lisbon', 'oslo'):
            site.holds(point, 'zones', ZONES)
        site.stop()


@claim(60)
def distribute_again_while_nothing_changed_makes_no_work():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'installed'})
        current = os.readlink(site.content('a', 'P1'))
        last = site.history()[-1]['seq']
        again = site.do('distribute', {'id': 'P1', 'to': ['a']})
        assert again['changed'] is False, f'the site says it changed: {again}'
        update = site.do('package.update', {'id': 'P1'})
        assert update['changed'] is False, f'an unchanged source made a version: {update}'
        site.stop()
        site.start()
        work = [e for e in site.history(last) if 2300 <= e['id'] <= 2369 and e['id'] != 2311]
        assert not work, f'work was made: {work}'
        assert os.readlink(site.content('a', 'P1')) == current
        site.stop()


@claim(60)
def a_later_version_supersedes_and_every_point_ends_at_it():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        for point in ('a', 'b'):
            site.add_point(point)
        site.do('package.add', {'id': 'P1', 'source': source, 'version': 'one'})
        site.unplug('b')
        site.do('distribute', {'id': 'P1', 'to': ['a', 'b']})
        site.wait_states('P1', {'a': 'installed', 'b': 'retrying'})
        write(os.path.join(source, 'd0', 'new'), b'the second version')
        update = site.do('package.update', {'id': 'P1', 'version': 'two'})
        assert update['changed'] is True and update['version']['label'] == 'two', update
        site.plug('b')
        site.wait_package('P1', 'complete', 60)
        for point in ('a', 'b'):
            site.holds(point, 'P1', source)
            assert site.target('P1', point)['have']['label'] == 'two'
        site.stop()


@claim(60)
def the_stream_is_without_gaps_and_equal_to_the_history():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'installed'})
        history = site.history()
        seqs = [e['seq'] for e in history]
        assert seqs == list(range(1, len(history) + 1)), f'a gap in the history: {seqs}'
        site.wait_for('the stream to reach the history',
                      lambda: site.heard and site.heard[-1]['seq'] >= history[-1]['seq'], 10)
        heard = {e['seq']: e for e in site.heard}
        differing = [e['seq'] for e in history if e['seq'] in heard and heard[e['seq']] != e]
        assert not differing, f'stream and history differ at {differing}'
        assert {2300, 2327, 2329, 2330, 2301} <= {e['id'] for e in history}, \
            sorted({e['id'] for e in history})
        site.stop()


run()
