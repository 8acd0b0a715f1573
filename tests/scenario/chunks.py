#!/usr/bin/python3
"""Of a large file that changed, an agent is sent the chunks that it lacks, each against the chunk
of the version before that is most like it. What is sent is read from the gateway's own count."""
import glob
import hashlib
import os
import random

from agent_site import Agents, big_tree, stand_in
from harness import claim, run, write

MEGABYTES = 12
CHUNK = 1 << 20   # bytes of a chunk at most
MANIFEST = 16384  # bytes: more than the manifests of these packages, and their lists of chunks


def begin(site, points=('shop',)):
    source = big_tree(site.path('source'), MEGABYTES)
    site.start()
    for point in points:
        site.join(point)
    site.do('package.add', {'id': 'P1', 'source': source})
    site.do('distribute', {'id': 'P1', 'to': list(points)})
    site.wait_states('P1', {point: 'installed' for point in points}, 60)
    return source


def edit(source, places, name='big'):
    with open(os.path.join(source, name), 'r+b') as file:
        for place in places:
            file.seek(place)
            file.write(b'an edit')


def update(site, source, epoch=2, points=('shop',)):
    """What is sent for the new version: of content, and as it is on the wire."""
    sent, packed = site.figure('sent'), site.figure('packed')
    site.do('package.update', {'id': 'P1'})
    for point in points:
        site.wait_for('the update',
                      lambda p=point: site.target('P1', p)['have']['epoch'] == epoch, 90)
        site.holds(point, 'P1', source)
    return site.figure('sent') - sent, site.figure('packed') - packed


@claim(120)
def of_a_large_file_that_changed_only_what_changed_is_sent():
    with Agents() as site:
        source = begin(site)
        edit(source, [3 << 20, 9 << 20])
        sent, packed = update(site, source)
        print(f'# two edits in {MEGABYTES} MiB: {sent} bytes of content, {packed} on the wire')
        assert sent <= 4 * CHUNK + MANIFEST, f'{sent} bytes were sent for two edits'
        assert packed <= MANIFEST, f'{packed} bytes on the wire for two edits'
        site.stop()


@claim(120)
def bytes_that_were_put_in_move_no_chunk_behind_them():
    with Agents() as site:
        source = begin(site)
        path = os.path.join(source, 'big')
        with open(path, 'rb') as file:
            old = file.read()
        write(path, old[:4 << 20] + b'some bytes more' + old[4 << 20:])
        sent, packed = update(site, source)
        assert sent <= 2 * CHUNK + MANIFEST, f'{sent} bytes were sent for 15'
        assert packed <= MANIFEST, f'{packed} bytes on the wire for 15'
        site.stop()


@claim(120)
def chunks_of_other_files_and_packages_are_not_sent_again():
    with Agents() as site:
        source = begin(site)
        with open(os.path.join(source, 'big'), 'rb') as file:
            old = file.read()
        second = site.path('second')
        write(os.path.join(second, 'another'), random.Random(2).randbytes(2 << 20) + old[2 << 20:])
        site.do('package.add', {'id': 'P2', 'source': second})
        planned = site.do('plan', {'id': 'P2', 'to': ['shop']})['points'][0]['bytes']
        before = site.figure('sent')
        site.do('distribute', {'id': 'P2', 'to': ['shop']})
        site.wait_states('P2', {'shop': 'installed'}, 60)
        site.holds('shop', 'P2', second)
        sent = site.figure('sent') - before
        assert sent <= (2 << 20) + 2 * CHUNK + MANIFEST, f'{sent} bytes were sent of 2 MiB'
        assert sent == planned, f'{sent} bytes were sent, and {planned} planned'
        site.stop()


def recompiled(number, old=None):
    """A file whose bytes change every some hundred, and some part of which has moved."""
    chance = random.Random(number)
    if old is None:
        return chance.randbytes(MEGABYTES << 20)
    new = bytearray(old[6 << 20:] + old[:6 << 20])
    for place in range(0, len(new) - 8, 900):
        new[place:place + 4] = chance.randbytes(4)
    return bytes(new)


