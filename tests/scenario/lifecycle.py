#!/usr/bin/python3
"""What becomes of content: sources that vanish, withdrawals, removals, damage, cancel, pause."""
import contextlib
import ctypes
import os
import random
import shutil

from harness import Refused, Site, claim, make_tree, own_tree, remove_tree, run, write
import packs


def one_package(site, *points, unplugged=()):
    source = make_tree(site.path('source'))
    site.start()
    for point in points:
        site.add_point(point)
    site.do('package.add', {'id': 'P1', 'source': source})
    for point in unplugged:
        site.unplug(point)
    site.do('distribute', {'id': 'P1', 'to': list(points)})
    site.wait_states('P1', {p: 'retrying' if p in unplugged else 'installed' for p in points})
    return source


@claim(90, both=True)
def a_source_deleted_after_the_answer_is_never_missed():
    with Site() as site:
        source = make_tree(site.path('source'))
        kept = shutil.copytree(source, site.path('kept'), symlinks=True)
        site.start()
        site.add_point('a')
        site.add_point('b')
        site.unplug('b')
        site.do('package.add', {'id': 'P1', 'source': source})
        shutil.rmtree(source)
        site.do('distribute', {'id': 'P1', 'to': ['a', 'b']})
        site.wait_states('P1', {'a': 'installed', 'b': 'retrying'})
        site.kill()
        site.start()
        site.plug('b')
        site.wait_package('P1', 'complete')
        assert site.do('verify', {'id': 'P1'})['ok'] is True
        for point in ('a', 'b'):
            site.holds(point, 'P1', kept)
        site.stop()


@claim(90, both=True)
def a_flipped_byte_with_its_mtime_put_back_is_found_and_repaired():
    with Site() as site:
        source = one_package(site, 'a', 'b')
        victim = os.path.join(site.content('a', 'P1'), 'd1', 'e1', 'file-1')
        before = os.lstat(victim)
        os.chmod(victim, 0o644)
        with open(victim, 'r+b') as file:
            byte = file.read(1)
            file.seek(0)
            file.write(bytes([byte[0] ^ 1]))
        os.chmod(victim, before.st_mode & 0o7777)
        os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
        last = site.history()[-1]['seq']
        verified = site.do('verify', {'id': 'P1'})
        assert verified['ok'] is False, f'verify did not find it: {verified}'
        rows = {row['dp']: row for row in verified['points']}
        assert rows['b']['ok'] is True, rows['b']
        assert rows['a']['changed_count'] == 1, rows['a']
        assert rows['a']['changed'] == ['v1/d1/e1/file-1'], rows['a']
        site.wait_for('the damage in the stream', lambda: any(
            e['id'] == 2336 and e['dp'] == 'a' for e in site.history(last)))
        site.wait_states('P1', {'a': 'installed', 'b': 'installed'})
        site.wait_for('the repair', lambda: any(
            e['id'] == 2330 and e['dp'] == 'a' for e in site.history(last)))
        site.holds('a', 'P1', source)
        assert site.do('verify', {'id': 'P1'})['ok'] is True
        site.stop()


@claim(60)
def a_dry_run_of_verify_tells_damage_and_mends_nothing():
    with Site() as site:
        source = one_package(site, 'a')
        victim = os.path.join(site.content('a', 'P1'), 'd1', 'e1', 'file-1')
        os.unlink(victim)
        last = site.history()[-1]['seq']
        told = site.ask('verify', {'id': 'P1', 'dry_run': True})
        assert told['points'][0]['missing'] == ['v1/d1/e1/file-1'], told
        site.do('group.add', {'name': 'later', 'dps': ['a']})
        ids = {e['id'] for e in site.history(last)}
        assert not ids & {2300, 2327, 2329, 2330, 2336, 2337}, f'the dry run made {sorted(ids)}'
        assert not os.path.exists(victim) and site.states('P1') == {'a': 'installed'}
        assert site.do('verify', {'id': 'P1'})['ok'] is False
        site.wait_for('the repair', lambda: os.path.exists(victim))
        site.wait_states('P1', {'a': 'installed'})
        site.holds('a', 'P1', source)
        assert site.do('verify', {'id': 'P1'})['ok'] is True
        site.wait_for('that it is whole', lambda: any(
            e['id'] == 2337 and e['dp'] == 'a' for e in site.history(last)))
        site.stop()


