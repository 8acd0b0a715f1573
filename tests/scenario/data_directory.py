#!/usr/bin/python3
"""The data directory: one host at a time; damage and newer schemas refused; modes, endpoints."""
import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess

import zmq

from agent_site import Agents, free_port, token_by_way_of
from harness import DESPOOLD, NOBODY, ROOT, Site, claim, make_tree, needs_root, run


def refused_start(site, *words, seconds=20, data=None):
    """A start that must fail; returns what it said."""
    done = subprocess.run([DESPOOLD, '--data', data or site.data, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode != 0, f'it started; it said {done.stderr!r}'
    assert done.returncode > 0, f'it was ended by signal {-done.returncode}: {done.stderr}'
    assert done.stderr.strip(), 'it said nothing'
    return done.stderr


def used_site(site):
    source = make_tree(site.path('source'))
    site.start()
    site.add_point('a')
    site.do('package.add', {'id': 'P1', 'source': source})
    site.do('distribute', {'id': 'P1', 'to': ['a']})
    site.wait_states('P1', {'a': 'installed'})
    site.stop()


def database(site):
    found = [name for name in os.listdir(site.data) if name.endswith('.db')]
    assert len(found) == 1, f'{found}, expected one database'
    return os.path.join(site.data, found[0])


@claim(60)
def a_second_host_on_the_same_data_directory_refuses():
    with Site() as site:
        site.start()
        said = refused_start(site)
        assert 'another' in said or 'locked' in said or 'use' in said, said
        assert site.ask('ping')['ready'] is True, 'the first host was disturbed'
        site.connect()  # a client that comes later reaches the first host, too
        assert site.ask('ping', seconds=10)['ready'] is True
        site.stop()
        site.start()
        site.stop()


@claim(60)
def an_address_that_is_not_to_be_had_is_named_with_the_reason():
    with Site() as site, socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        taken = f'tcp://127.0.0.1:{other.getsockname()[1]}'
        for option in '--listen', '--listen-plain':
            words = [option, taken] if option == '--listen' else [
                '--listen', f'tcp://127.0.0.1:{free_port()}', option, taken]
            said = refused_start(site, *words)
            assert f"cannot listen at '{taken}': Address already in use" in said, said
            assert 'name another one' in said and 'disk' not in said, said
        said = refused_start(site, '--listen', 'tcp://192.0.2.1:4444')  # nobody's, by RFC 5737
        assert "cannot listen at 'tcp://192.0.2.1:4444': " in said and 'disk' not in said, said
        site.start()
        site.stop()


@claim(120)
def a_damaged_database_is_refused_and_left_as_it_is():
    with Site() as site:
        used_site(site)
        path = database(site)
        with open(path, 'rb') as file:
            whole = file.read()
        for name, damaged in (('a header of zeros', bytes(100) + whole[100:]),
                              ('a file of another kind', b'this is no database' * 100),
                              ('a lost second half', whole[:len(whole) // 2 // 4096 * 4096]),
                              ('a page of noise', whole[:4096] + os.urandom(4096) + whole[8192:])):
            for rest in ('-wal', '-shm', '-journal'):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path + rest)
            with open(path, 'wb') as file:
                file.write(damaged)
            said = refused_start(site)
            assert 'damaged' in said or 'database' in said, f'{name}: {said}'
            with open(path, 'rb') as file:
                assert file.read() == damaged, f'{name}: the damaged file was changed'


@claim(60)
def a_missing_database_beside_a_store_is_not_replaced_by_a_new_one():
    with Site() as site:
        used_site(site)
        os.unlink(database(site))
        said = refused_start(site)
        assert 'store' in said or 'database' in said or 'damaged' in said, said


@claim(60)
def a_newer_schema_is_refused():
    with Site() as site:
        used_site(site)
        connection = sqlite3.connect(database(site))
        version = connection.execute('PRAGMA user_version').fetchone()[0]
        assert version > 0, 'the database carries no schema version'
        connection.execute(f'PRAGMA user_version = {version + 1000}')
        connection.commit()
        connection.close()
        said = refused_start(site)
        assert 'newer' in said, said


@claim(60)
def the_endpoints_are_sockets_of_mode_0600():
    with Site() as site:
        site.start()
        for name in ('command.ipc', 'status.ipc'):
            found = os.stat(os.path.join(site.data, name))
            assert stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600, \
                f'{name}: mode {found.st_mode:o}'
        site.stop()


@claim(30)
def a_path_too_long_for_a_socket_is_refused_with_a_clear_error():
    with Site() as site:
        long = os.path.join(site.dir, 'x' * 120)
        os.mkdir(long)
        said = refused_start(site, data=long)
        assert 'at most 107 bytes' in said and 'command.ipc' in said, said


@claim(60)
def a_refused_start_leaves_no_directory_behind():
    with Site() as site:
        config = site.path('despool.cfg')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('site\n    no-such-key = 5\n')
        top = site.path('new')
        for words in (['--data', os.path.join(top, 'a', 'b'), '--config', config],
                      ['--data', os.path.join(top, 'x' * 120)]):
            done = subprocess.run([DESPOOLD, *words], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=20, check=False)
            assert done.returncode == 1, f'{words}: {done.returncode}, {done.stderr}'
            assert not os.path.exists(top), f'{words} left {os.listdir(top)}'
        refused_start(site, data=os.path.join(site.data, 'x' * 120))
        assert os.path.isdir(site.data), 'a directory that was there was taken away'


@claim(120)
def a_refused_join_leaves_nothing_that_it_made():
    with Agents() as site:
        site.start()
        root, data = site.path('root'), site.path('new', 'agent')
        os.makedirs(root)
        token, spent = site.token('shop'), site.token('spent')
        forgotten = site.token('gone')
        site.do('dp.remove', {'name': 'gone'})
        site.join('spent', spent)
        for name, bad, where in (('a bad token', token[:-2], root), ('no root', token, data + '/x'),
                                 ('a spent token', spent, root),
                                 ('a forgotten token', forgotten, root)):
            site.join_refused(bad, where, data)
            assert not os.path.exists(site.path('new')), f'{name} left {os.listdir(data)}'
            assert os.listdir(root) == [], f'{name} left {os.listdir(root)} in the root'
            os.makedirs(data)  # what was there stays, as it was
            site.join_refused(bad, where, data)
            assert os.listdir(data) == [], f'{name} left {os.listdir(data)}'
            shutil.rmtree(site.path('new'))
        shutil.copytree(site.path('spent.data'), site.path('copy'))
        os.unlink(site.path('copy', 'agent'))
        site.join_refused(forgotten, root, 'copy')
        assert os.path.exists(site.path('copy', 'keys', 'signing')), 'keys of before are gone'
        site.join('shop', token)
        site.stop()


@claim(60)
def a_join_that_its_site_may_have_heard_keeps_its_keys():
    """The answer may be lost, and the token spent: by the same keys it is good again."""
    with Agents() as site:
        site.start()
        token, root = site.token('shop'), site.path('root')
        os.makedirs(root)
        away = token_by_way_of(token, f'tcp://127.0.0.1:{free_port()}')
        assert 'nobody answers' in site.join_refused(away, root, 'away')
        assert not os.path.exists(site.path('away')), 'nobody was there to hear it'
        assert os.listdir(root) == [], 'the root is still claimed'
        public, secret = zmq.curve_keypair()
        with site.context.socket(zmq.ROUTER) as other:
            other.curve_server, other.curve_secretkey = True, secret
            port = other.bind_to_random_port('tcp://127.0.0.1')
            join = subprocess.Popen(
                [DESPOOLD, 'join', token_by_way_of(token, f'tcp://127.0.0.1:{port}', public),
                 '--data', site.path('heard'), '--root', root],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            assert other.poll(20000), 'it asks nothing'
            other.send_multipart([other.recv_multipart()[0], b'no answer'])
            assert 'does not answer as a site does' in join.communicate(timeout=20)[1]
        assert os.path.exists(site.path('heard', 'keys', 'signing')), 'the keys are gone'
        assert os.listdir(root) == ['.despool'], 'the root is claimed no more'
        site.stop()


@claim(60)
def a_directory_that_cannot_be_written_is_refused_with_its_reason_and_what_to_do():
    with Site() as site:
        barred = site.path('barred')
        os.mkdir(barred)
        despoold = shutil.copy(DESPOOLD, site.dir)
        os.chmod(despoold, 0o755)
        more = {}
        if ROOT:
            os.chown(barred, NOBODY, NOBODY)
            more = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}
        os.chmod(barred, 0o500)
        for data in (barred, os.path.join(barred, 'site')):
            done = subprocess.run([despoold, '--data', data], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=20, check=False, **more)
            assert done.returncode == 1, f'{data}: {done.returncode}'
            assert f"'{data}': Permission denied" in done.stderr, done.stderr
            assert '--data' in done.stderr.splitlines()[1], f'no hint: {done.stderr}'
            assert 'command_link' not in done.stderr, done.stderr


@claim(60)
def a_file_of_its_own_that_it_may_not_have_is_refused_with_its_reason_and_what_to_do():
    needs_root()
    with Site(user=NOBODY) as site:
        site.start()
        site.stop()
        path = database(site)
        os.chown(path, 0, 0)
        for mode in 0o600, 0o604:  # read alone is not enough
            os.chmod(path, mode)
            os.truncate(site.log, 0)
            site.start(ready=False)
            assert site.wait_gone(20) == 1
            with open(site.log) as log:
                said = log.read()
            assert "cannot open 'site.db': permission denied" in said and 'disk' not in said, said
        site.give(path)
        site.start()
        site.stop()


@claim(60)
def a_host_that_is_stopped_while_it_starts_does_not_say_who_is_late():
    with Site() as site:
        for _ in range(20):
            site.start(ready=False)
            site.wait_for('the endpoint', lambda: os.path.exists(
                os.path.join(site.data, 'command.ipc')), 20)
            site.stop()
            os.unlink(os.path.join(site.data, 'command.ipc'))
        with open(site.log, encoding='utf-8') as log:
            said = log.read()
        assert 'not ready' not in said and 'late' not in said, said


@claim(60)
def a_terminal_that_is_closed_stops_the_host_in_order_unless_that_is_ignored():
    with Site() as site:
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever began the tests
        site.start()
        site.process.send_signal(signal.SIGHUP)
        assert site.wait_gone() == 0, 'it did not end in order'
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        site.start()
        signal.signal(signal.SIGHUP, before)
        site.process.send_signal(signal.SIGHUP)
        assert site.ask('ping')['ready'] is True
        site.stop()


@claim(30)
def bad_configuration_is_refused_naming_line_and_key():
    with Site() as site:
        config = site.path('despool.cfg')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('# comment\nsite\n    no-such-key = 5\n')
        done = subprocess.run([DESPOOLD, '--data', site.data, '--config', config],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                              check=False)
        assert done.returncode > 0, 'it started'
        assert 'no-such-key' in done.stderr and '3' in done.stderr, done.stderr
        assert 'mend it there' in done.stderr.splitlines()[1], done.stderr


@claim(60)
def an_option_that_means_nothing_to_who_lives_there_is_refused_and_leaves_nothing():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        agent, fresh = site.path('shop.data'), site.path('fresh')
        address = f'tcp://127.0.0.1:{free_port()}'
        for option, value in ('--listen', address), ('--placement', 'pool'):
            said = refused_start(site, option, value, data=agent)
            assert f"in '{agent}': {option} is for a site, and this is an agent" in said, said
        said = refused_start(site, '--on-activate', '/bin/true', data=fresh)
        assert '--on-activate is for an agent, and this is a site' in said, said
        assert 'leave it out' in said and not os.path.exists(fresh), said
        token = site.token('other')
        os.mkdir(site.path('root'))
        done = subprocess.run([DESPOOLD, 'join', token, '--data', fresh, '--root',
                               site.path('root'), '--listen', address],
                              capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 1 and '--listen is for a site' in done.stderr, done
        assert not os.listdir(site.path('root')) and not os.path.exists(fresh), 'it left something'
        done = subprocess.run([DESPOOLD, '--data', fresh, '--data', agent], capture_output=True,
                              text=True, timeout=20, check=False)
        assert done.returncode == 2 and "given twice: '--data'" in done.stderr, done
        site.stop()


@claim(60)
def the_identity_of_a_point_is_kept_and_a_second_claim_is_refused():
    with Site() as site:
        site.start()
        root = site.add_point('a')
        assert os.path.exists(os.path.join(root, '.despool', 'point')), 'no identity was written'
        site.refused('dp.add', {'name': 'b', 'root': root}, ('overlap', 'exists', 'not-this-point'))
        os.mkdir(os.path.join(root, 'inner'))
        site.refused('dp.add', {'name': 'b', 'root': os.path.join(root, 'inner')}, 'overlap')
        site.refused('dp.add', {'name': 'b', 'root': site.path('points')}, 'overlap')
        site.refused('dp.add', {'name': 'b', 'root': site.data}, 'overlap')
        site.refused('dp.add', {'name': 'b', 'root': site.path('missing')}, ('not-found', 'absent'))
        os.symlink(root, site.path('alias'))
        site.refused('dp.add', {'name': 'b', 'root': site.path('alias')})
        assert [d['name'] for d in site.ask('dp.list')['dps']] == ['a']
        site.stop()


def tells_of_a_slow_machine(event):
    """An alarm that a handler has run for longer than its limit, which says nothing of the stop."""
    return event['id'] == 9000 and event['attrs']['alarm'] == 'stalled'


@claim(60)
def the_log_and_the_exit_of_an_orderly_stop_tell_no_error():
    with Site() as site:
        used_site(site)
        site.start()
        errors = [e for e in site.history()
                  if e['severity'] == 'error' and not tells_of_a_slow_machine(e)]
        assert not errors, f'errors after an orderly stop: {errors}'
        site.stop()


run()
