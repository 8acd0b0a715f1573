#!/usr/bin/python3
"""Each component can be stopped, started, paused, resumed and restarted while the others work."""
import contextlib
import fcntl
import json
import os
import re
import socket
import subprocess
import time

from harness import DESPOOL, Late, Refused, Site, claim, despool, make_tree, run

COMPONENTS = ('site_database', 'provider', 'status_manager', 'distribution_manager', 'despooler',
              'alarm_manager')


def rows(site):
    return {row['name']: row for row in site.ask('component.list')['components']}


def wait_component(site, name, *states, seconds=20):
    site.wait_for(f'{name} to be {states}', lambda: rows(site)[name]['state'] in states, seconds)


@claim(60)
def every_component_is_listed_ready_with_what_it_does():
    with Site() as site:
        site.start()
        listed = rows(site)
        for name in COMPONENTS:
            assert name in listed, f'{name} is not listed: {sorted(listed)}'
            assert listed[name]['state'] == 'ready', f"{name} is {listed[name]['state']}"
            assert listed[name]['requested'] == 'run', listed[name]
        host = site.ask('component.list')['host']
        for word in ('threads', 'sockets', 'descriptors'):
            assert word in host, f'the host does not tell its {word}: {host}'
        site.stop()


@claim(60)
def a_component_tells_its_lanes_its_handler_and_whom_it_waits_for():
    with Site() as site:
        site.start()
        told = site.ask('component.show', {'name': 'executive'})['component']
        lanes = [told['waiting_' + lane] for lane in ('system', 'reply', 'urgent', 'normal')]
        assert told['waiting'] == sum(lanes), told
        assert told['handling'] == 'component_show', f'it handles {told["handling"]!r}'
        for figure in ('oldest_ms', 'handling_ms', 'handled', 'asks_open', 'restarts'):
            assert isinstance(told[figure], int), f'{figure} is {told[figure]!r}'
        assert told['handled'] > 0 and told['restarts'] == 0, told
        shown = despool(site, 'component', 'show', 'executive').stdout
        for word in ('waiting_normal', 'oldest_ms', 'handling', 'restarts'):
            assert word in shown, f'component show does not tell {word}:\n{shown}'
        head = despool(site, 'component', 'list').stdout.splitlines()[0]
        for word in ('WAITING', 'OLDEST', 'HANDLED', 'HANDLING', 'RESTARTS', 'WAITS'):
            assert word in head.split(), f'component list does not tell {word}: {head}'
        site.stop()


@claim(60)
def the_graph_tells_who_speaks_to_whom_and_who_waits_for_whom_now():
    with Site() as site:
        site.start()
        graph = site.ask('graph')
        edges = {(e['from'], e['how'], e['to'], e['message']) for e in graph['edges']}
        for edge in (('provider', 'ask', 'site_database', 'distribute'),
                     ('distribution_manager', 'ask', 'despooler', 'instruction'),
                     ('executive', 'tell', 'despooler', 'slots_set')):
            assert edge in edges, f'{edge} is not among {len(edges)} edges'
        speak = {edge[0] for edge in edges}
        assert set(COMPONENTS) <= speak, f'only {sorted(speak)} speak'
        # Who asks for the graph waits for the executive meanwhile, and its figures say so.
        site.wait_for('the provider to wait for the executive', lambda: any(
            w['actor'] == 'provider' and w['waits_for'] == 'executive'
            for w in site.ask('graph')['waits']))
        text = despool(site, 'graph').stdout
        assert len([line for line in text.splitlines()
                    if line.split()[:3] == ['provider', 'ask', 'executive']]) == 1, text
        told = json.loads(despool(site, 'graph', json=True).stdout)
        assert {(e['from'], e['how'], e['to'], e['message']) for e in told['edges']} == edges
        dot = despool(site, 'graph', '--dot').stdout
        assert dot.startswith('digraph') and dot.endswith('}\n'), dot
        drawn = re.findall(r'^  "(\w+)" -> "(\w+)" \[label="([a-z-]+)\\n', dot, re.M)
        assert set(drawn) == {(e[0], e[2], e[1]) for e in edges}, dot
        assert len(drawn) == len(set(drawn)), 'an edge is drawn twice'
        site.stop()