@claim(60, both=True)
def a_verify_said_again_with_its_key_gets_its_first_answer_and_looks_at_nothing():
    with Site() as site:
        source = one_package(site, 'a')
        victim = os.path.join(site.content('a', 'P1'), 'd1', 'e1', 'file-1')
        os.unlink(victim)
        first = site.ask('verify', {'id': 'P1'}, key='once')
        assert first['points'][0]['missing'] == ['v1/d1/e1/file-1'], first
        site.wait_for('the repair', lambda: os.path.exists(victim))
        site.wait_states('P1', {'a': 'installed'})
        site.holds('a', 'P1', source)
        last = site.history()[-1]['seq']
        assert site.ask('verify', {'id': 'P1'}, key='once') == first
        site.kill()
        site.start()
        assert site.ask('verify', {'id': 'P1'}, key='once') == first
        ids = {e['id'] for e in site.history(last)}
        assert not ids & {2336, 2337}, f'a verify that was said again has looked: {sorted(ids)}'
        assert site.ask('verify', {'id': 'P1'}, key='again')['ok'] is True
        site.stop()


@claim(60, both=True)
def missing_and_extra_paths_are_listed_by_verify():
    with Site() as site:
        one_package(site, 'a')
        content = site.content('a', 'P1')
        os.unlink(os.path.join(content, 'd1', 'e1', 'file-1'))
        write(os.path.join(content, 'd1', 'foreign'), b'x')
        row = site.do('verify', {'id': 'P1'})['points'][0]
        assert row['missing'] == ['v1/d1/e1/file-1'], row
        assert row['extra'] == ['v1/d1/foreign'], row
        site.stop()


@claim(60, both=True)
def all_that_is_missing_is_listed_by_verify_where_the_package_is_gone():
    with Site() as site:
        source = one_package(site, 'a')
        expected = {'current', 'v1'}
        for where, directories, files in os.walk(source):
            below = os.path.relpath(where, source)
            expected |= {os.path.normpath(os.path.join('v1', below, name))
                         for name in directories + files}
        remove_tree(site.path('points', 'a', 'P1'))
        row = site.do('verify', {'id': 'P1'})['points'][0]
        assert set(row['missing']) == expected, \
            f'{sorted(row["missing"])}, expected {sorted(expected)}'
        assert row['missing_count'] == len(expected), row
        site.wait_package('P1', 'complete')
        site.holds('a', 'P1', source)
        site.stop()


@claim(60, both=True)
def a_withdrawal_is_verified_by_listing_and_leaves_foreign_files():
    with Site() as site:
        one_package(site, 'a')
        foreign = site.path('points', 'a', 'not-ours')
        write(foreign, b'x')
        site.do('withdraw', {'id': 'P1', 'from': ['a']})
        site.wait_states('P1', {'a': 'removed'})
        assert site.status('P1')['state'] == 'idle'
        assert not os.path.lexists(site.path('points', 'a', 'P1')), 'content is left'
        assert os.path.exists(foreign), 'a foreign file was removed'
        site.stop()


@claim(60, both=True)
def a_withdrawal_tells_how_many_foreign_files_stay_and_which_is_the_first():
    with Site() as site:
        source = one_package(site, 'a')
        content = os.path.realpath(site.content('a', 'P1'))
        for name in ('foreign-1', 'foreign-2'):
            write(os.path.join(content, 'd1', name), b'x')
        last = site.history()[-1]['seq']
        site.do('withdraw', {'id': 'P1', 'from': ['a']})
        site.wait_states('P1', {'a': 'removed'})
        told = [e for e in site.history(last) if e['id'] == 2335]
        cause = site.target('P1', 'a')['cause']
        for text in (told[0]['text'], cause['text']):
            assert '2 paths' in text and 'v1/d1/foreign-1' in text, f'not told: {text}'
        assert cause['code'] == 'not-ours', cause
        found = sorted(os.listdir(os.path.join(content, 'd1')))
        assert found == ['foreign-1', 'foreign-2'], f'{found} stay, expected the foreign files'
        remove_tree(site.path('points', 'a', 'P1'))
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_package('P1', 'complete')
        site.holds('a', 'P1', source)
        assert site.target('P1', 'a').get('cause') is None, site.target('P1', 'a')
        site.stop()


