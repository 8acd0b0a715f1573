#!/usr/bin/python3
"""Q153576: the despooler that forgot the server that had failed, on the real host.

The article's steps - two distribution servers, one disconnected, a package to both - in the forms
in which a point can fail: its root is missing, its place is empty, its disk fails, is full, or
hangs. In each the other point is done in its usual time, the package is not complete, the retry
names exactly the failed point, and when the fault has gone the site completes the job by itself.
"""
import contextlib
import os
import time

from harness import Refused, Site, bad_disk_site, claim, make_tree, needs_root, run, set_rule

USUAL = 10  # seconds for the good point while the bad one hangs; it is given up after twice that


def two_points(site, files=60):
    source = make_tree(site.path('source'), files=files)
    site.start()
    site.add_point('good')
    site.add_point('bad')
    site.do('package.add', {'id': 'P1', 'source': source})
    return source


def distribute_and_watch(site, expected=('retrying',)):
    """Distributes to both; the good one is done while the bad one is bad, which it is until the
    claim lets it be well; it is in a state of `expected`, and the package is not complete."""
    started = time.monotonic()
    site.do('distribute', {'id': 'P1', 'to': ['good', 'bad']})
    site.wait_states('P1', {'good': 'installed'})
    took = time.monotonic() - started
    site.wait_states('P1', {'bad': tuple(expected)}, 40)
    status = site.status('P1')
    assert status['state'] == 'active', f"the package is {status['state']}, expected active"
    bad = site.target('P1', 'bad')
    assert bad['cause'] and bad['cause']['code'], f'bad has no cause: {bad}'
    assert bad['due'] or bad['state'] != 'retrying', f'bad is retrying, and nothing is due: {bad}'
    assert bad['have'] is None, f'bad is said to have {bad["have"]}'
    print(f"# good took {took:.2f} s; bad is {bad['state']} because {bad['cause']['code']}")
    return bad


def retry_names_only_the_failed_point(site):
    """After the first try the stream speaks of work for `bad` alone."""
    events = site.history()
    installed = next(e['seq'] for e in events if e['id'] == 2330 and e['dp'] == 'good')
    later = [e for e in events if e['seq'] > installed and e['id'] in (2327, 2328, 2329, 2331)]
    others = [e for e in later if e.get('dp') != 'bad']
    assert not others, f'work for a point that had not failed: {others}'
    assert any(e['id'] == 2328 and e['dp'] == 'bad' for e in events), 'no retry in the stream'
    assert sum(e['id'] == 2330 and e['dp'] == 'good' for e in events) == 1, 'good was copied again'


def completes_by_itself(site, source, seconds=40):
    site.wait_states('P1', {'bad': 'installed'}, seconds)
    site.wait_package('P1', 'complete', 10)
    for point in ('good', 'bad'):
        site.holds(point, 'P1', source)
    retry_names_only_the_failed_point(site)
    site.stop()


def another_reaches_good(site, package, seed):
    """A further package to both points is on the good one in the usual time."""
    site.do('package.add', {'id': package, 'source': make_tree(site.path(package), seed=seed)})
    site.do('distribute', {'id': package, 'to': ['bad', 'good']})
    site.wait_states(package, {'good': 'installed'}, USUAL)


def bad_completes(site, source):
    site.wait_package('P1', 'complete', 60)
    site.holds('bad', 'P1', source)
    site.stop()


def completes_when_let_go(site, source):
    """What hangs returns, and the disk is well from now on."""
    set_rule(site, 'ok 0 /')
    fifo = os.open(site.path('rule.fifo'), os.O_RDWR)
    try:
        bad_completes(site, source)
    finally:
        os.close(fifo)


@claim(120, both=True)
def q153576_root_missing_retry_names_exactly_the_failed_point():
    with Site() as site:
        source = two_points(site)
        site.unplug('bad')
        bad = distribute_and_watch(site)
        assert bad['cause']['code'] == 'absent', bad
        site.plug('bad')
        completes_by_itself(site, source)