@claim(90)
def each_component_but_those_that_answer_can_be_stopped_and_started():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')
        for number, name in enumerate(('alarm_manager', 'despooler', 'distribution_manager')):
            site.do('component.stop', {'name': name})
            wait_component(site, name, 'stopped')
            assert site.ask('ping')['site'], 'the site does not answer'
            site.ask('status')
            site.do('component.start', {'name': name})
            wait_component(site, name, 'ready')
            package = f'P{number}'
            site.do('package.add', {'id': package, 'source': source})
            site.do('distribute', {'id': package, 'to': ['a']})
            site.wait_package(package, 'complete', 40)
        site.stop()


@claim(120)
def work_goes_on_after_each_component_was_restarted_in_the_middle_of_it():
    with Site() as site:
        site.start()
        for point in ('a', 'b'):
            site.add_point(point)
        for number, name in enumerate(COMPONENTS):
            source = make_tree(site.path(f'source-{number}'), seed=number, files=100)
            package = f'P{number}'
            site.do('package.add', {'id': package, 'source': source})
            site.do('distribute', {'id': package, 'to': ['a', 'b']})
            try:
                site.do('component.restart', {'name': name})
            except Refused as refusal:
                # A component that restarts while it answers may say so, and nothing else.
                assert refusal.code in ('restarting', 'down'), refusal

            def complete(package=package):
                try:
                    return site.status(package)['state'] == 'complete'
                except Refused as refusal:
                    assert refusal.code in ('restarting', 'starting', 'down', 'deadline'), refusal
                    return False
            site.wait_for(f'{package} after a restart of {name}', complete, 60)
            for point in ('a', 'b'):
                site.holds(point, package, source)
        site.stop()


@claim(60)
def a_paused_despooler_takes_no_new_work_and_goes_on_when_resumed():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')
        site.do('component.pause', {'name': 'despooler'})
        wait_component(site, 'despooler', 'paused')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.ask('ping')
        assert site.states('P1')['a'] != 'installed', 'it worked while it was paused'
        site.do('component.resume', {'name': 'despooler'})
        site.wait_package('P1', 'complete', 40)
        site.stop()


@claim(60)
def slots_are_changed_live_and_none_is_shown_as_disabled():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')
        site.do('component.set', {'name': 'despooler', 'slots': 0})
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})

        def told():
            events = [e for e in site.history() if e['id'] in (4400, 4401)]
            row = rows(site)['despooler']
            return any('disabled' in e['text'] for e in events) or 'disabled' in str(row)
        site.wait_for('the stream or the list to say disabled', told, 20)
        assert site.states('P1')['a'] != 'installed'
        site.kill()
        site.start()
        assert site.states('P1')['a'] != 'installed', 'the setting was forgotten'
        site.do('component.set', {'name': 'despooler', 'slots': 4})
        site.wait_package('P1', 'complete', 40)
        site.refused('component.set', {'name': 'despooler', 'slots': 100000},
                     ('bad-value', 'too-large'))
        site.stop()


@claim(60)
def the_repeat_of_an_old_key_leaves_the_slots_that_were_set_after_it():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')
        site.do('package.add', {'id': 'P1', 'source': source})
        none = {'name': 'despooler', 'slots': 0}
        first = site.ask('component.set', none, key='first')
        assert first['changed'], first
        site.do('component.set', {'name': 'despooler', 'slots': 4})
        again = site.ask('component.set', none, key='first')
        assert again == first, f'the repeat is answered {again}, expected {first}'
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_package('P1', 'complete', 40)
        site.stop()