@claim(90, both=True)
def a_withdrawal_survives_an_absent_point_and_a_kill():
    with Site() as site:
        one_package(site, 'a', 'b')
        site.unplug('b')
        site.do('withdraw', {'id': 'P1', 'from': ['a', 'b']})
        site.wait_states('P1', {'a': 'removed', 'b': 'removing'})
        site.kill()
        site.start()
        assert site.states('P1')['b'] == 'removing', 'the tombstone was forgotten'
        site.plug('b')
        site.wait_states('P1', {'b': 'removed'}, 30)
        assert not os.path.lexists(site.path('points', 'b', 'P1')), 'content is left'
        site.stop()


def exchange(one, other):
    """Two directories, at one instant: nobody meets neither of them."""
    done = ctypes.CDLL(None, use_errno=True).renameat2(
        -100, os.fsencode(one), -100, os.fsencode(other), 2)  # AT_FDCWD, RENAME_EXCHANGE
    assert done == 0, os.strerror(ctypes.get_errno())


def becomes(site, point, state, since):
    """Waits until the point is shown so, with the event that tells it; returns the event's text."""
    told = {'absent': 2373, 'active': 2374}[state]

    def shown():
        rows = {row['name']: row['state'] for row in site.ask('dp.list')['dps']}
        return rows[point] == state
    site.wait_for(f'{point} to be shown as {state}', shown, 30)
    assert site.ask('dp.show', {'name': point})['dp']['state'] == state
    texts = [e['text'] for e in site.history(since) if e['id'] == told and e['dp'] == point]
    assert len(texts) == 1, f'told {texts} of {point}, expected one event {told}'
    return texts[0]


@claim(120, both=True)
def a_point_without_work_is_missed_when_it_vanishes_or_is_another_and_is_welcomed_back():
    with Site() as site:
        site.tune(probe_ms=50)  # looked at every 1.5 s
        one_package(site, 'a', 'b')
        for clone, why in ((False, 'not there'), (True, 'another')):
            last = site.history()[-1]['seq']
            if clone:
                there, away = site.path('points', 'b'), site.path('points', 'b.unplugged')
                own_tree(shutil.copytree(site.path('points', 'a'), away, symlinks=True))
                exchange(there, away)
            else:
                site.unplug('b')
            text = becomes(site, 'b', 'absent', last)
            assert why in text, f'the cause is {text}, expected that it says: {why}'
            assert site.states('P1') == {'a': 'installed', 'b': 'installed'}
            last = site.history()[-1]['seq']
            if clone:
                remove_tree(site.path('points', 'b'))
            site.plug('b')
            becomes(site, 'b', 'active', last)
        told = [e for e in site.history() if e['id'] in (2373, 2374) and e['dp'] == 'a']
        assert not told, f'the point that was always there: {told}'
        site.stop()


def packages_at(site, point):
    """The packages that a point holds, and those that it has notes of."""
    root = site.path('points', point)
    held = {name for name in os.listdir(root) if name != '.despool'}
    noted = set()
    for inner in ('packages', 'receipts', 'staging'):
        noted |= set(os.listdir(os.path.join(root, '.despool', inner)))
    return held, noted


@claim(90, both=True)
def q235774_a_point_that_missed_deletions_and_additions_ends_equal_to_the_others():
    """The article: a site that was away while packages were deleted kept them for ever."""
    with Site() as site:
        source = one_package(site, 'a', 'b')
        for package in ('P2', 'P3'):
            site.do('package.add', {'id': package, 'source': source})
            site.do('distribute', {'id': package, 'to': ['a', 'b']})
            site.wait_package(package, 'complete')
        site.unplug('b')
        site.do('withdraw', {'id': 'P1', 'from': ['a', 'b']})
        site.do('package.remove', {'id': 'P2', 'withdraw': True})
        site.do('package.add', {'id': 'P4', 'source': source})
        site.do('distribute', {'id': 'P4', 'to': ['a', 'b']})
        site.wait_states('P1', {'a': 'removed', 'b': 'removing'})
        site.wait_states('P4', {'a': 'installed', 'b': 'retrying'})
        site.kill()
        site.start()
        site.plug('b')
        site.wait_states('P1', {'b': 'removed'})
        site.wait_package('P4', 'complete')

        def forgotten():
            return 'P2' not in [p['id'] for p in site.ask('package.list')['packages']]
        site.wait_for('the removed package to be gone', forgotten, 30)
        expected = ({'P3', 'P4'}, {'P3', 'P4'})
        for point in ('a', 'b'):
            found = packages_at(site, point)
            assert found == expected, f'{point} holds {found}, expected {expected}'
        site.stop()


