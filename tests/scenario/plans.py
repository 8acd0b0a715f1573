#!/usr/bin/python3
"""What a plan tells before anything is sent, held against what was sent then; and who waits for a
plan or a verify that does not go on."""
import concurrent.futures
import os

from agent_site import Agents
from harness import claim, despool, make_tree, needs_root, run, write

BIG = 3 << 20


def plan(site, package, *points):
    """{point: row} of a plan."""
    answer = site.do('plan', {'id': package, 'to': list(points)})
    return {row['dp']: row for row in answer['points']}


def sent(site, package):
    """{point: bytes} of its last installations, as the stream tells them."""
    return {event['dp']: int(event['attrs']['sent']) for event in site.history()
            if event['package'] == package and event['id'] == 2330}


def doubled_tree(path):
    """With content that is there twice, an empty file, and one larger than a message."""
    make_tree(path)
    for name in 'first', 'second':
        write(os.path.join(path, name, 'same'), b'told once, placed twice' * 1000)
    write(os.path.join(path, 'empty'), b'')
    write(os.path.join(path, 'big'), os.urandom(BIG))
    return path


def bytes_of(source):
    return sum(os.path.getsize(os.path.join(path, file)) for path, _, files in os.walk(source)
               for file in files if not os.path.islink(os.path.join(path, file)))


def held_to_its_plan(site, package, planned, change):
    """Lets a change go to its points; each is sent what its plan has told."""
    before = site.figure('sent')
    change()
    site.wait_for('the distribution', lambda: site.status(package)['state'] == 'complete', 60)
    told = {point: row['bytes'] for point, row in planned.items()}
    assert sent(site, package) == told, f'planned {told}, sent {sent(site, package)}'
    left = site.figure('sent') - before
    assert left == told['shop'], f'{left} bytes left for the agent, planned were {told["shop"]}'


@claim(120)
def what_was_sent_is_what_the_plan_has_told_to_the_byte():
    with Agents() as site:
        source = doubled_tree(site.path('source'))
        site.start()
        site.join('shop')
        site.add_point('near')
        site.do('package.add', {'id': 'P1', 'source': source})
        planned = plan(site, 'P1', 'shop', 'near')
        assert os.listdir(site.path('points', 'near')) == ['.despool'], 'a plan has placed it'
        assert site.status('P1')['targets'] == [], 'a plan has made targets'
        assert planned['near']['bytes'] == bytes_of(source), planned
        assert BIG < planned['shop']['bytes'] < bytes_of(source), planned
        assert planned['near']['need_bytes'] >= planned['near']['bytes'], planned
        held_to_its_plan(site, 'P1', planned, lambda: site.do(
            'distribute', {'id': 'P1', 'to': ['shop', 'near']}))
        for row in plan(site, 'P1', 'shop', 'near').values():
            assert row['already'] and row['bytes'] == 0 and row['need_bytes'] == 0, row
        for name in 'shop', 'near':
            site.do('dp.pause', {'name': name})
        write(os.path.join(source, 'd0', 'new'), b'a second version')
        site.do('package.update', {'id': 'P1'})
        planned = plan(site, 'P1', 'shop', 'near')
        assert planned['shop']['bytes'] == len(b'a second version'), planned
        held_to_its_plan(site, 'P1', planned, lambda: [
            site.do('dp.resume', {'name': name}) for name in ('shop', 'near')])
        site.holds('shop', 'P1', source)
        site.stop()


@claim(120)
def a_plan_tells_who_is_absent_and_where_there_is_no_room():
    needs_root()
    with Agents() as site:
        source = doubled_tree(site.path('source'))
        site.start()
        site.tmpfs('points', 'small', size='18m')  # of which 16 MiB are the reserve
        site.add_point('small')
        site.add_point('away')
        site.unplug('away')
        site.do('group.add', {'name': 'both', 'dps': ['small', 'away']})
        site.do('package.add', {'id': 'P1', 'source': source})
        answer = site.do('plan', {'id': 'P1', 'to': ['@both']})
        rows = {row['dp']: row for row in answer['points']}
        assert answer['ok'] is False and answer['version']['epoch'] == 1, answer
        assert rows['away']['cause']['code'] == 'absent', rows
        cause = rows['small']['cause']
        assert cause['code'] == 'space' and cause['need'] == rows['small']['need_bytes'], rows
        assert cause['have'] < cause['need'] and rows['small']['bytes'] == bytes_of(source), rows
        shown = despool(site, 'plan', 'P1', '--to', '@both')
        assert shown.returncode == 1 and 'absent' in shown.stdout, shown
        site.refused('plan', {'id': 'P1', 'to': ['nobody']}, 'not-found')
        site.refused('plan', {'id': 'P1', 'to': []}, 'no-targets')
        site.do('component.pause', {'name': 'despooler'})
        site.wait_for('it to be paused', lambda: site.ask('component.show', {'name': 'despooler'})[
            'component']['state'] == 'paused')
        site.refused('plan', {'id': 'P1', 'all': True}, 'paused')
        site.do('component.resume', {'name': 'despooler'})
        site.stop()


LOOKS = (('verify', 'P1'), ('plan', 'P1', '--all'))


def wait_component(site, name, state):
    site.wait_for(f'{name} to be {state}', lambda: site.ask('component.show', {'name': name})[
        'component']['state'] == state)


def begin_anew(site, name):
    """Restarts it, and waits until it has: what is asked of it before that is lost with it."""
    def shown():
        return site.ask('component.show', {'name': name})['component']
    before = shown()['restarts']
    site.do('component.restart', {'name': name})
    site.wait_for(f'{name} to begin anew',
                  lambda: shown()['restarts'] > before and shown()['state'] == 'ready')


def held_look(site, words, hold):
    """A look of which one point is in the only slot, where its agent's gateway is paused, and
    another waits; what it is told when it is held then."""
    site.do('component.pause', {'name': 'agent_gateway'})
    wait_component(site, 'agent_gateway', 'paused')
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(despool, site, *words)
        site.wait_for('a point to wait', lambda: 'in hand: 1, waiting: 1' in site.ask(
            'component.show', {'name': 'despooler'})['component']['describes'])
        hold()
        return asked.result(30)


@claim(120)
def nobody_waits_for_a_look_without_slots_or_of_a_paused_manager():
    with Agents() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.join('busy')
        site.add_point('near')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'all': True})
        site.wait_package('P1', 'complete', 60)
        for words in LOOKS:
            site.do('component.set', {'name': 'despooler', 'slots': 1})
            told = held_look(site, words, lambda: site.do(
                'component.set', {'name': 'despooler', 'slots': 0}))
            assert told.returncode == 1 and 'no slots' in told.stderr, told
            assert 'component set despooler --slots' in told.stderr, told
            site.do('component.set', {'name': 'despooler', 'slots': 1})
            begin_anew(site, 'despooler')
            told = held_look(site, words, lambda: site.do(
                'component.pause', {'name': 'distribution_manager'}))
            assert told.returncode == 1, told
            assert 'the component distribution_manager is paused' in told.stderr, told
            assert 'component resume distribution_manager' in told.stderr, told
            for name in 'distribution_manager', 'agent_gateway':
                site.do('component.resume', {'name': name})
            begin_anew(site, 'despooler')
        site.do('component.set', {'name': 'despooler', 'slots': 4})
        told = despool(site, 'verify', 'P1')
        assert told.returncode == 0, told
        site.stop()


run()
