"""Q152468 and Q303462: one damaged file ended the host at each of its starts, and nothing went on.

The host is started again and again as a service manager would. What it crashes on is put aside
after CRASH_ATTEMPTS_MAX ends of the process; everything else is done; a person can try it again.
"""
import os
import struct

from harness import (PLACEMENT, Late, Refused, Site, bad_disk_site, claim, crashing_env, despool,
                     make_tree, run, set_rule)

CRASHES = 3  # CRASH_ATTEMPTS_MAX
USUAL = 30
CLAIM = 120


def two_points(site):
    site.start()
    source = make_tree(site.path('source'), files=10)
    for name in ('good', 'bad'):
        site.add_point(name)
    for package in ('P1', 'P2'):
        site.do('package.add', {'id': package, 'source': source})
    return source


def distribute(site):
    """P1 to both; where the host crashes at once it may do so before it answers."""
    try:
        site.do('distribute', {'id': 'P1', 'to': ['good', 'bad']})
    except Late:
        assert not site.alive(), 'the host lives, and does not answer'


def crashes_until_it_stays_up(site, starts):
    """Starts the host as a service manager does; returns how often it has ended."""
    def is_aside():
        try:
            return site.states('P1').get('bad') == 'failed'
        except Refused as refusal:
            assert refusal.code in ('starting', 'down'), refusal
            return False
    for ended in range(starts + 1):
        try:
            site.wait_for('the host to put the work aside or to crash', is_aside, USUAL)
            return ended
        except Late:
            assert not site.alive(), site.states('P1')
        site.start(ready=False)
    raise AssertionError(f'the host ended at each of {starts} starts')


def aside(site):
    return site.ask('quarantine.list')['messages']


@claim(120)
def q152468_work_that_ends_the_host_is_put_aside_and_all_other_work_is_done():
    with bad_disk_site(crashing_env()) as site:
        source = two_points(site)
        set_rule(site, f"crash 0 {site.path('points', 'bad')}")
        distribute(site)
        ended = crashes_until_it_stays_up(site, 2 * CRASHES)
        assert ended == CRASHES, f'it took {ended} crashes, expected {CRASHES}'
        # The reason is told, in the status, the quarantine, and on the command line.
        target = site.target('P1', 'bad')
        assert target['cause']['code'] == 'quarantined', target
        assert 'signal 11' in target['cause']['text'], target
        rows = aside(site)
        assert len(rows) == 1 and rows[0]['actor'] == 'P1 on bad', rows
        assert rows[0]['attempts'] == CRASHES and rows[0]['reason'] == target['cause']['text'], rows
        number = rows[0]['number']
        assert site.ask('quarantine.show', {'number': number})['messages'] == rows
        shown = despool(site, 'quarantine', 'list')
        assert shown.returncode == 0 and str(number) in shown.stdout, shown
        assert 'signal 11' in despool(site, 'blackbox').stdout
        failed = [e for e in site.history() if e['id'] == 2331 and e['dp'] == 'bad']
        assert len(failed) == 1 and 'signal 11' in failed[0]['text'], failed
        # The other target of the same package, and other packages, are done.
        site.wait_states('P1', {'good': 'installed', 'bad': 'failed'}, USUAL)
        site.do('distribute', {'id': 'P2', 'to': ['good']})
        site.wait_states('P2', {'good': 'installed'}, USUAL)
        site.holds('good', 'P1', source)
        site.holds('good', 'P2', source)
        # An orderly restart tries nothing of it again.
        site.stop()
        site.start()
        assert site.states('P1') == {'good': 'installed', 'bad': 'failed'}
        assert aside(site) == rows
        # A person tries it again when the cause is gone.
        set_rule(site, 'ok 0 /')
        assert site.do('quarantine.retry', {'number': number})['changed']
        site.wait_package('P1', 'complete', USUAL)
        site.holds('bad', 'P1', source)
        assert aside(site) == []
        site.refused('quarantine.retry', {'number': number}, 'not-found')
        site.refused('quarantine.show', {'number': number}, 'not-found')
        site.stop()