def answers_of(site, requests):
    """Sends commands without waiting between them; returns {number: code or 'ok'} of all."""
    idents = {site.send(cmd, args): number for number, (cmd, args) in enumerate(requests)}
    found = {}
    while len(found) < len(requests):
        reply = site.receive(60)
        if reply.get('id') in idents:
            found[idents[reply['id']]] = 'ok' if reply['ok'] else reply['error']['code']
    return found


MAY_BE_SAID = {'ok', 'not-found', 'exists', 'in-use', 'superseded', 'no-targets', 'source-changed',
               'bad-value', 'busy', 'cancelled'}


@claim(120, both=True)
def q263410_commands_on_one_package_at_once_in_any_order_end_and_leave_no_orphan():
    """The article: a package was changed while it was being deleted, and could then neither be used
    nor deleted."""
    with Site() as site:
        source = one_package(site, 'a', 'b')
        for seed in range(8):
            chance = random.Random(seed)
            requests = [('package.update', {'id': 'P1'})] * 2 + [
                ('package.add', {'id': 'P1', 'source': source}),
                ('package.add', {'id': 'P1', 'source': source}),
                ('package.remove', {'id': 'P1', 'withdraw': True}),
                ('package.remove', {'id': 'P1'}),
                ('withdraw', {'id': 'P1', 'from': ['a']}),
                ('distribute', {'id': 'P1', 'to': ['a', 'b']}),
                ('cancel', {'id': 'P1'}),
                ('retry', {'id': 'P1'}),
                ('verify', {'id': 'P1'})]
            chance.shuffle(requests)
            write(os.path.join(source, 'changed'), b'%d' % seed)
            said = answers_of(site, requests)
            odd = {requests[n][0]: code for n, code in said.items() if code not in MAY_BE_SAID}
            assert not odd, f'seed {seed}: {odd}'
            if any(p['id'] == 'P1' for p in site.ask('package.list')['packages']):
                with contextlib.suppress(Refused):
                    site.do('package.remove', {'id': 'P1', 'withdraw': True})
            site.wait_for(f'the package to be gone, seed {seed}',
                          lambda: not site.ask('package.list')['packages'], 60)
            for point in ('a', 'b'):
                found = packages_at(site, point)
                assert found == (set(), set()), f'seed {seed}: {point} keeps {found}'
            said = answers_of(site, [('package.add', {'id': 'P1', 'source': source})] * 3)
            assert sorted(said.values()) == ['exists', 'exists', 'ok'], f'seed {seed}: {said}'
            site.do('distribute', {'id': 'P1', 'to': ['a', 'b']})
            site.wait_package('P1', 'complete')
            site.holds('a', 'P1', source)
        site.stop()


@claim(60, both=True)
def a_package_that_is_held_is_removed_only_with_withdraw():
    with Site() as site:
        one_package(site, 'a', 'b')
        error = site.refused('package.remove', {'id': 'P1'}, 'in-use')
        assert '2' in error['message'], f'the count is not told: {error}'
        site.refused('dp.remove', {'name': 'a'}, 'in-use')
        site.do('package.remove', {'id': 'P1', 'withdraw': True})

        def gone():
            return not site.ask('package.list')['packages']
        site.wait_for('the package to be gone', gone, 30)
        for point in ('a', 'b'):
            left = os.path.lexists(site.path('points', point, 'P1'))
            assert not left, f'content is left on {point}'
        site.do('dp.remove', {'name': 'a'})
        assert [d['name'] for d in site.ask('dp.list')['dps']] == ['b']
        site.stop()