@claim(120, both=True)
def q153576_retry_survives_a_kill_and_a_restart():
    with Site() as site:
        source = two_points(site)
        site.unplug('bad')
        distribute_and_watch(site)
        for _ in range(3):
            site.kill()
            site.start()
            site.wait_states('P1', {'good': 'installed', 'bad': 'retrying'}, 30)
        site.plug('bad')
        completes_by_itself(site, source)


@claim(120, both=True)
def q153576_an_empty_place_is_not_filled_and_the_real_point_is_awaited():
    with Site() as site:
        source = two_points(site)
        site.unplug('bad')
        os.mkdir(site.path('points', 'bad'))
        distribute_and_watch(site)
        found = os.listdir(site.path('points', 'bad'))
        assert found == [], f'the empty place was written to: {found}'
        os.rmdir(site.path('points', 'bad'))
        site.plug('bad')
        completes_by_itself(site, source)


@claim(120, both=True)
def q153576_eio_after_half_the_files_is_retried_on_that_point_only():
    with bad_disk_site() as site:
        source = two_points(site)
        set_rule(site, f"eio 30 {site.path('points', 'bad')}")
        bad = distribute_and_watch(site)
        assert bad['cause']['code'] == 'io', bad
        site.wait_for('a second attempt', lambda: site.target('P1', 'bad')['attempts'] >= 2, 30)
        assert not os.path.lexists(site.content('bad', 'P1')), 'half a version became current'
        set_rule(site, 'ok 0 /')
        completes_by_itself(site, source, 60)


@claim(120, both=True)
def q153576_a_full_point_waits_for_space_and_goes_on_by_itself():
    with bad_disk_site() as site:
        source = two_points(site)
        set_rule(site, f"full 30 {site.path('points', 'bad')}")
        distribute_and_watch(site, ('waiting', 'retrying'))
        assert not os.path.lexists(site.content('bad', 'P1')), 'half a version became current'
        set_rule(site, 'ok 0 /')
        bad_completes(site, source)


@claim(120)
def q153576_a_really_full_file_system_shows_need_and_have():
    needs_root()
    with Site() as site:
        source = make_tree(site.path('source'), files=40, size=100000)
        site.start()
        site.add_point('good')
        root = site.tmpfs('points', 'bad', size='40m')
        site.do('dp.add', {'name': 'bad', 'root': root})
        with open(os.path.join(root, 'ballast'), 'wb') as file:
            with contextlib.suppress(OSError):
                for _ in range(38):
                    file.write(bytes(1 << 20))
                    file.flush()
        site.do('package.add', {'id': 'P1', 'source': source})
        bad = distribute_and_watch(site, ('waiting',))
        assert bad['cause']['code'] == 'space', bad
        assert bad['cause']['need'] > bad['cause']['have'], bad
        os.unlink(os.path.join(root, 'ballast'))
        bad_completes(site, source)


@claim(150)
def q153576_a_hung_point_delays_nobody_and_gets_no_second_job():
    with bad_disk_site() as site:
        source = two_points(site)
        os.mkfifo(site.path('rule.fifo'))
        set_rule(site, f"hang 10 {site.path('points', 'bad')}")
        started = time.monotonic()
        site.do('distribute', {'id': 'P1', 'to': ['good', 'bad']})
        site.wait_states('P1', {'good': 'installed'}, USUAL)
        assert time.monotonic() - started < USUAL * 4
        assert site.status('P1')['state'] == 'active'
        threads = site.threads()
        # Others go on being served, on the same slots, while it hangs.
        for number in range(5):
            another_reaches_good(site, f'O{number}', number + 10)
        assert site.threads() <= threads + 2, 'a hung point takes more and more threads'
        site.wait_for('the point to be told hung',
                      lambda: (site.target('P1', 'bad')['cause'] or {}).get('code') == 'hung', 60)
        assert site.target('P1', 'bad')['attempts'] == 0, 'a point that hangs uses up attempts'
        completes_when_let_go(site, source)


