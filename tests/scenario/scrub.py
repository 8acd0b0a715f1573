#!/usr/bin/python3
"""What is placed is read again over time, at a rate, and mended where it drifted."""
import os
import re
import struct
import time

import packs
import treecheck
from agent_site import Agents, big_tree
from harness import claim, despool, make_tree, run, write

DAMAGED, INSTALLED, UNREAD, STORE_DAMAGED, KEPT_DAMAGED = 2336, 2330, 2383, 2384, 2416
PROMISED, INDEX_MENDED, VERSIONS_STAY, STORE_NAMED, REMOVING = 2419, 2427, 2425, 2429, 2334


def scrubbing(site, scrub_ms=200):
    """Rounds follow each other at once, and so do whole readings."""
    listen = site.options
    site.tune(scrub_ms=scrub_ms)
    site.options = [*listen, *site.options]


def scrubbed(site, name):
    return site.do('dp.show', {'name': name})['dp']['scrubbed']


def read_again(site):
    text = site.do('component.show', {'name': 'distribution_manager'})['component']['describes']
    return int(re.search(r'read again: (\d+)', text).group(1))


def wait_scrubbed(site, name, after=None):
    site.wait_for(f'{name} to be read to its end',
                  lambda: scrubbed(site, name) not in (None, after), 60)
    return scrubbed(site, name)


def events(site, number, dp, since=0):
    return [event for event in site.history(since) if event['id'] == number and event['dp'] == dp]


def installed_at_shop(site, scrub=None):
    """A version at an agent, of a tree with a large file; returns its source and its root."""
    scrubbing(site)
    source = big_tree(site.path('source'), 3)
    site.start()
    if scrub is not None:
        site.do('site.set', {'scrub': scrub})
    site.join('shop')
    root = site.do('package.add', {'id': 'P1', 'source': source})['version']['root']
    site.do('distribute', {'id': 'P1', 'to': ['shop']})
    site.wait_states('P1', {'shop': 'installed'})
    return source, root


def flip(path, offset=0):
    """One bit, and nothing else that could be seen from outside."""
    stat = os.stat(path)
    with open(path, 'r+b') as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def some_file(top):
    return sorted(os.path.join(path, file) for path, _, files in os.walk(top) for file in files
                  if os.path.getsize(os.path.join(path, file)) > 0)[-1]


def lose(top):
    os.remove(some_file(top))


def add(top):
    write(os.path.join(top, 'zz-not-ours'), b'x')


def open_up(top):
    os.chmod(some_file(top), 0o666)


DRIFTS = {'a flipped bit': lambda top: flip(some_file(top)), 'a missing file': lose,
          'an extra file': add, 'a mode': open_up}


def drifts_are_mended(site, name, source):
    for what, drift in DRIFTS.items():
        wait_scrubbed(site, name, scrubbed(site, name))
        seq = site.history()[-1]['seq']
        drift(site.content(name, 'P1'))
        site.wait_for(f'{what} to be told', lambda: events(site, DAMAGED, name, seq), 60)
        told = events(site, DAMAGED, name, seq)[0]
        assert 'drifted' in told['text'], told
        site.wait_for(f'{what} to be mended', lambda: events(site, INSTALLED, name, seq), 60)
        site.holds(name, 'P1', source)
        assert len(events(site, DAMAGED, name, seq)) == 1, f'{what} was told more than once'


@claim(180)
def what_drifts_at_a_directory_is_found_told_and_mended_without_being_asked():
    with Agents() as site:
        scrubbing(site)
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('near')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['near']})
        site.wait_states('P1', {'near': 'installed'})
        drifts_are_mended(site, 'near', source)
        site.stop()


@claim(180)
def what_drifts_at_an_agent_is_mended_from_what_the_agent_has():
    with Agents() as site:
        source, _ = installed_at_shop(site)
        sent = site.figure('sent')
        drifts_are_mended(site, 'shop', source)
        assert site.figure('sent') == sent, 'content was sent for what the agent has'
        site.stop()