@claim(60, both=True)
def a_package_added_again_under_the_same_id_is_another_one():
    with Site() as site:
        source = one_package(site, 'a')
        site.do('package.remove', {'id': 'P1', 'withdraw': True})
        site.wait_for('the package to be gone',
                      lambda: not site.ask('package.list')['packages'], 30)
        write(os.path.join(source, 'second'), b'2')
        site.do('package.add', {'id': 'P1', 'source': source})
        assert site.status('P1')['targets'] == [], 'it has the targets of the one before'
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_package('P1', 'complete')
        site.holds('a', 'P1', source)
        site.stop()


@claim(60, both=True)
def what_despool_did_not_make_is_refused_and_untouched():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        root = site.add_point('a')
        write(os.path.join(root, 'P1', 'mine'), b'precious')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'failed'})
        assert site.target('P1', 'a')['cause']['code'] == 'not-ours'
        assert site.status('P1')['state'] == 'failed'
        with open(os.path.join(root, 'P1', 'mine'), 'rb') as file:
            assert file.read() == b'precious'
        os.rename(os.path.join(root, 'P1'), os.path.join(root, 'moved'))
        site.do('retry', {'id': 'P1'})
        site.wait_package('P1', 'complete')
        site.holds('a', 'P1', source)
        site.stop()


@claim(60, both=True)
def cancel_ends_work_that_waits_and_retry_begins_it_again():
    with Site() as site:
        source = one_package(site, 'a', 'b', unplugged=('b',))
        site.do('cancel', {'id': 'P1'})
        site.wait_states('P1', {'a': 'installed', 'b': 'cancelled'})
        site.plug('b')
        assert site.status('P1')['state'] == 'complete', site.status('P1')
        site.do('retry', {'id': 'P1', 'dp': 'b'})
        site.wait_states('P1', {'b': 'installed'})
        site.holds('b', 'P1', source)
        site.stop()


@claim(60, both=True)
def a_paused_point_gets_no_work_until_it_is_resumed():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')
        site.do('dp.pause', {'name': 'a'})
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'waiting'})
        assert site.target('P1', 'a')['cause']['code'] == 'paused'
        site.kill()
        site.start()
        assert site.states('P1') == {'a': 'waiting'}
        site.do('dp.resume', {'name': 'a'})
        site.wait_package('P1', 'complete')
        site.stop()


@claim(60, both=True)
def a_group_stands_for_its_points():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        for point in ('a', 'b', 'c'):
            site.add_point(point)
        longest = 'two' + 61 * '2'
        site.do('group.add', {'name': longest, 'dps': ['a', 'b']})
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['@' + longest]})
        site.wait_package('P1', 'complete')
        assert site.states('P1') == {'a': 'installed', 'b': 'installed'}
        site.stop()


@claim(60, both=True)
def a_clone_of_another_point_is_not_written_to():
    with Site() as site:
        source = one_package(site, 'a', 'b')
        site.unplug('b')
        own_tree(shutil.copytree(site.path('points', 'a'), site.path('points', 'b'), symlinks=True))
        write(os.path.join(source, 'new'), b'2')
        site.do('package.update', {'id': 'P1'})
        site.wait_states('P1', {'a': 'installed', 'b': 'retrying'})
        assert site.target('P1', 'b')['cause']['code'] == 'not-this-point', site.target('P1', 'b')
        assert not os.path.exists(os.path.join(site.content('b', 'P1'), 'new')), 'it was written to'
        site.do('dp.adopt', {'name': 'b'})
        site.wait_package('P1', 'complete')
        site.holds('b', 'P1', source)
        site.stop()


@claim(60, both=True)
def an_adoption_is_told_with_its_principal_its_key_is_kept_and_no_change_is_none():
    with Site() as site:
        one_package(site, 'a')
        adopt = {'name': 'a'}
        identity = site.path('points', 'a', '.despool', 'point')
        assert not site.do('dp.adopt', adopt)['changed'], 'nothing was to be changed'
        os.unlink(identity)
        since = site.history()[-1]['seq']
        told = site.ask('dp.adopt', {**adopt, 'dry_run': True})
        assert told['changed'], f'the identity is to be written: {told}'
        assert not os.path.exists(identity), 'a dry run has written it'
        answer = site.ask('dp.adopt', adopt, key='once')
        assert answer['changed'] and os.path.exists(identity), answer
        again = site.ask('dp.adopt', adopt, key='once')
        assert again == answer, f'the repeat is answered {again}, expected {answer}'
        told = [e for e in site.history(since) if e['id'] == 9010]
        assert len(told) == 1 and "dp.adopt 'a' by" in told[0]['text'], f'accepted as {told}'
        site.refused('dp.set', {'name': 'a', 'root': site.path('points', 'a')}, 'bad-value',
                     key='once')
        site.stop()