@claim(120)
def tried_again_by_hand_it_has_all_its_attempts_again():
    with bad_disk_site(crashing_env()) as site:
        two_points(site)
        set_rule(site, f"crash 0 {site.path('points', 'bad')}")
        distribute(site)
        crashes_until_it_stays_up(site, 2 * CRASHES)
        try:
            despool(site, 'quarantine', 'retry', str(aside(site)[0]['number']))
            site.wait_for('the host to crash', lambda: False, USUAL)
        except Late:
            assert not site.alive(), 'it was not tried again'
        site.start(ready=False)
        ended = crashes_until_it_stays_up(site, 2 * CRASHES)
        assert ended == CRASHES - 1, f'it took {ended + 1} crashes, expected {CRASHES}'
        number = str(aside(site)[0]['number'])
        for words in (('list',), ('show', number)):
            shown = despool(site, 'quarantine', *words)
            assert shown.returncode == 0 and 'P1 on bad' in shown.stdout, shown
            assert 'signal 11' in shown.stdout, shown
        assert despool(site, 'quarantine', 'drop', number, '--dry-run').returncode == 0
        assert len(aside(site)) == 1, 'a dry run dropped it'
        dropped = despool(site, 'quarantine', 'drop', number)
        assert dropped.returncode == 0, dropped
        assert site.states('P1')['bad'] == 'cancelled' and aside(site) == []
        for word in ('show', 'retry', 'drop'):
            gone = despool(site, 'quarantine', word, number)
            assert gone.returncode != 0 and number in gone.stderr, gone
        site.stop()


@claim(CLAIM)
def a_host_that_is_killed_again_and_again_gives_up_no_work():
    with bad_disk_site(crashing_env()) as site:
        source = two_points(site)
        set_rule(site, f"kill 0 {site.path('points', 'bad')}")
        distribute(site)
        # Each start makes several commits before it comes to that work: with a disk that others
        # keep busy they took over half a minute. Only the claim's own time ends the wait.
        for _ in range(2 * CRASHES):
            site.wait_gone(CLAIM)
            site.start(ready=False)
        site.wait_gone(CLAIM)
        set_rule(site, 'ok 0 /')
        site.start()
        site.wait_package('P1', 'complete', USUAL)
        site.holds('bad', 'P1', source)
        assert aside(site) == []
        site.stop()


# ---- a crash that is about no target: forged, as a crash in a handler would have left it ----

HEAD = struct.Struct('=8s4I')
COUNTED = 64 * struct.calcsize('=28s20sIIQq')
PART = struct.Struct('=32s28sIQQQ')


def forge_crash(site, component):
    """As if a message in hand of this component had ended the process."""
    thread = 'pool-1' if PLACEMENT == 'pool' else component
    with open(os.path.join(site.data, 'blackbox'), 'r+b') as file:
        magic, form, _, parts, _ = HEAD.unpack(file.read(HEAD.size))
        assert magic == b'BLCKBOX2' and form == HEAD.size + COUNTED, (magic, form)
        for number in range(parts):
            at = form + number * PART.size
            file.seek(at)
            name, _, _, _, _, count = PART.unpack(file.read(PART.size))
            if name.rstrip(b'\0').decode() == thread:
                file.seek(at)
                file.write(PART.pack(name, component.encode(), 11, 0, count, count))
                return
    raise AssertionError(f'no thread is named {thread}')


@claim(120)
def q303462_a_component_that_ends_the_host_at_each_start_is_held_and_the_others_work():
    with Site() as site:
        source = two_points(site)
        for _ in range(CRASHES):
            site.wait_ready()
            shown = site.ask('component.show', {'name': 'alarm_manager'})['component']
            assert shown['requested'] == 'run', shown
            site.kill()
            forge_crash(site, 'alarm_manager')
            site.start()
        shown = site.ask('component.show', {'name': 'alarm_manager'})['component']
        assert shown['requested'] == 'stop' and shown['state'] == 'stopped', shown
        told = site.wait_for('it to be told', lambda: [e for e in site.history() if e['id'] == 502],
                             USUAL)
        assert len(told) == 1 and 'alarm_manager' in told[0]['text'], told
        site.do('distribute', {'id': 'P1', 'to': ['good', 'bad']})
        site.wait_package('P1', 'complete', USUAL)
        site.holds('bad', 'P1', source)
        assert site.do('component.start', {'name': 'alarm_manager'})['changed']
        site.wait_for('it to be ready', lambda: site.ask(
            'component.show', {'name': 'alarm_manager'})['component']['state'] == 'ready', USUAL)
        site.stop()


run()
