#!/usr/bin/python3
"""What is at an agent's machine already is not sent: trees that a seed names, files of versions and
packages that are placed there. What is sent is read from the gateway's own count."""
import hashlib
import os
import shutil
import threading

from agent_site import Agents, big_tree, stand_in
from harness import claim, despool, make_tree, run, write

MANIFEST = 16384  # bytes: more than the manifests of these packages
LINKS = 512  # bytes of the links' texts: no seed has those as a file
BIG = 3 << 20


def seeded(site, package, point='shop'):
    """What was told of the seed: (id, text) of each event."""
    return [(event['id'], event['text']) for event in site.history()
            if event['id'] in (2390, 2391) and event.get('dp') == point and
            event.get('package') == package]


def state_of(tree):
    found = {}
    for path, names, files in os.walk(tree):
        for name in names + files:
            info = os.lstat(os.path.join(path, name))
            found[os.path.join(path, name)] = (info.st_mode, info.st_size, info.st_mtime_ns,
                                               info.st_ctime_ns)
    return found


def distribute(site, package, source, point='shop', seconds=60):
    """Places it, and tells how many bytes were sent for that."""
    before = site.figure('sent')
    site.do('distribute', {'id': package, 'to': [point]})
    site.wait_states(package, {point: 'installed'}, seconds)
    site.holds(point, package, source)
    return site.figure('sent') - before


def for_all_to_read(tree):
    for path, _, files in os.walk(tree):
        os.chmod(path, 0o755)
        for name in files:
            if not os.path.islink(os.path.join(path, name)):
                os.chmod(os.path.join(path, name), 0o644)
    return tree


def begin(site, megabytes=3):
    source = big_tree(site.path('source'), megabytes)
    site.start()
    site.join('shop')
    site.do('package.add', {'id': 'P1', 'source': source})
    return source


@claim(120)
def moving_from_rsync_sends_nothing_that_is_present():
    with Agents() as site:
        source = begin(site)
        there = for_all_to_read(shutil.copytree(source, site.path('there'), symlinks=True))
        os.utime(os.path.join(there, 'big'), ns=(1, 1))  # only content counts
        os.rename(os.path.join(there, 'big'), os.path.join(there, 'd0', 'under another name'))
        before = state_of(there)
        assert site.do('dp.set', {'name': 'shop', 'seed': there})['changed'] is True
        assert site.do('dp.set', {'name': 'shop', 'seed': there})['changed'] is False
        assert site.do('dp.show', {'name': 'shop'})['dp']['seed'] == there
        plan = site.do('plan', {'id': 'P1', 'to': ['shop']})
        lacking = plan['points'][0]['bytes']
        assert lacking <= LINKS, f'a plan would send what is there: {plan}'
        sent = distribute(site, 'P1', source)
        assert sent == lacking, f'{sent} bytes were sent, and {lacking} planned'
        assert site.figure('sent') <= MANIFEST, f'{sent} bytes were sent of what is present'
        assert state_of(there) == before, 'the seed was written to'
        told = seeded(site, 'P1')
        assert [number for number, _ in told] == [2390] and len(told) == 1, told
        write(os.path.join(source, 'new'), os.urandom(50000))
        site.do('package.update', {'id': 'P1'})
        site.wait_for('the update', lambda: site.target('P1', 'shop').get('have') and
                      site.target('P1', 'shop')['have']['epoch'] == 2)
        sent = site.figure('sent')
        assert 50000 <= sent <= 50000 + 2 * MANIFEST, f'{sent} bytes were sent for 50000 new ones'
        site.stop()


@claim(120)
def a_seed_that_is_not_there_is_told_and_costs_nothing_but_bytes():
    with Agents() as site:
        source = begin(site)
        site.do('dp.set', {'name': 'shop', 'seed': site.path('there')})
        sent = distribute(site, 'P1', source)
        assert sent >= BIG, f'{sent} bytes cannot be all of it'
        told = seeded(site, 'P1')
        assert told and all(number == 2391 and 'ENOENT' in text for number, text in told), told
        assert all('no such file or directory' in text and 'despool dp set' in text
                   and '--seed' in text for _, text in told), told
        assert site.do('dp.set', {'name': 'shop', 'seed': 'none'})['changed'] is True
        assert site.do('dp.show', {'name': 'shop'})['dp'].get('seed') is None
        site.stop()