@claim(60)
def slots_that_are_set_already_are_no_change_and_a_change_is_one_message():
    with Site() as site:
        site.start()

        def told():
            return [e['text'] for e in site.history() if e['id'] == 4401]
        for slots, changed, messages in ((16, False, 0), (3, True, 1), (3, False, 1),
                                         (16, True, 2)):
            answer = site.do('component.set', {'name': 'despooler', 'slots': slots})
            assert answer['changed'] is changed, f'{slots} slots: {answer}'
            assert len(told()) == messages, f'{slots} slots: {told()}, expected {messages}'
        site.stop()


@claim(60)
def a_dry_run_answers_what_the_real_order_would():
    with Site() as site:
        site.start()
        for cmd, args in (('component.start', {'name': 'despooler'}),
                          ('component.resume', {'name': 'despooler'}),
                          ('component.restart', {'name': 'despooler'}),
                          ('component.pause', {'name': 'alarm_manager'}),
                          ('component.stop', {'name': 'provider'}),
                          ('component.pause', {'name': 'executive'}),
                          ('component.stop', {'name': 'nobody'}),
                          ('quarantine.retry', {'number': 7}),
                          ('quarantine.drop', {'number': 7}),
                          ('quarantine.drop', {'number': 1 << 60}),
                          # the last: who speaks to it just then is answered `restarting`
                          ('component.restart', {'name': 'provider'})):
            said = []
            for dry in (True, False):
                try:
                    said.append(site.do(cmd, {**args, 'dry_run': dry})['changed'])
                except Refused as refusal:
                    said.append(refusal.error)
            assert said[0] == said[1], f'{cmd} {args}: dry {said[0]}, real {said[1]}'
            site.wait_ready()
        site.stop()


@claim(60)
def a_restart_of_the_provider_is_answered_and_done():
    with Site() as site:
        site.start()
        for _ in range(3):
            last = len(site.history())
            assert site.do('component.restart', {'name': 'provider'})['changed'] is True

            def restarted(last=last):
                try:
                    return any(e['id'] == 500 and 'provider was restarted' in e['text']
                               for e in site.history(last))
                except Refused as refusal:
                    assert refusal.code in ('restarting', 'starting', 'down'), refusal
                    return False
            site.wait_for('the provider to be restarted', restarted, 20)
        site.stop()


@claim(60)
def a_component_that_the_site_cannot_be_without_says_so():
    with Site() as site:
        site.start()
        assert site.ask('component.show', {'name': 'executive'})['component']['state'] == 'ready'
        for cmd in ('component.stop', 'component.pause'):
            error = site.refused(cmd, {'name': 'provider'}, 'needed')
            assert 'carries the commands' in error['message'], error
            error = site.refused(cmd, {'name': 'executive'}, 'needed')
            assert 'stop the host' in error['hint'], error
        site.stop()


@claim(60)
def slots_and_what_waits_for_them_are_shown_where_the_despooler_is():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')

        def describes():
            return site.ask('component.show', {'name': 'despooler'})['component']['describes'] or ''
        site.wait_for('the slots', lambda: 'slots: 16, in hand: 0, waiting: 0' in describes(), 20)
        site.do('component.set', {'name': 'despooler', 'slots': 0})
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_for('the despooler to be shown as disabled', lambda:
                      'slots: 0 (disabled), in hand: 0, waiting: 1, the oldest for' in describes(),
                      20)
        assert 'disabled' in rows(site)['despooler']['describes']
        site.stop()


@claim(60)
def what_is_counted_is_bounded_and_shown_as_it_is():
    with Site() as site:
        site.start()
        host = {name: int(value) for name, value in site.ask('component.list')['host'].items()}
        for name in ('actors', 'threads', 'sockets', 'descriptors', 'job_threads'):
            assert 0 < host[name] <= host[name + '_max'], f'{name}: {host}'
        assert host['threads'] == site.threads(), f"{host['threads']}, has {site.threads()}"
        site.stop()


@claim(90)
def each_stop_is_in_the_stream_before_anything_stops():
    with Site() as site:
        for stops in range(3):
            site.start()
            told = [e for e in site.history() if e['id'] == 1101]
            assert len(told) == stops, f'{stops} stops, told {told}'
            if stops == 1:
                site.do('stop')
                assert site.wait_gone() == 0
            else:
                site.stop()


