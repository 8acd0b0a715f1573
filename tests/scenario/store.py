#!/usr/bin/python3
"""The site's own store: checked, repaired, rebuilt, collected, moved out of its first form."""
import contextlib
import os
import random
import shutil
import sqlite3

from harness import Site, claim, despool, make_tree, run, write
import packs


def one_package(site):
    source = make_tree(site.path('source'))
    write(os.path.join(source, 'big'), random.Random(7).randbytes(900000))
    site.start()
    site.add_point('a')
    site.do('package.add', {'id': 'P1', 'source': source})
    return source


def place(site, source, name):
    site.add_point(name)
    site.do('distribute', {'id': 'P1', 'to': [name]})
    site.wait_states('P1', {name: 'installed'})
    site.holds(name, 'P1', source)


def flip(record):
    with open(record.path, 'r+b') as file:
        file.seek(record.offset + packs.HEAD.size)
        byte = file.read(1)[0]
        file.seek(record.offset + packs.HEAD.size)
        file.write(bytes([byte ^ 8]))


@claim(60, both=True)
def a_flipped_bit_is_found_repaired_and_stored_again():
    with Site() as site:
        source = one_package(site)
        store = site.path('site', 'store')
        found = site.do('store.check')
        assert found['ok'] and found['objects'] == len(packs.objects(store)), found
        flip(max((record for record in packs.objects(store).values()),
                 key=lambda record: record.stored))
        found = site.do('store.check')
        assert not found['ok'], found
        assert (found['damaged'], found['missing'], found['versions_damaged']) == (1, 1, 1), found
        assert found['lacking'] == [{'id': 'P1', 'epoch': 1, 'missing': 1}], found
        assert site.do('store.check', {'repair': True}) == found
        assert not site.do('package.update', {'id': 'P1'})['changed'], 'it is no new version'
        found = site.do('store.check')
        assert found['versions_damaged'] == 0 and not found['lacking'], found
        place(site, source, 'b')
        site.stop()


VERSIONS_TOLD_MAX = 100


@claim(120)
def a_check_names_the_versions_that_miss_something_up_to_a_bound():
    with Site() as site:
        source = one_package(site)
        for number in range(2, VERSIONS_TOLD_MAX + 4):
            site.do('package.add', {'id': f'P{number}', 'source': source})
        whole = site.path('whole')
        os.mkdir(whole)
        write(os.path.join(whole, 'file'), b'nothing of the others')
        site.do('package.add', {'id': 'A1', 'source': whole})
        flip(max((record for record in packs.objects(site.path('site', 'store')).values()),
                 key=lambda record: record.stored))
        found = site.do('store.check')
        every = VERSIONS_TOLD_MAX + 3
        assert found['versions_damaged'] == every and len(found['lacking']) == VERSIONS_TOLD_MAX
        assert all(row['epoch'] == 1 and row['missing'] == 1 and row['id'] != 'A1'
                   for row in found['lacking']), found['lacking']
        shown = despool(site, 'store', 'check')
        lines = shown.stdout.splitlines()
        assert shown.returncode == 1 and lines[-2] == 'and 3 more', shown
        assert 'store check --repair, then despool package update' in lines[-1], shown
        assert f'{every} versions miss {every} objects' in shown.stdout, shown
        assert [line.split()[0] for line in lines[-2 - VERSIONS_TOLD_MAX:-2]] == [
            row['id'] for row in found['lacking']], shown
        assert despool(site, 'store', 'check', '--repair').returncode == 1
        site.do('package.update', {'id': 'P1'})
        shown = despool(site, 'store', 'check')  # what is damaged is still in its pack
        assert shown.stdout.endswith('\n0 versions miss 0 objects\n'), shown
        site.stop()


@claim(60, both=True)
def an_index_that_is_lost_is_made_anew():
    with Site() as site:
        source = one_package(site)
        store = site.path('site', 'store')
        before = set(packs.objects(store))
        site.stop()
        for name in os.listdir(os.path.join(store, 'index')):
            os.unlink(os.path.join(store, 'index', name))
        site.start()
        assert site.do('store.check')['versions_damaged'] == 1
        dry = despool(site, 'store', 'rebuild', '--dry-run')
        assert dry.stdout == 'the index would be made anew from the packs\n', dry
        assert site.do('store.rebuild')['objects'] == len(before)
        assert set(packs.objects(store)) == before
        place(site, source, 'b')
        site.stop()


@claim(60, both=True)
def a_collection_does_what_its_dry_run_told():
    with Site() as site:
        source = one_package(site)
        store = site.path('site', 'store')
        site.do('package.add', {'id': 'P2', 'source': make_tree(site.path('other'), 3)})
        site.do('package.remove', {'id': 'P2'})
        before = set(packs.objects(store))
        told = site.do('store.collect', {'dry_run': True})
        assert set(packs.objects(store)) == before, 'a dry run changed the store'
        done = site.do('store.collect')
        assert told == done, f'{told} was told, {done} was done'
        assert [(row['id'], row['epoch']) for row in done['kept_by']] == [('P1', 1)], done
        assert done['kept_by'][0]['objects'] == done['objects'], done
        assert done['kept_by'][0]['bytes'] == done['bytes'], done
        assert len(packs.objects(store)) == done['objects'], done
        assert len(before) == done['objects'] + done['removed_objects'], done
        place(site, source, 'b')
        site.stop()