@claim(120)
def a_site_learns_nothing_of_what_not_everybody_may_read():
    with Agents() as site:
        source = begin(site)
        there = shutil.copytree(source, site.path('there'), symlinks=True)
        os.chmod(os.path.join(there, 'big'), 0o640)
        site.do('dp.set', {'name': 'shop', 'seed': there})
        sent = distribute(site, 'P1', source)
        assert sent >= BIG, 'it was read although not everybody may'
        assert 2391 in [number for number, _ in seeded(site, 'P1')], seeded(site, 'P1')
        assert 'PERM' in str(seeded(site, 'P1')) or 'permission' in str(seeded(site, 'P1'))
        make_tree(site.path('second'), seed=2)
        write(site.path('second', 'other'), os.urandom(BIG))
        os.makedirs(site.path('closed', 'below'))
        shutil.copy(site.path('second', 'other'), site.path('closed', 'below', 'other'))
        os.chmod(site.path('closed'), 0o700)
        site.do('package.add', {'id': 'P2', 'source': site.path('second')})
        site.do('dp.set', {'name': 'shop', 'seed': site.path('closed', 'below')})
        sent = distribute(site, 'P2', site.path('second'))
        assert sent >= BIG, 'it was read although not everybody can come there'
        site.stop()


@claim(120)
def what_may_be_read_is_the_word_of_who_runs_the_agent():
    with Agents() as site:
        source = begin(site)
        there = shutil.copytree(source, site.path('there'), symlinks=True)
        os.chmod(there, 0o700)
        os.chmod(os.path.join(there, 'big'), 0o600)
        site.do('dp.set', {'name': 'shop', 'seed': there})
        write(site.path('shop.data', 'seeds'), f'# ours\n{site.path("other")}\n'.encode())
        plan = site.do('plan', {'id': 'P1', 'to': ['shop']})
        assert plan['points'][0]['bytes'] >= BIG, plan
        assert seeded(site, 'P1')[-1][0] == 2391, seeded(site, 'P1')
        write(site.path('shop.data', 'seeds'), there.encode() + b'/\n')
        sent = distribute(site, 'P1', source)
        assert sent <= MANIFEST, f'{sent} bytes were sent of what may be read'
        site.stop()


@claim(120)
def a_seed_is_not_followed_outside():
    with Agents() as site:
        source = begin(site)
        os.makedirs(site.path('there'))
        outside = shutil.copytree(source, site.path('outside'), symlinks=True)
        os.symlink(outside, site.path('there', 'link'))
        os.symlink(os.path.join(outside, 'big'), site.path('there', 'big'))
        os.symlink(site.path('there'), site.path('way'))
        site.do('dp.set', {'name': 'shop', 'seed': site.path('there')})
        sent = distribute(site, 'P1', source)
        assert sent >= BIG, f'only {sent} bytes were sent: a link was followed'
        make_tree(site.path('second'), seed=2)
        site.do('package.add', {'id': 'P2', 'source': site.path('second')})
        site.do('dp.set', {'name': 'shop', 'seed': site.path('way')})
        distribute(site, 'P2', site.path('second'))
        assert seeded(site, 'P2')[-1][0] == 2391, 'a seed that is a link itself was entered'
        site.stop()


@claim(180)
def a_seed_that_changes_under_us_does_no_harm():
    with Agents() as site:
        source = begin(site, 24)
        there = shutil.copytree(source, site.path('there'), symlinks=True)
        site.do('dp.set', {'name': 'shop', 'seed': there})
        ends = threading.Event()

        def swap():
            turn = 0
            while not ends.is_set():
                turn += 1
                with open(os.path.join(there, 'big'), 'r+b') as big:
                    big.seek(turn * 65537 % (24 << 20))
                    big.write(b'another writer')
                os.rename(os.path.join(there, 'd0'), os.path.join(there, 'd9'))
                os.symlink('/etc', os.path.join(there, 'd0'))
                os.unlink(os.path.join(there, 'd0'))
                os.rename(os.path.join(there, 'd9'), os.path.join(there, 'd0'))

        writer = threading.Thread(target=swap)
        writer.start()
        try:
            distribute(site, 'P1', source, seconds=120)
        finally:
            ends.set()
            writer.join()
        assert site.do('verify', {'id': 'P1'})['ok']
        site.stop()


@claim(60)
def a_seed_is_a_directory_of_an_agent():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.add_point('near')
        site.refused('dp.set', {'name': 'near', 'seed': '/srv'}, code='bad-value')
        site.refused('dp.set', {'name': 'shop', 'seed': 'srv'}, code='not-absolute')
        site.refused('dp.set', {'name': 'shop', 'seed': '/srv/../etc'}, code='bad-value')
        site.refused('dp.set', {'name': 'shop', 'seed': '/srv', 'revoke': True}, code='bad-value')
        done = despool(site, 'dp', 'set', 'shop', '--seed', '/srv')
        assert done.returncode == 0 and 'changed' in done.stdout, done
        assert site.do('dp.show', {'name': 'shop'})['dp']['seed'] == '/srv'
        site.stop()