def is_of_a_busy_machine(event):
    return any(word in event['text'] for word in ('stalled', 'has been handling'))


@claim(60)
def an_idle_site_is_silent():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.tune(probe_ms=20)  # its point is looked at many times meanwhile
        site.start()
        site.add_point('a')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_package('P1', 'complete')
        last = site.history()[-1]['seq']

        def said():
            return [e for e in site.history(last) if not is_of_a_busy_machine(e)]
        started = time.monotonic()
        try:
            site.wait_for('a message of an idle site', said, 5)
        except Late:
            assert time.monotonic() - started >= 5
        else:
            raise AssertionError(f'an idle site said {said()}')
        site.stop()


# ---- an orderly stop ----

@claim(120)
def q263214_a_stop_in_the_middle_of_work_tells_no_error_and_leaves_none_behind():
    with Site() as site:
        source = make_tree(site.path('source'), files=300, size=100000)
        site.start()
        for point in ('a', 'b', 'c'):
            site.add_point(point)
        site.do('package.add', {'id': 'P1', 'source': source})
        stops = (site.stop, lambda: (site.do('stop'), site.wait_gone(10)))
        for stop in stops * 2:
            site.do('distribute', {'id': 'P1', 'to': ['a', 'b', 'c']})
            site.do('withdraw', {'id': 'P1', 'from': ['b']})
            stop()
            assert site.process.returncode == 0, site.process.returncode
            site.start()
            site.do('distribute', {'id': 'P1', 'to': ['b']})
        site.wait_package('P1', 'complete', 60)
        site.do('stop')
        site.wait_gone(10)
        site.start()
        bad = [e for e in site.history()
               if e['severity'] != 'info' and not is_of_a_busy_machine(e)]
        assert not bad, f'an orderly stop was told as {bad}'
        assert all(row['state'] == 'ready' for row in rows(site).values()), rows(site)
        with open(site.log, encoding='utf-8') as log:
            wrong = [line for line in log if 'ready, data' not in line]
        assert not wrong, wrong
        for point in ('a', 'b', 'c'):
            site.holds(point, 'P1', source)
        site.stop()


# ---- a log that cannot be written ----

def start_with_output(site, output, env=None):
    site.process = subprocess.Popen([site.despoold, '--data', site.data], stdin=subprocess.DEVNULL,
                                    stdout=output, stderr=output,
                                    env={**os.environ, **site.env, **(env or {})})
    site.connect()
    site.wait_ready()


def works(site, source):
    site.add_point('a')
    site.do('package.add', {'id': 'P1', 'source': source})
    site.do('distribute', {'id': 'P1', 'to': ['a']})
    site.wait_package('P1', 'complete', 30)


def works_and_stops(site, source):
    works(site, source)
    site.do('stop')
    code = site.wait_gone(10)
    assert code == 0, f'the host ended with {code}, expected 0'


HELD = (('distribution_manager', 'package.add', {'id': 'P2', 'source': '/usr/share/zoneinfo'}),
        ('distribution_manager', 'dp.add', {'name': 'b', 'root': '/nowhere'}),
        ('site_database', 'status', {}), ('site_database', 'package.list', {}),
        ('despooler', 'verify', {'id': 'P1'}))


@claim(90)
def a_command_that_a_paused_or_stopped_component_would_keep_is_answered_with_its_name():
    with Site() as site:
        site.start()
        works(site, make_tree(site.path('source')))
        for name, command, arguments in HELD:
            for verb, code, end in (('pause', 'paused', 'resume'), ('stop', 'down', 'start')):
                if name == 'site_database' and verb == 'stop':
                    continue  # all others wait for it, and are ready late
                site.do(f'component.{verb}', {'name': name})
                wait_component(site, name, code if verb == 'pause' else 'stopped')
                site.refused('package.list', {'nonsense': True}, 'unknown-argument')
                error = site.refused(command, arguments, code)
                assert name in error['message'], error
                assert f'component {end} {name}' in error['hint'], error
                site.do(f'component.{end}', {'name': name})
                wait_component(site, name, 'ready')
        site.do('component.set', {'name': 'despooler', 'slots': 0})
        error = site.refused('verify', {'id': 'P1'}, 'paused')
        assert 'slots' in error['message'] and '--slots' in error['hint'], error
        for name in ('provider', 'executive'):
            for verb in ('stop', 'pause'):
                error = site.refused(f'component.{verb}', {'name': name}, 'needed')
                assert error['message'].startswith(f"cannot {verb} '{name}': it "), error
                assert 'despool stop' in error['hint'], error
        site.stop()


