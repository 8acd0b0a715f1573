#!/usr/bin/python3
"""A version in one file, carried to agents instead of sent (D30: the Courier of SMS)."""
import filecmp
import os
import shutil
import signal
import subprocess

from agent_site import Agents, big_tree
from harness import DESPOOLD, claim, make_tree, run, write


def take(site, name, file, code=0):
    """Taken at an agent that is not running."""
    done = subprocess.run([DESPOOLD, 'parcel', file, '--data', site.path(name + '.data')],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == code, f'exit {done.returncode}: {done.stdout}{done.stderr}'
    return done.stdout + done.stderr


def stored(site, name):
    """What the agent's store has on the disk."""
    top = site.path(name + '.data', 'store')
    return sorted((at[len(top):], file, os.path.getsize(os.path.join(at, file)))
                  for at, _, files in os.walk(top) for file in files)


def stop(site, *names):
    for name in names:
        assert site.end_agent(name, signal.SIGTERM) == 0
    site.wait_for('them to be gone', lambda: site.figure('here') == 0, 30)


def begin(site, *names):
    for name in names:
        here = site.figure('here')
        site.spawn(name)
        site.wait_here(name, here)


def one_package(site, *names):
    """A package at a site whose agents have joined, and have stopped; and its parcel."""
    source = big_tree(site.path('source'), 3)
    write(os.path.join(source, 'sparse'), bytes(3 << 20))
    site.start()
    for name in names:
        site.join(name)
    site.do('package.add', {'id': 'P1', 'source': source, 'version': 'first'})
    stop(site, *names)
    return source, site.path('one.parcel')


@claim(120)
def q264740_one_parcel_serves_any_number_of_points_and_the_wire_those_that_had_none():
    with Agents() as site:
        source, file = one_package(site, 'a', 'b', 'far')
        site.add_point('near')
        told = site.do('package.export', {'id': 'P1', 'file': file, 'dry_run': True})
        assert not os.path.exists(file), 'a dry run has written it'
        done = site.do('package.export', {'id': 'P1', 'file': file})
        assert done['bytes'] == told['bytes'] and done['objects'] == told['objects'], (told, done)
        assert os.path.getsize(file) == done['bytes'], done
        assert [event for event in site.history() if event['id'] == 2428], 'it is not told'
        for name in 'a', 'b':
            assert 'version 1 of P1' in take(site, name, file)
        before = site.figure('sent')
        begin(site, 'a', 'b')
        site.do('distribute', {'id': 'P1', 'to': ['a', 'b', 'near']})
        site.wait_states('P1', dict.fromkeys(('a', 'b', 'near'), 'installed'))
        assert site.figure('sent') == before, 'what was in the parcel is sent'
        begin(site, 'far')
        site.do('distribute', {'id': 'P1', 'to': ['far']})
        site.wait_states('P1', dict.fromkeys(('a', 'b', 'near', 'far'), 'installed'))
        assert site.figure('sent') > before + (3 << 20), 'who had no parcel gets it by the wire'
        for name in 'a', 'b', 'near', 'far':
            site.holds(name, 'P1', source)
        site.stop()


def spoilt(file, to):
    """What may become of a parcel on its way: each a file of its own, and what was done."""
    with open(file, 'rb') as whole:
        content = whole.read()
    size = len(content)
    for cut in (0, 1, 223, 224, 300, size // 2, size - 65, size - 64, size - 1):
        yield f'cut to {cut} bytes', content[:cut]
    for at in (0, 20, 45, 80, 140, 250, size // 3, size // 2, size - 60, size - 45, size - 1):
        yield f'a bit at {at}', content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
    yield 'more behind it', content + b'more'
    yield 'a piece of it twice', content[:4096] + content[2048:]
    assert not os.path.exists(to)


@claim(120)
def q206835_a_parcel_that_was_cut_or_changed_is_refused_and_nothing_of_it_is_taken():
    with Agents() as site:
        source, file = one_package(site, 'a')
        site.do('package.export', {'id': 'P1', 'file': file})
        before, bad = stored(site, 'a'), site.path('bad.parcel')
        for what, content in spoilt(file, bad):
            write(bad, content)
            said = take(site, 'a', bad, 1)
            assert 'no parcel' in said and bad in said, f'{what}: {said}'
            assert stored(site, 'a') == before, f'{what}: something was put'
            os.remove(bad)
        take(site, 'a', file)
        once = stored(site, 'a')
        take(site, 'a', file)
        assert stored(site, 'a') == once, 'taken twice it takes twice'
        begin(site, 'a')
        said = take(site, 'a', file, 1)
        assert 'stop the other despoold first' in said, said
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'installed'})
        assert site.figure('sent') == 0, 'what was in the parcel is sent'
        site.holds('a', 'P1', source)
        site.stop()


@claim(120)
def a_parcel_of_another_site_is_refused_and_so_is_one_for_nobody():
    with Agents() as other, Agents() as site:
        _, foreign = one_package(other, 'x')
        other.do('package.export', {'id': 'P1', 'file': foreign})
        one_package(site, 'a')
        before = stored(site, 'a')
        said = take(site, 'a', foreign, 1)
        assert 'signature' in said, said
        assert stored(site, 'a') == before, 'something was put'
        done = subprocess.run([DESPOOLD, 'parcel', foreign, '--data', site.path('nobody')],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and 'no agent' in done.stderr, done.stderr
        assert not os.path.exists(site.path('nobody')), 'a directory was made for nobody'
        other.stop()
        site.stop()


@claim(120)
def q282494_what_a_parcel_brought_waits_at_its_agent_until_it_is_wanted():
    """Other work tidies the agent's store meanwhile; a later version sends what differs only."""
    with Agents() as site:
        source, file = one_package(site, 'a')
        site.do('package.export', {'id': 'P1', 'file': file, 'version': 'first'})
        take(site, 'a', file)
        begin(site, 'a')
        small = make_tree(site.path('small'), seed=5)
        site.do('package.add', {'id': 'P2', 'source': small})
        site.do('distribute', {'id': 'P2', 'to': ['a']})
        site.wait_states('P2', {'a': 'installed'})
        site.do('withdraw', {'id': 'P2', 'from': ['a']})
        site.wait_states('P2', {'a': 'removed'}, 40)
        write(os.path.join(source, 'one-more'), b'one more')
        site.do('package.update', {'id': 'P1', 'version': 'second'})
        sent = site.figure('sent')
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'installed'})
        more = site.figure('sent') - sent
        assert more < 16384, f'{more} bytes were sent for one small file'
        site.holds('a', 'P1', source)
        site.stop()


@claim(60)
def what_cannot_be_exported_is_refused_and_leaves_no_file():
    with Agents() as site:
        _, file = one_package(site)
        site.refused('package.export', {'id': 'P1', 'file': file, 'version': 'none'}, 'not-found')
        site.refused('package.export', {'id': 'P9', 'file': file}, 'not-found')
        site.refused('package.export', {'id': 'P1', 'file': 'here'}, 'not-absolute')
        site.refused('package.export', {'id': 'P1', 'file': site.path('no', 'such')}, 'no-path')
        assert not os.path.exists(file) and not os.path.exists(file + '.part')
        site.do('package.export', {'id': 'P1', 'file': file})
        shutil.copy(file, site.path('copy'))
        site.refused('package.export', {'id': 'P1', 'file': file}, 'path-taken')
        assert filecmp.cmp(file, site.path('copy'), shallow=False), 'it was written over'
        site.stop()


run()