def damage_root(site, name, root):
    """The agent's own copy of what a version begins with goes bad."""
    record = packs.objects(site.path(name + '.data', 'store'))[root]
    with open(record.path, 'r+b') as file:
        file.seek(record.offset + packs.HEAD.size + 9)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


@claim(180)
def an_agent_that_lost_a_part_of_a_manifest_gets_it_again_to_read_and_to_remove():
    with Agents() as site:
        site.start()
        site.join('shop')
        for number, package in enumerate(('P1', 'P2')):
            source = make_tree(site.path(f'source{number}'), seed=number)
            root = site.do('package.add', {'id': package, 'source': source})['version']['root']
            site.do('distribute', {'id': package, 'to': ['shop']})
            site.wait_states(package, {'shop': 'installed'})
            damage_root(site, 'shop', root)
        row = site.do('verify', {'id': 'P1'})['points'][0]
        assert row['ok'], f'what is whole is not read again: {row}'
        site.do('withdraw', {'id': 'P2', 'from': ['shop']})
        site.wait_states('P2', {'shop': 'removed'}, 40)
        assert not os.path.exists(site.path('points', 'shop', 'P2')), 'it was not taken away'
        site.holds('shop', 'P1', site.path('source0'))
        site.stop()


def update(site, source, number, dps):
    """Another version, whose root it tells."""
    write(os.path.join(source, 'd0', 'new'), b'version %d' % number)
    root = site.do('package.update', {'id': 'P1', 'version': str(number)})['version']['root']
    site.wait_for(f'version {number}', lambda: all(
        (site.target('P1', dp)['have'] or {}).get('label') == str(number) for dp in dps))
    return root


def versions(site, name):
    return [entry for entry in os.listdir(site.path('points', name, 'P1')) if entry != 'current']


@claim(180)
def an_agent_that_lost_manifests_of_superseded_versions_takes_them_away_all_the_same():
    """Two of them wait for their grace to end, in which the package is withdrawn."""
    with Agents() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.join('shop')
        roots = [site.do('package.add', {'id': 'P1', 'source': source})['version']['root']]
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'installed'})
        roots += [update(site, source, number, ['shop']) for number in (2, 3)]
        assert len(versions(site, 'shop')) == 3, 'their grace is not over'
        for root in roots[:2]:
            damage_root(site, 'shop', root)
        foreign = site.path('points', 'shop', 'P1', 'v1', 'notes of somebody')
        write(foreign, b'not ours')
        seq = site.history()[-1]['seq']
        site.do('withdraw', {'id': 'P1', 'from': ['shop']})
        site.wait_states('P1', {'shop': 'removed'}, 40)
        assert len(events(site, REMOVING, 'shop', seq)) == 1, 'it was not taken away in one go'
        left = [os.path.join(top, name) for top, _, names in
                os.walk(site.path('points', 'shop', 'P1')) for name in names]
        assert left == [foreign], f'left are {left}'
        site.stop()


@claim(180)
def a_superseded_version_is_collected_although_the_agent_lost_its_manifest():
    with Agents() as site:
        listen = site.options
        site.tune(grace_ms=1)
        site.options = [*listen, *site.options]
        source = make_tree(site.path('source'))
        site.start()
        site.join('shop')
        root = site.do('package.add', {'id': 'P1', 'source': source})['version']['root']
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'installed'})
        damage_root(site, 'shop', root)
        update(site, source, 2, ['shop'])
        site.wait_for('version 1 to go', lambda: versions(site, 'shop') == ['v2'], 60)
        site.holds('shop', 'P1', source)
        assert not events(site, VERSIONS_STAY, 'shop'), 'it is told to stay, and went'
        site.stop()


