#!/usr/bin/python3
"""What an idle host costs, and what many points cost. The figures are printed and bounded."""
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import uuid

from agent_site import Agents, big_tree, free_port
from harness import BAD_DISK, Site, Skip, claim, make_tree, run, set_rule


def sockets(site):
    return int(site.ask('component.list')['host']['sockets'])


@claim(120)
def an_idle_host_is_small_and_starts_fast():
    with Site() as site:
        times = []
        for _ in range(5):
            started = time.monotonic()
            site.start()
            times.append((time.monotonic() - started) * 1000)
            site.stop()
        site.start()
        print(f'# idle host: start {statistics.median(times):.0f} ms (of {len(times)}: '
              f'{min(times):.0f} to {max(times):.0f}), {site.threads()} threads,'
              f' {sockets(site)} sockets, {site.descriptors()} descriptors,'
              f' {site.resident_kib()} KiB resident')
        assert site.threads() <= 40, f'{site.threads()} threads'
        assert site.descriptors() <= 128, f'{site.descriptors()} descriptors'
        assert site.resident_kib() <= 100 * 1024, f'{site.resident_kib()} KiB'
        site.stop()


def told(manager):
    """What it was told until now."""
    heard = b''
    manager.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            heard += manager.recv(4096)
    return heard


def hear(manager, wanted):
    """All that it is told until then."""
    heard = b''
    manager.settimeout(60)
    while wanted not in heard:
        heard += manager.recv(4096)
    return heard


@claim(120)
def ready_is_told_to_the_service_manager_when_the_host_is_however_late_and_not_before():
    if not os.path.exists(BAD_DISK):
        raise Skip('there is no bad_disk library')
    with Site() as site, tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, 'notify')
        library = shutil.copy(BAD_DISK, site.dir)
        os.mkfifo(site.path('rule.fifo'))
        set_rule(site, 'hang 0 ' + site.data)  # its database is never made
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            site.start(ready=False, env={'NOTIFY_SOCKET': path, 'LD_PRELOAD': library,
                                         'BAD_DISK_RULE': site.path('rule')})
            heard = hear(manager, b'STATUS=not ready')  # INIT_DEADLINE_MS: 10 s
            assert site.ask('ping')['ready'] is False, 'it is ready without its database'
            heard += told(manager)
            assert b'READY=1' not in heard, f'{heard} was told before the host was ready'
            set_rule(site, 'ok 0 /')
            fifo = os.open(site.path('rule.fifo'), os.O_RDWR)
            try:
                hear(manager, b'READY=1')
                assert site.ask('ping')['ready'] is True, 'READY was told before the host was ready'
            finally:
                os.close(fifo)
        site.stop()


@claim(600)
def a_thousand_points_cost_neither_threads_nor_sockets_of_their_own():
    with Site() as site:
        source = make_tree(site.path('source'), files=2, size=100)
        site.start()
        threads, descriptors, opened = site.threads(), site.descriptors(), sockets(site)
        for number in range(1000):
            site.add_point(f'p{number}')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'all': True})
        started = time.monotonic()
        site.wait_package('P1', 'complete', 300)
        took = time.monotonic() - started
        print(f'# 1,000 points in {took:.1f} s: {site.threads()} threads (idle {threads}),'
              f' {sockets(site)} sockets (idle {opened}), {site.descriptors()} descriptors'
              f' (idle {descriptors}), {site.resident_kib()} KiB resident')
        assert site.threads() <= threads + 16, f'{site.threads()} threads, idle {threads}'
        # Workers connect to each other when they first have something to tell: a socket a pair, and
        # none for a point.
        pairs = int(site.ask('component.list')['host']['workers']) ** 2
        assert sockets(site) <= opened + pairs, f'{sockets(site)} sockets, idle {opened}'
        assert pairs < 400, f'{pairs} pairs of workers'
        site.stop()


@claim(900)
def a_hundred_thousand_files_arrive_whole_and_are_timed_against_cp():
    with Site() as site:
        source = site.path('source')
        for directory in range(100):
            below = os.path.join(source, f'd{directory:03}')
            os.makedirs(below)
            for number in range(1000):
                with open(os.path.join(below, f'f{number}'), 'wb') as file:
                    file.write(b'%d' % (directory * 1000 + number))
        site.start()
        site.add_point('a')
        started = time.monotonic()
        added = site.do('package.add', {'id': 'P1', 'source': source}, seconds=400)
        assert added['files'] == 100000, added
        stored = time.monotonic()
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'installed'}, 400)
        placed = time.monotonic()
        subprocess.run(['cp', '-a', source, site.path('copy')], check=True)
        subprocess.run(['sync', '-f', site.path('copy')], check=True)
        copied = time.monotonic()
        print(f'# 100,000 files: store {stored - started:.1f} s, place {placed - stored:.1f} s,'
              f' cp -a and sync -f {copied - placed:.1f} s')
        site.holds('a', 'P1', source)
        site.stop()


def add_agents(site, count):
    """Points whose agents never come; 200 commands are under way at one time."""
    under_way, said = set(), 0
    while said < count or under_way:
        while said < count and len(under_way) < 200:
            under_way.add(site.send('dp.add', {'name': f's{said:05}', 'agent': True},
                                    key=uuid.uuid4().hex))
            said += 1
        reply = site.receive()
        assert reply['ok'], reply
        under_way.discard(reply['id'])


def waiting(site):
    text = site.ask('component.show', {'name': 'despooler'})['component']['describes']
    return int(re.search(r'waiting: (\d+)', text).group(1))


@claim(900)
def many_targets_are_activated_in_one_command_and_timed():
    points = int(os.environ.get('DESPOOL_POINTS', '2000'))  # more as a long run
    with Site() as site:
        source = make_tree(site.path('source'), files=2, size=100)
        site.options += ['--listen', f'tcp://127.0.0.1:{free_port()}']
        site.start()
        add_agents(site, points)
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('component.set', {'name': 'despooler', 'slots': 0})  # none is tried: all wait there
        started = time.monotonic()
        site.do('distribute', {'id': 'P1', 'all': True}, seconds=300)
        answered = time.monotonic()
        site.wait_for('all to be handed on', lambda: waiting(site) == points, 600)
        activated = time.monotonic()
        times = []
        for _ in range(5):
            asked = time.monotonic()
            assert len(site.status('P1')['targets']) == points
            times.append((time.monotonic() - asked) * 1000)
        print(f'# {points} targets: durable and answered in {answered - started:.1f} s, all handed'
              f' on in {activated - started:.1f} s; status of the package, decoded here,'
              f' {statistics.median(times):.0f} ms; {site.resident_kib()} KiB resident')
        site.stop()


def own_kib(pid):
    """Memory that no file stands behind."""
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        return sum(int(line.split()[1]) for line in file
                   if line.startswith(('RssAnon:', 'RssShmem:')))


@claim(240)
def an_agent_at_rest_has_given_back_what_its_work_took():
    with Agents() as site:
        source = big_tree(site.path('source'), 48)
        site.start()
        site.join('shop')
        pid = site.agents['shop'].pid
        fresh = own_kib(pid)
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'installed'}, 120)
        most = own_kib(pid)

        def rests():
            nonlocal most
            most = max(most, own_kib(pid))
            return own_kib(pid) - fresh <= (most - fresh) * 2 // 3
        site.wait_for('memory to be given back', rests, 60)
        print(f'# an agent: {fresh} KiB before its work, {most} at its end, {own_kib(pid)} at rest')
        site.stop()


run()