@claim(150)
def a_sync_that_takes_long_is_not_called_hung():
    """One call brings all that was written to the disk, for as long as a slow disk takes."""
    with bad_disk_site() as site:
        source = two_points(site)
        os.mkfifo(site.path('rule.fifo'))
        site.do('component.set', {'name': 'despooler', 'slots': 1})
        set_rule(site, f"slow-sync {site.path('points', 'bad')}")
        site.do('distribute', {'id': 'P1', 'to': ['bad']})
        site.wait_states('P1', {'bad': 'installing'}, USUAL)
        site.do('distribute', {'id': 'P1', 'to': ['good']})

        def waited():
            """The site's own clock: how long what waits for the slot has waited."""
            return any(int(e['attrs'].get('oldest_ms', 0)) > 25000 for e in site.heard
                       if e['component'] == 'despooler' and e['attrs'])
        site.wait_for('an instruction to wait for 25 s', waited, 90)
        bad = site.target('P1', 'bad')
        assert bad['state'] == 'installing' and bad['cause'] is None, bad
        completes_when_let_go(site, source)


@claim(120, both=True)
def q161043_a_point_in_use_is_tried_again_after_a_while_and_others_pass():
    """The article: an instruction that another program held open was never tried again, and all
    that stood behind it waited."""
    with bad_disk_site() as site:
        source = two_points(site)
        site.do('component.set', {'name': 'despooler', 'slots': 1})
        set_rule(site, f"busy 3 {site.path('points', 'bad')}")
        site.do('distribute', {'id': 'P1', 'to': ['bad']})
        site.do('distribute', {'id': 'P1', 'to': ['good']})
        site.wait_states('P1', {'good': 'installed', 'bad': 'retrying'}, USUAL)
        for attempt in range(1, 4):
            site.wait_for(f'attempt {attempt}',
                          lambda: site.target('P1', 'bad')['attempts'] >= attempt, 30)
            another_reaches_good(site, f'O{attempt}', attempt)
        cause = site.target('P1', 'bad')['cause']
        assert cause['code'] == 'busy' and cause['class'] == 'retry', cause
        set_rule(site, 'ok 0 /')
        for package in ('P1', 'O1', 'O2', 'O3'):
            site.wait_package(package, 'complete', 60)
        site.holds('bad', 'P1', source)
        site.stop()


@claim(60, both=True)
def q153576_an_instruction_without_targets_is_refused():
    with Site() as site:
        two_points(site)
        for arguments in ({'id': 'P1', 'to': []}, {'id': 'P1'}):
            site.refused('distribute', arguments,
                         ('no-targets', 'missing-argument', 'bad-value'))
        assert site.status('P1')['state'] == 'idle', 'zero targets are not a complete job'
        try:
            site.do('group.add', {'name': 'none', 'dps': []})
        except Refused:
            pass
        else:
            site.refused('distribute', {'id': 'P1', 'to': ['@none']}, ('no-targets', 'not-found'))
        assert site.status('P1')['targets'] == []
        site.stop()


@claim(60, both=True)
def q153576_one_failed_point_of_many_makes_no_work_for_the_others():
    with Site() as site:
        source = make_tree(site.path('source'), files=5)
        site.start()
        names = [f'p{n}' for n in range(20)] + ['bad']
        for name in names:
            site.add_point(name)
        site.unplug('bad')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'all': True})
        site.wait_states('P1', {n: 'installed' for n in names if n != 'bad'})
        site.wait_states('P1', {'bad': 'retrying'})
        site.plug('bad')
        site.wait_package('P1', 'complete', 30)
        counts = {}
        for event in site.history():
            if event['id'] == 2330:
                counts[event['dp']] = counts.get(event['dp'], 0) + 1
        assert counts == {n: 1 for n in names}, f'installed more than once: {counts}'
        site.stop()


run()