@claim(180)
def a_version_that_nobody_can_take_away_is_told_and_left():
    """The site's own copy of its manifest is damaged, so that nobody knows what is ours."""
    with Agents() as site:
        listen = site.options
        site.tune(grace_ms=1)
        site.options = [*listen, *site.options]
        source = make_tree(site.path('source'))
        site.start()
        site.join('shop')
        site.add_point('near')
        root = site.do('package.add', {'id': 'P1', 'source': source})['version']['root']
        site.do('distribute', {'id': 'P1', 'to': ['shop', 'near']})
        site.wait_states('P1', {'shop': 'installed', 'near': 'installed'})
        damage_root(site, 'shop', root)
        record = packs.objects(site.path('site', 'store'))[root]
        flip(record.path, record.offset + packs.HEAD.size + 9)
        update(site, source, 2, ['shop', 'near'])
        for name in ('shop', 'near'):
            site.wait_for(f'{name} to tell', lambda dp=name: events(site, VERSIONS_STAY, dp), 60)
            told = events(site, VERSIONS_STAY, name)
            assert len(told) == 1 and told[0]['package'] == 'P1', f'it is told {told}'
            assert sorted(versions(site, name)) == ['v1', 'v2'], 'something of it was removed'
            site.holds(name, 'P1', source)
        assert site.status('P1')['state'] == 'complete', 'what is current is not whole'
        site.stop()


@claim(240)
def no_more_is_read_than_the_rate_says_and_a_killed_site_goes_on_where_it_was():
    """At 25,000 bytes a second the tree of 1,000,000 takes 40 s: killed after each 200,000 it is
    read to its end all the same, and not before its time."""
    with Agents() as site:
        scrubbing(site, 100)
        source = site.path('source')
        for number in range(20):
            write(os.path.join(source, f'f{number:02}'), os.urandom(50000))
        site.start()
        site.do('site.set', {'scrub': 0})
        site.add_point('near')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['near']})
        site.wait_states('P1', {'near': 'installed'})
        assert scrubbed(site, 'near') is None, 'it was read, and is not to be'
        since, starts = time.monotonic(), 0
        assert site.do('site.set', {'scrub': 25000})['changed'] is True
        assert site.do('site.set', {'scrub': 25000})['changed'] is False
        while scrubbed(site, 'near') is None:
            assert time.monotonic() < since + 200, 'it begins anew for ever'
            site.wait_for('a part to be read', lambda: read_again(site) >= 200000 or
                          scrubbed(site, 'near') is not None, 60)
            site.kill()
            site.start()
            starts += 1
        took = time.monotonic() - since
        # Each start may begin with a portion that the one before had not paid for yet.
        least = (1000000 - 100000 * (starts + 1)) / 25000
        assert took >= least, f'read in {took:.1f} s; it takes {least:.1f} at that rate'
        site.stop()


def largest_record(site):
    name = site.path('site', 'store')
    record = max(packs.objects(name).values(), key=lambda record: record.stored)
    return record.path, record.offset + packs.HEAD.size


def rot_kept(site, name, choose):
    """One bit of a record in the store of an agent; the record is chosen among all by digest."""
    record = choose(packs.objects(site.path(name + '.data', 'store')))
    flip(record.path, record.offset + packs.HEAD.size)
    return record


def kept_is_mended(site, root):
    """Whatever is rotten is told once, and fetched again and nothing else."""
    for choose in (lambda names: max(names.values(), key=lambda record: record.stored),
                   lambda names: names[root]):
        seq, sent = site.history()[-1]['seq'], site.figure('sent')
        record = rot_kept(site, 'shop', choose)
        site.wait_for('it to be told', lambda: events(site, KEPT_DAMAGED, 'shop', seq), 60)
        site.wait_for('it to be mended', lambda: events(site, INSTALLED, 'shop', seq), 60)
        assert not events(site, DAMAGED, 'shop', seq), 'what lies at the point is as it was'
        # With a chunk of a large file comes the list of all of its chunks.
        more = site.figure('sent') - sent
        assert record.size <= more <= record.size + 4096, f'{more} bytes for {record.size}'
        wait_scrubbed(site, 'shop', wait_scrubbed(site, 'shop', scrubbed(site, 'shop')))
        assert len(events(site, KEPT_DAMAGED, 'shop', seq)) == 1, 'it is told again'