@claim(60)
def a_collection_tells_which_version_keeps_what():
    with Site() as site:
        source = one_package(site)
        write(os.path.join(source, 'another'), random.Random(8).randbytes(5000))
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'installed'})
        before = site.do('store.collect', {'dry_run': True})
        site.do('package.add', {'id': 'P2', 'source': source})
        site.do('package.add', {'id': 'P3', 'source': source})
        kept = site.do('store.collect', {'dry_run': True})
        first, second, third = kept['kept_by']
        assert first == before['kept_by'][0], kept
        assert (second['id'], second['objects']) == ('P2', 3), 'a file, its directory, the version'
        assert 5000 < second['bytes'] < 7000, kept
        assert (third['id'], third['objects'], third['bytes']) == ('P3', 0, 0), kept
        assert sum(row['bytes'] for row in kept['kept_by']) == kept['bytes'], kept
        site.stop()


@claim(60)
def a_collection_keeps_what_a_damaged_list_may_need_and_tells_for_whom():
    with Site() as site:
        source = one_package(site)
        store = site.path('site', 'store')
        write(os.path.join(source, 'big'), random.Random(9).randbytes(900000))
        site.do('package.add', {'id': 'P2', 'source': source})
        chunks = [(record, set(record.chunks())) for record in packs.objects(store).values()
                  if record.kind == packs.LIST]
        assert len(chunks) == 2, chunks
        for record, _ in chunks:
            flip(record)
        site.do('package.remove', {'id': 'P1'})
        told = site.do('store.collect', {'dry_run': True})
        done = site.do('store.collect')
        assert told == done, f'{told} was told, {done} was done'
        assert done['held_objects'] == 1, f'one row of one list leads nowhere: {done}'
        assert [(row['id'], row['bytes']) for row in done['kept_by']] == [('P2', done['bytes'])]
        there = [named <= set(packs.objects(store)) for _, named in chunks]
        assert sorted(there) == [False, True], there
        assert not site.do('package.update', {'id': 'P2'})['changed'], 'it is no new version'
        assert site.do('store.collect')['held_objects'] == 0
        assert site.do('store.check')['versions_damaged'] == 0
        site.stop()


NOT_COLLECTED = 2431


@claim(90)
def a_collection_that_a_damaged_manifest_ends_says_of_which_version_and_goes_on_when_it_is_mended():
    with Site() as site:
        source = one_package(site)
        store = site.path('site', 'store')
        before = set(packs.objects(store))
        write(os.path.join(source, 'another'), b'another')
        site.do('package.add', {'id': 'P2', 'source': source})
        there = packs.objects(store)
        node, = (digest for digest in set(there) - before
                 if there[digest].read(there).startswith(b'DSPD'))
        flip(there[node])
        site.do('package.remove', {'id': 'P1'})
        error = site.refused('store.collect', {}, 'not-stored')
        assert node in error['message'] and 'of P2 version 1' in error['message'], error
        assert 'package update' in error['hint'], error
        told = lambda: [e for e in site.history() if e['id'] == NOT_COLLECTED]
        site.wait_for('it to be told', told, 40)
        assert told()[0]['package'] == 'P2' and 'package update P2' in told()[0]['text'], told()
        assert node in told()[0]['text'] and 'of P2 version 1' in told()[0]['text'], told()
        assert set(packs.objects(store)) == set(there), 'something was removed all the same'
        assert not site.do('package.update', {'id': 'P2'})['changed'], 'it is no new version'
        assert site.do('store.collect')['removed_objects'] > 0
        assert site.do('store.check')['versions_damaged'] == 0
        assert len(told()) == 1, told()
        site.add_point('b')
        site.do('distribute', {'id': 'P2', 'to': ['b']})
        site.wait_states('P2', {'b': 'installed'})
        site.holds('b', 'P2', source)
        site.stop()


def shown(site, package):
    row = site.do('package.show', {'id': package})['package']
    return row['bytes'], row['unique_bytes'], row['stored_bytes']


@claim(60)
def package_show_tells_logical_unique_and_stored_bytes():
    with Site() as site:
        source = one_package(site)
        logical, unique, stored = shown(site, 'P1')
        objects = packs.objects(site.path('site', 'store')).values()
        assert stored == site.do('store.check')['bytes'], stored
        assert unique == sum(o.size for o in objects if o.kind != packs.LIST), unique
        assert logical == sum(os.path.getsize(os.path.join(where, name))
                              for where, _, names in os.walk(source) for name in names
                              if not os.path.islink(os.path.join(where, name))), logical
        site.do('package.add', {'id': 'P2', 'source': source})
        assert shown(site, 'P2') == (logical, 0, 0), 'all of it was there already'
        site.stop()
        with contextlib.closing(sqlite3.connect(site.path('site', 'site.db'))) as database:
            database.execute('UPDATE version SET unique_bytes = NULL, stored_bytes = NULL')
            database.commit()  # as the first release would have left them
        site.start()
        assert shown(site, 'P1') == (logical, None, None)
        site.stop()


def make_old(store):
    """The store as the first release would have left it."""
    names = packs.objects(store)
    for digest, record in names.items():
        write(os.path.join(store, 'objects', digest[:2], digest), record.read(names))
    write(os.path.join(store, 'tmp', 'left'), b'by a kill')
    for name in ('packs', 'index', 'damaged'):
        shutil.rmtree(os.path.join(store, name))


@claim(60, both=True)
def the_store_of_the_first_release_is_used_at_once_and_moved_into_packs():
    with Site() as site:
        source = one_package(site)
        store = site.path('site', 'store')
        site.stop()
        make_old(store)
        site.start()
        place(site, source, 'b')
        assert site.do('store.check')['ok']
        assert not os.path.lexists(os.path.join(store, 'objects')), 'the old form is left'
        assert not os.path.lexists(os.path.join(store, 'tmp')), 'the old form is left'
        place(site, source, 'c')
        site.stop()


run()