def points_of(site):
    return [row['name'] for row in site.ask('dp.list')['dps']]


@claim(60, both=True)
def the_root_of_a_removed_point_is_free_for_another_site():
    with Site() as site, Site() as other:
        one_package(site, 'a')
        other.start()
        root = site.path('points', 'a')
        theirs = {'name': 'theirs', 'root': root}
        other.refused('dp.add', theirs, 'other-site')
        site.do('dp.remove', {'name': 'a', 'withdraw': True})
        site.wait_for('the point to go', lambda: not points_of(site), 30)
        assert os.listdir(root) == [], f'{os.listdir(root)} of ours is left'
        other.do('dp.add', theirs)
        other.do('dp.remove', {'name': 'theirs'})
        assert os.listdir(root) == [], f'{os.listdir(root)} is left, and it was answered'
        site.add_point('again', root)
        site.stop()
        other.stop()


@claim(60, both=True)
def an_absent_point_that_was_removed_gives_its_root_free_when_it_is_back():
    with Site() as site:
        one_package(site, 'a', 'b')
        site.unplug('b')
        os.mkdir(site.path('points', 'b'))  # where it was mounted
        site.do('dp.remove', {'name': 'b', 'withdraw': True})
        site.wait_states('P1', {'b': 'removing'})
        site.kill()
        site.start()
        assert points_of(site) == ['a', 'b'], f'the site has {points_of(site)}, and b was not free'
        os.rmdir(site.path('points', 'b'))
        site.plug('b')
        site.wait_for('the point to go', lambda: points_of(site) == ['a'], 30)
        left = os.listdir(site.path('points', 'b'))
        assert left == [], f'{left} of ours is left'
        site.stop()


@claim(60, both=True)
def an_empty_point_that_is_missing_is_not_taken_for_one_that_was_given_free():
    with Site() as site:
        site.start()
        root = site.add_point('a')
        site.unplug('a')
        os.mkdir(root)
        answer = site.do('dp.remove', {'name': 'a'})
        assert answer['changed'] and answer['text'], f'that it goes later is not told: {answer}'
        site.kill()
        site.start()
        assert points_of(site) == ['a'], 'it is gone, and its disk carries its identity'
        os.rmdir(root)
        site.plug('a')
        site.wait_for('the point to go', lambda: not points_of(site), 30)
        assert os.listdir(root) == [], f'{os.listdir(root)} of ours is left'
        site.stop()


@claim(60, both=True)
def a_point_that_is_forgotten_leaves_its_root_as_it_is_and_says_so():
    with Site() as site:
        source = one_package(site, 'a')
        answer = site.do('dp.remove', {'name': 'a', 'forget': True})
        assert 'stays as it is' in answer['text'], f'it is not told: {answer}'
        assert not points_of(site), points_of(site)
        site.holds('a', 'P1', source)
        assert os.path.exists(site.path('points', 'a', '.despool', 'point')), 'its identity is gone'
        site.stop()


@claim(60, both=True)
def a_root_that_cannot_be_given_free_is_told_with_its_cause():
    with Site() as site:
        site.start()
        root = site.add_point('a')
        write(os.path.join(root, '.despool', 'receipts', 'P9'), b'of nobody that is known')
        since = site.history()[-1]['seq']
        answer = site.do('dp.remove', {'name': 'a'})
        told = site.wait_for('the cause to be told', lambda: [
            e for e in site.history(since) if e['id'] == 2376], 10)
        assert told[0]['dp'] == 'a' and root in told[0]['text'], told
        assert root in answer['text'], f'the answer does not tell: {answer}'
        assert points_of(site) == ['a'] and os.path.exists(os.path.join(root, '.despool', 'point'))
        site.do('dp.remove', {'name': 'a', 'forget': True})
        assert not points_of(site), points_of(site)
        site.stop()