@claim(180)
def what_rots_in_the_store_of_an_agent_is_told_and_that_alone_is_fetched_again():
    with Agents() as site:
        source, root = installed_at_shop(site)
        kept_is_mended(site, root)
        sent = site.figure('sent')
        drifts_are_mended(site, 'shop', source)
        assert site.figure('sent') == sent, 'the agent lacks what it was to have again'
        site.stop()


def rot_index(site, name, sieves=False):
    """A bit in the first page of each run: what it names cannot be found by it. Or in its sieve:
    who looks for what is there does not meet that."""
    top = site.path(name + '.data', 'store', 'index')
    for run_name in os.listdir(top):
        path = os.path.join(top, run_name)
        with open(path, 'rb') as file:
            pages = struct.unpack('>Q', file.read()[-48:-40])[0]
        flip(path, pages * (packs.PAGE + 8) if sieves else 100)


@claim(180)
def an_index_that_rots_at_an_agent_is_made_anew_from_its_packs_and_nothing_is_sent_again():
    with Agents() as site:
        source, _ = installed_at_shop(site, scrub=0)
        told = lambda seq: events(site, INDEX_MENDED, 'shop', seq)
        # Who takes a new version meets it.
        seq, sent = site.history()[-1]['seq'], site.figure('sent')
        rot_index(site, 'shop')
        write(os.path.join(source, 'one-more'), b'one more')
        site.do('package.update', {'id': 'P1', 'version': 'next'})
        site.wait_for('the new version', lambda: events(site, INSTALLED, 'shop', seq), 60)
        assert len(told(seq)) == 1, site.history(seq)
        more = site.figure('sent') - sent
        assert more < 8192, f'{more} bytes were sent for one small file'
        site.holds('shop', 'P1', source)
        # At rest the scrub does, when it begins.
        seq, sent = site.history()[-1]['seq'], site.figure('sent')
        rot_index(site, 'shop', sieves=True)
        site.do('site.set', {'scrub': 100000000})
        site.wait_for('it to be told', lambda: told(seq), 60)
        wait_scrubbed(site, 'shop', wait_scrubbed(site, 'shop', scrubbed(site, 'shop')))
        assert len(told(seq)) == 1, 'it is told again'
        assert not events(site, KEPT_DAMAGED, 'shop', seq), 'the packs are as they were'
        assert site.figure('sent') == sent, 'what was in the packs was sent again'
        site.stop()


def a_run_is_lost_and_named_again(host, number, dp):
    """The index of that host's store is removed at rest; the number is that of the event."""
    with Agents() as site:
        installed_at_shop(site, scrub=0)
        store = site.path(host, 'store')
        before = set(packs.objects(store))
        seq, sent = site.history()[-1]['seq'], site.figure('sent')
        for run in packs.listed(store, 'index'):
            os.unlink(os.path.join(store, 'index', run))
        site.do('site.set', {'scrub': 100000000})
        site.wait_for('it to be told', lambda: events(site, number, dp, seq), 60)
        wait_scrubbed(site, 'shop', wait_scrubbed(site, 'shop', scrubbed(site, 'shop')))
        assert len(events(site, number, dp, seq)) == 1, 'it is told again'
        assert set(packs.objects(store)) == before, 'not all has its name again'
        assert site.do('store.check')['ok']
        more = site.figure('sent') - sent  # nodes of the manifest are asked for before
        assert more < 8192, f'{more} bytes were sent again'
        site.stop()


@claim(60)
def a_run_of_an_agents_index_that_is_gone_is_noticed_and_no_file_is_sent_again():
    a_run_is_lost_and_named_again('shop.data', INDEX_MENDED, 'shop')


@claim(60)
def a_run_of_the_sites_index_that_is_gone_is_noticed_and_named_again():
    a_run_is_lost_and_named_again('site', STORE_NAMED, None)


def staged(site, name):
    """The directory of what the point has staged, and what its readers are led to."""
    top = site.path('points', name, 'P1')
    current = os.readlink(os.path.join(top, 'current'))
    return [os.path.join(top, entry) for entry in sorted(os.listdir(top))
            if entry not in ('current', current)], current