def pending_cause(site, word):
    """Waits until the pending target says this; returns what the command line shows of it."""
    def told():
        target = site.target('P1', 'b')
        assert target['state'] == 'pending' and target['cause'], target
        assert target['cause']['code'] == 'queued', target
        return word in target['cause']['text']
    site.wait_for(f'the cause of pending to name {word}', told, 20)
    return despool(site, 'status', 'P1')


@claim(60)
def what_is_pending_says_what_it_waits_for_and_who_is_paused():
    with Site() as site:
        site.start()
        works(site, make_tree(site.path('source')))
        site.add_point('b')
        site.do('component.pause', {'name': 'distribution_manager'})
        wait_component(site, 'distribution_manager', 'paused')
        site.do('distribute', {'id': 'P1', 'to': ['b']})
        shown = pending_cause(site, 'distribution_manager')
        assert 'queued: not yet taken up' in shown.stdout, shown
        resume = 'the component distribution_manager is paused: ' \
                 'despool component resume distribution_manager'
        assert resume in shown.stdout, shown
        waited = despool(site, 'distribute', 'P1', '--to', 'b', '--wait=1')
        assert waited.returncode == 1 and resume in waited.stderr, waited
        waits = subprocess.Popen([DESPOOL, '--data', site.data, 'distribute', 'P1', '--to', 'b',
                                  '--wait'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True)
        told = waits.stderr.readline()  # while it waits, which it does without an end
        assert told == resume + '\n', told
        site.do('component.set', {'name': 'despooler', 'slots': 0})
        site.do('component.resume', {'name': 'distribution_manager'})
        shown = pending_cause(site, 'disabled')
        assert 'paused' not in shown.stdout, shown
        site.do('component.set', {'name': 'despooler', 'slots': 1})
        site.wait_package('P1', 'complete', 30)
        assert site.target('P1', 'b')['cause'] is None
        assert waits.communicate(timeout=60)[1] == '' and waits.returncode == 0
        site.stop()


@claim(60)
def q247229_an_output_that_nobody_reads_holds_the_host_up_nowhere():
    with Site() as site:
        source = make_tree(site.path('source'))
        reads, writes = os.pipe()
        fcntl.fcntl(writes, fcntl.F_SETFL, os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while os.write(writes, bytes(4096)):
                pass
        fcntl.fcntl(writes, fcntl.F_SETFL, 0)  # full, and a write to it waits
        start_with_output(site, writes)
        works_and_stops(site, source)
        os.close(reads)
        os.close(writes)


@claim(60)
def q247229_an_output_that_is_closed_or_full_ends_no_host():
    with Site() as site:
        source = make_tree(site.path('source'))
        reads, writes = os.pipe()
        os.close(reads)
        start_with_output(site, writes)
        works_and_stops(site, source)
        os.close(writes)
        with open('/dev/full', 'wb') as full:
            start_with_output(site, full)
        site.stop()


@claim(60)
def q247229_a_service_manager_that_does_not_listen_holds_the_host_up_nowhere():
    with Site() as site:
        source = make_tree(site.path('source'))
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(site.path('notify'))
        client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while client.sendto(b'x', site.path('notify')):
                pass
        with open(site.log, 'ab') as log:
            start_with_output(site, log, {'NOTIFY_SOCKET': site.path('notify')})
        works_and_stops(site, source)


run()