@claim(120)
def a_file_that_changed_everywhere_travels_against_what_is_like_it():
    with Agents() as site:
        source = big_tree(site.path('source'), 1)
        old = recompiled(1)
        write(os.path.join(source, 'program'), old)
        site.start()
        for point in ('shop', 'barn'):
            site.join(point)
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop', 'barn']})
        site.wait_states('P1', {'shop': 'installed', 'barn': 'installed'}, 60)
        new = recompiled(2, old)
        write(os.path.join(source, 'program'), new)
        sent, packed = update(site, source, points=('shop', 'barn'))
        print(f'# {len(new)} bytes changed everywhere, to two: {packed} bytes on the wire')
        assert sent >= 2 * len(new), f'{sent} bytes of content: it did not change everywhere'
        assert packed <= len(new), f'{packed} bytes on the wire: each half is like what was there'
        site.stop()


@claim(120)
def a_chunk_that_is_damaged_at_the_agent_gives_no_wrong_byte():
    with Agents() as site:
        source = begin(site)
        site.end_agent('shop')
        site.wait_for('the agent to be missed', lambda: site.figure('here') == 0)
        packs = glob.glob(site.path('shop.data', 'store', 'packs', '*.pack'))
        for pack in packs:
            size = os.path.getsize(pack)
            with open(pack, 'r+b') as file:
                for place in range(CHUNK, size - 16, 3 * CHUNK):
                    file.seek(place)
                    file.write(b'not what was here')
        edit(source, [3 << 20])
        site.spawn('shop')
        site.wait_here('shop')
        sent, _ = update(site, source)
        assert sent >= CHUNK // 8, f'only {sent} bytes were sent'
        site.stop()


@claim(120)
def what_came_of_a_large_file_is_not_sent_again_after_a_kill():
    with Agents() as site:
        source = begin(site)
        site.do('dp.set', {'name': 'shop', 'rate': 4000000})
        write(os.path.join(source, 'big'), os.urandom(MEGABYTES << 20))
        sent = site.figure('sent')
        site.do('package.update', {'id': 'P1'})
        site.wait_for('a third of it', lambda: site.figure('sent') - sent > (MEGABYTES << 20) // 3,
                      60)
        site.end_agent('shop')
        site.wait_for('the agent to be missed', lambda: site.figure('here') == 0)
        site.do('dp.set', {'name': 'shop', 'rate': 0})
        site.spawn('shop')
        site.wait_for('the update', lambda: site.target('P1', 'shop')['have']['epoch'] == 2, 60)
        site.holds('shop', 'P1', source)
        sent = site.figure('sent') - sent
        most = (MEGABYTES << 20) + (8 << 20) + MANIFEST
        assert sent <= most, f'{sent} bytes were sent, at most {most}: it began anew'
        left = [name for name in os.listdir(site.path('shop.data', 'incoming'))]
        assert not left, f'staged and of no use: {left}'
        site.stop()


@claim(120)
def what_a_kill_left_of_a_whole_object_goes():
    with Agents() as site:
        source = begin(site)
        with open(os.path.join(source, 'big'), 'rb') as file:
            whole = file.read()
        incoming = site.path('shop.data', 'incoming')
        site.end_agent('shop')
        site.wait_for('the agent to be missed', lambda: site.figure('here') == 0)
        left = os.path.join(incoming, hashlib.sha256(whole).hexdigest())
        write(left, whole)
        write(left + '.list', b'of what is whole')
        edit(source, [3 << 20])
        site.spawn('shop')
        site.wait_here('shop')
        update(site, source)
        left = os.listdir(incoming)
        assert not left, f'staged, though the store has it: {left}'
        site.stop()


@claim(60)
def chunks_of_what_an_agent_may_not_have_are_not_told():
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        secret = os.urandom(4 << 20)
        write(site.path('other', 'secret'), secret)
        site.do('package.add', {'id': 'P2', 'source': site.path('other')})
        write(site.path('source', 'known'), b'known')
        site.do('package.add', {'id': 'P1', 'source': site.path('source')})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        order = puppet.order('measure')
        puppet.say('agent_need', order=order['order'],
                   ranges=[{'object': hashlib.sha256(secret).hexdigest(), 'from': 0, 'size': 0,
                            'list': True}])
        said = puppet.hear_any()
        while said['say'] in ('agent_beat', 'agent_beacon'):
            said = puppet.hear_any()
        assert said['say'] == 'agent_refused', f'it was answered {said}'
        puppet.close()
        site.stop()


run()