@claim(240)
def a_promised_version_that_rotted_is_mended_before_its_group_switches():
    with Agents() as site:
        scrubbing(site)
        site.start()
        for name in 'near', 'gone':
            site.add_point(name)
        site.join('shop')
        site.do('group.add', {'name': 'tills', 'dps': ['near', 'gone', 'shop']})
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        site.do('distribute', {'id': 'P1', 'to': ['@tills'], 'barrier': True})
        site.wait_states('P1', dict.fromkeys(('near', 'gone', 'shop'), 'installed'))
        site.unplug('gone')
        source = make_tree(site.path('source'), seed=2)
        site.do('package.update', {'id': 'P1', 'version': 'next', 'barrier': True})
        promised = lambda: site.status('P1')['switchover']['promised'] == 2
        site.wait_for('the promises', promised)
        for name in 'near', 'shop':
            seq = site.history()[-1]['seq']
            versions, current = staged(site, name)
            assert len(versions) == 1, versions
            flip(some_file(versions[0]))
            site.wait_for('the rot to be told', lambda: events(site, DAMAGED, name, seq), 60)
            site.wait_for('the promise to be given anew',
                          lambda: events(site, PROMISED, name, seq), 60)
            versions, same = staged(site, name)
            assert same == current, 'what clients read was touched'
            receipt = site.path('points', name, '.despool', 'receipts', 'P1')
            assert os.path.exists(receipt), 'the receipt of what clients read is gone'
            assert not treecheck.differences(source, versions[-1]), 'it is as it was'
            target = site.target('P1', name)
            assert target['have'] and target['have']['epoch'] == 1, target
        site.wait_for('the promises', promised)
        site.plug('gone')
        site.wait_states('P1', dict.fromkeys(('near', 'gone', 'shop'), 'installed'))
        for name in 'near', 'gone', 'shop':
            site.holds(name, 'P1', source)
        site.stop()


def read_of_the_store(site):
    text = site.do('component.show', {'name': 'distribution_manager'})['component']['describes']
    return int(re.search(r'of the store: (\d+)', text).group(1))


@claim(180)
def what_rots_in_the_sites_own_store_is_found_told_once_and_stored_again_from_its_source():
    with Agents() as site:
        scrubbing(site)
        source = big_tree(site.path('source'), 3)
        site.start()
        site.do('package.add', {'id': 'P1', 'source': source})
        site.wait_for('the store to be read', lambda: read_of_the_store(site) > 3 << 20, 60)
        path, offset = largest_record(site)
        flip(path, offset)
        told = lambda: [e for e in site.history() if e['id'] == STORE_DAMAGED]
        site.wait_for('the damage to be told', told, 60)
        assert 'store check' in told()[0]['text'], told()
        before = read_of_the_store(site)
        site.wait_for('it to be read twice more',
                      lambda: read_of_the_store(site) > before + (8 << 20), 60)
        assert len(told()) == 1, told()
        site.do('package.update', {'id': 'P1', 'version': 'again'})
        site.add_point('near')
        site.do('distribute', {'id': 'P1', 'to': ['near']})
        site.wait_states('P1', {'near': 'installed'})
        site.holds('near', 'P1', source)
        site.stop()


@claim(60)
def how_fast_is_asked_for_as_people_write_it_and_shown():
    with Agents() as site:
        site.start()
        assert despool(site, 'site', 'set', '--scrub', '2M').stdout == 'changed\n'
        assert despool(site, 'site', 'set', '--scrub', '2000000').stdout == 'nothing to change\n'
        site.refused('site.set', {'scrub': 10**10 + 1}, 'bad-value')
        site.refused('site.set', {'scrub': 1, 'rate': 1}, 'bad-value')
        site.add_point('near')
        assert site.do('dp.show', {'name': 'near'})['dp']['scrubbed'] is None
        assert despool(site, 'site', 'set', '--scrub', '0').stdout == 'changed\n'
        assert site.history()[-1]['id'] in (2382, 9010), site.history()[-2:]
        site.stop()


run()