@claim(120)
def what_its_versions_and_other_packages_have_is_not_sent_again():
    with Agents() as site:
        source = begin(site)
        distribute(site, 'P1', source)
        os.rename(os.path.join(source, 'big'), os.path.join(source, 'd0', 'moved'))
        before = site.figure('sent')
        site.do('package.update', {'id': 'P1'})
        site.wait_for('the update', lambda: site.target('P1', 'shop')['have']['epoch'] == 2)
        site.holds('shop', 'P1', source)
        sent = site.figure('sent') - before
        assert sent <= MANIFEST, f'{sent} bytes were sent for a file that was moved'
        shutil.copytree(source, site.path('second'), symlinks=True)
        write(site.path('second', 'own'), b'of the second package')
        site.do('package.add', {'id': 'P2', 'source': site.path('second')})
        site.end_agent('shop')  # what it has is remembered, not looked for
        site.wait_for('the agent to be missed', lambda: site.figure('here') == 0)
        site.spawn('shop')
        site.wait_here('shop')
        sent = distribute(site, 'P2', site.path('second'))
        assert sent <= MANIFEST, f'{sent} bytes were sent of what another package has there'
        site.stop()


def edited(number):
    """A source file of 40 kB, and the same with one line changed."""
    lines = [f'line {number} {line} {hashlib.sha256(f"{number}.{line}".encode()).hexdigest()}'
             for line in range(500)]
    changed = lines[:250] + [f'line {number} was changed'] + lines[251:]
    return '\n'.join(lines).encode(), '\n'.join(changed).encode()


def update(site, source, epoch=2, point='shop'):
    """What is sent for the new version: of content, and as it is on the wire."""
    sent, packed = site.figure('sent'), site.figure('packed')
    site.do('package.update', {'id': 'P1'})
    site.wait_for('the update', lambda: site.target('P1', point)['have']['epoch'] == epoch)
    site.holds(point, 'P1', source)
    return site.figure('sent') - sent, site.figure('packed') - packed


@claim(120)
def a_small_file_that_changed_travels_as_a_delta():
    with Agents() as site:
        source = begin(site)
        for number in range(80):
            write(os.path.join(source, 'sources', f'f{number}'), edited(number)[0])
        site.do('package.update', {'id': 'P1'})
        distribute(site, 'P1', source)
        for number in range(80):
            write(os.path.join(source, 'sources', f'f{number}'), edited(number)[1])
        content = sum(len(edited(number)[1]) for number in range(80))
        sent, packed = update(site, source, 3)
        print(f'# {content} bytes of 80 files with one line changed: {packed} bytes on the wire')
        assert content <= sent <= content + MANIFEST, f'{sent} bytes of content for {content}'
        assert packed <= 80 * 160 + MANIFEST, f'{packed} bytes on the wire for 80 lines'
        site.stop()


@claim(120)
def a_file_that_is_kept_in_chunks_and_asked_for_whole_travels_as_a_delta():
    sizes = 300 << 10, 640 << 10, 1 << 20  # more than one chunk each, and no more than a delta
    with Agents() as site:
        source = begin(site)
        for size in sizes:
            write(os.path.join(source, 'sources', str(size)), os.urandom(size))
        site.do('package.update', {'id': 'P1'})
        distribute(site, 'P1', source)
        for size in sizes:
            with open(os.path.join(source, 'sources', str(size)), 'r+b') as file:
                file.seek(size // 2)
                file.write(b'an edit')
        sent, packed = update(site, source, 3)
        print(f'# {sum(sizes)} bytes with an edit in each file: {packed} bytes on the wire')
        assert sum(sizes) <= sent <= sum(sizes) + MANIFEST, f'{sent} bytes for {sum(sizes)}'
        assert packed <= len(sizes) * 160 + MANIFEST, f'{packed} bytes on the wire for three edits'
        site.stop()


@claim(60)
def nothing_is_sent_against_what_an_agent_does_not_have():
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        secret, known = edited(1)
        write(site.path('other', 'secret'), secret)
        site.do('package.add', {'id': 'P2', 'source': site.path('other')})
        write(site.path('source', 'known'), known)
        site.do('package.add', {'id': 'P1', 'source': site.path('source')})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        order = puppet.order('measure')
        digests = [hashlib.sha256(text).hexdigest() for text in (known, secret)]
        puppet.say('agent_need', order=order['order'],
                   ranges=[{'object': digests[0], 'from': 0, 'size': len(known),
                            'base': digests[1]}])
        piece = puppet.hear('agent_data')['pieces'][0]
        assert piece['packing'] != 'delta', 'what another package holds can be read off a delta'
        assert piece.get('size') or len(piece['bytes']) == len(known), piece
        puppet.close()
        site.stop()


run()