@claim(90)
def roots_that_cannot_be_given_free_hold_back_no_others():
    with Site() as site:
        site.start()
        stuck = [f'stuck-{number:02}' for number in range(20)]
        for name in stuck:
            root = site.add_point(name)
            write(os.path.join(root, '.despool', 'receipts', 'P9'), b'of nobody that is known')
        for name in ('first', 'second'):
            site.add_point(name)
        since = site.history()[-1]['seq']
        for name in stuck:
            assert 'given free' in site.do('dp.remove', {'name': name})['text']
        for name, left in (('first', ['second', *stuck]), ('second', stuck)):
            answer = site.do('dp.remove', {'name': name}, seconds=20)
            assert not answer['text'], answer
            assert sorted(points_of(site)) == left, points_of(site)
            assert not os.path.exists(site.path('points', name, '.despool')), name
        told = [e['dp'] for e in site.history(since) if e['id'] == 2376]
        assert sorted(told) == stuck, f'each is told once: {told}'
        site.stop()


@claim(60, both=True)
def a_new_source_is_refused_when_it_is_set_with_the_words_of_package_add():
    with Site() as site:
        source = one_package(site, 'a')
        other = make_tree(site.path('other'), seed=2)
        for wrong, code in ((site.path('nowhere'), 'no-source'),
                            (os.path.join(source, 'link'), 'no-source'),
                            (site.path('points', 'a'), 'overlap'),
                            (site.path('points', 'a', 'P1'), 'overlap'),
                            (site.path('points'), 'overlap'),
                            (site.path(), 'overlap')):
            added = site.refused('package.add', {'id': 'P2', 'source': wrong}, code)
            was_set = site.refused('package.set', {'id': 'P1', 'source': wrong}, code)
            assert was_set == added, f'set says {was_set}, add says {added}'
            if code == 'overlap':
                assert site.dir in added['message'].rsplit(': ', 1)[1], f'with what? {added}'
            tried = site.refused('package.set', {'id': 'P1', 'source': wrong, 'dry_run': True})
            assert tried == added, tried
        site.refused('package.set', {'id': 'P9', 'source': other}, 'not-found')
        assert site.ask('package.show', {'id': 'P1'})['package']['source'] == source
        assert site.do('package.set', {'id': 'P1', 'source': other})['changed']
        assert not site.do('package.set', {'id': 'P1', 'source': other})['changed']
        site.do('package.update', {'id': 'P1'})
        site.wait_package('P1', 'complete')
        site.holds('a', 'P1', other)
        site.stop()


@claim(90, both=True)
def what_the_site_lost_of_its_own_copy_is_told_and_stored_again():
    with Site() as site:
        source = one_package(site, 'a')
        site.add_point('b')
        digest, record = max(packs.objects(site.path('site', 'store')).items(),
                             key=lambda item: item[1].stored)
        with open(record.path, 'r+b') as file:
            file.seek(record.offset + packs.HEAD.size)
            file.write(b'a byte that went bad')
        site.do('distribute', {'id': 'P1', 'to': ['b']})
        site.wait_states('P1', {'b': 'failed'}, 30)
        cause = site.target('P1', 'b')['cause']
        assert cause['code'] == 'not-stored' and digest in cause['text'], cause
        assert 'package update' in cause['hint'], cause
        assert not site.do('package.update', {'id': 'P1'})['changed'], 'it is no new version'
        assert site.do('retry', {'id': 'P1'})['changed']
        site.wait_package('P1', 'complete', 30)
        site.holds('b', 'P1', source)
        site.stop()


@claim(60, both=True)
def a_reader_that_holds_current_sees_one_whole_version():
    with Site() as site:
        source = one_package(site, 'a')
        held = os.open(site.content('a', 'P1'), os.O_RDONLY | os.O_DIRECTORY)
        before = sorted(os.listdir(held))
        shutil.rmtree(os.path.join(source, 'd1'))
        site.do('package.update', {'id': 'P1'})
        site.wait_package('P1', 'complete')
        assert sorted(os.listdir(held)) == before, 'the version that a reader holds was changed'
        with contextlib.closing(os.fdopen(os.open('d1/e1/file-1', os.O_RDONLY, dir_fd=held), 'rb')):
            pass
        os.close(held)
        site.holds('a', 'P1', source)
        site.stop()


run()
