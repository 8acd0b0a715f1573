#!/usr/bin/python3
"""despool, the command line: its words, exit codes and JSON."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import time

from harness import DESPOOL, DESPOOLD, NOBODY, ROOT, Site, claim, despool, make_tree, run, write


def says(site, code, *words, **more):
    """Runs despool; it must end with that code. Returns what it printed."""
    done = despool(site, *words, **more)
    assert done.returncode == code, \
        f'despool {" ".join(words)}: exit {done.returncode}, expected {code}; ' \
        f'{done.stdout}{done.stderr}'
    if code:
        assert done.stderr.strip(), f'despool {" ".join(words)} failed without a word'
    return done.stdout


def document(site, *words, **more):
    return json.loads(says(site, 0, *words, json=True, **more))


@claim(90)
def the_verbs_do_their_work_and_json_is_one_document():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        for point in ('a', 'b'):
            os.makedirs(site.path('points', point))
            says(site, 0, 'dp', 'add', point, site.path('points', point))
        says(site, 0, 'group', 'add', 'both', 'a', 'b')
        says(site, 0, 'package', 'add', 'P1', source, '--name', 'first', '--version', 'one')
        says(site, 0, 'distribute', 'P1', '--to', '@both', '--wait=60', seconds=90)
        status = document(site, 'status', 'P1')
        assert status['state'] == 'complete', status
        assert set(status) >= {'id', 'name', 'version', 'state', 'targets'}, status
        target = status['targets'][0]
        assert set(target) >= {'dp', 'state', 'wanted', 'have', 'attempts', 'of', 'due', 'since',
                               'cause', 'bytes_done', 'bytes_total'}, target
        assert target['have'] == target['wanted'] == status['version']
        assert status['version']['label'] == 'one' and status['version']['epoch'] >= 1
        assert target['cause'] is None and target['due'] is None
        for words in (('package', 'list'), ('package', 'show', 'P1'), ('dp', 'list'),
                      ('dp', 'show', 'a'), ('group', 'list'), ('status',),
                      ('component', 'list'), ('ping',),
                      ('component', 'show', 'despooler'), ('quarantine', 'list')):
            document(site, *words)
            assert says(site, 0, *words).strip(), f'despool {" ".join(words)} printed nothing'
        says(site, 0, 'verify', 'P1')
        says(site, 0, 'withdraw', 'P1', '--from', 'a,b')
        site.wait_states('P1', {'a': 'removed', 'b': 'removed'})
        says(site, 0, 'package', 'remove', 'P1')
        says(site, 0, 'stop')
        assert site.wait_gone() == 0


@claim(60)
def exit_codes_are_those_of_the_manual():
    with Site() as site:
        says(site, 3, 'ping')
        site.start()
        says(site, 0, 'ping')
        says(site, 1, 'package', 'show', 'nothing')
        says(site, 1, 'distribute', 'nothing', '--to', 'nobody')
        for words in ((), ('no-such-verb',), ('package',), ('package', 'add'), ('dp', 'add', 'x'),
                      ('status', '--no-such-option'), ('package', 'add', 'a', '/b', 'c')):
            says(site, 2, *words)
        site.stop()
        says(site, 3, 'ping')


@claim(60)
def json_is_one_document_also_when_the_usage_is_wrong_or_no_host_is_there():
    with Site() as site:
        for code, words in ((2, ('no-such-verb',)), (2, ('package',)), (2, ('status', '--nope')),
                            (2, ('package', 'add', 'x')), (3, ('ping',)), (3, ('watch',)),
                            (3, ('package', 'list'))):
            error = json.loads(says(site, code, *words, json=True))['error']
            assert error['code'] == {2: 'usage', 3: 'no-host'}[code], error
            assert error['message'] and error['hint'], error


@claim(60)
def a_refusal_names_what_it_is_about_and_what_to_do():
    with Site() as site:
        site.start()
        root = site.add_point('a')
        missing = site.path('missing')
        for words, parts in (
                (('group', 'add', 'g', 'zz'), ("'zz'", 'despool dp list')),
                (('dp', 'set', 'zz', '--root', root), ("'zz'", 'despool dp list')),
                (('dp', 'adopt', 'zz'), ("'zz'", 'despool dp list')),
                (('package', 'update', 'zz'), ("'zz'", 'despool package list')),
                (('dp', 'add', 'b', site.path('points')), (f"'{site.path('points')}'", root)),
                (('dp', 'add', 'b', missing), (missing, 'repeat the command')),
                (('dp', 'set', 'a', '--root', missing), (missing, 'repeat the command')),
                (('component', 'stop', 'provider'), ("'provider'", 'despool stop'))):
            done = despool(site, *words)
            assert done.returncode == 1, f'{words}: {done.returncode}'
            for part in parts:
                assert part in done.stderr, f'{words}: {part} is not in {done.stderr}'
            assert "add the group 'zz'" not in done.stderr, done.stderr
            assert 'by itself' not in done.stderr, done.stderr
        site.stop()


@claim(60)
def a_socket_without_permission_is_not_called_missing():
    with Site(user=NOBODY if ROOT else None) as site:
        site.start()
        os.chmod(site.data, 0)
        copy = shutil.copy(DESPOOL, site.dir)
        os.chmod(copy, 0o755)
        more = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if ROOT else {}
        done = subprocess.run([copy, '--data', site.data, 'ping'], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30, check=False, **more)
        os.chmod(site.data, 0o700)
        assert done.returncode == 3 and 'permission denied' in done.stderr, done.stderr
        assert 'no such socket' not in done.stderr, done.stderr
        site.stop()


@claim(60)
def a_wait_that_ends_with_failures_is_exit_code_1():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        root = site.add_point('a')
        os.makedirs(os.path.join(root, 'P1', 'mine'))
        says(site, 0, 'package', 'add', 'P1', source)
        says(site, 1, 'distribute', 'P1', '--to', 'a', '--wait=30')
        site.stop()


@claim(60)
def a_wait_with_a_limit_ends_by_then_also_when_the_host_is_gone():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')
        site.unplug('a')
        says(site, 0, 'package', 'add', 'P1', source)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            began = time.monotonic()
            asked = pool.submit(despool, site, 'distribute', 'P1', '--to', 'a', '--wait=4')
            site.wait_for('it to be taken', lambda: site.status('P1')['targets'])
            site.stop()
            done = asked.result(60)
            took = time.monotonic() - began
        assert done.returncode == 3 and 'cannot reach the host' in done.stderr, done
        assert took < 25, f'{took:.1f} s for a wait of 4 s'  # the host is given 30 s to be back


@claim(120)
def a_command_whose_host_is_killed_meanwhile_is_answered_by_the_next_one():
    with Site() as site:
        source = make_tree(site.path('source'))
        for number in range(8):
            write(os.path.join(source, f'big{number}'), os.urandom(16 << 20))
        site.start()
        store = site.path('site', 'store', 'packs')
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(despool, site, 'package', 'add', 'P1', source)
            site.wait_for('it to be in hand', lambda: os.path.isdir(store) and os.listdir(store))
            site.kill()
            site.start()
            done = asked.result(90)
        assert done.returncode == 0 and 'P1 has version 1' in done.stdout, done
        assert [row['id'] for row in site.ask('package.list')['packages']] == ['P1']
        site.stop()


@claim(30)
def both_programs_tell_their_version():
    with Site() as site:
        site.start()
        version = site.ask('ping')['version']
        for name, program in ('despool', DESPOOL), ('despoold', DESPOOLD):
            done = subprocess.run([program, '--version'], capture_output=True, text=True,
                                  timeout=20, check=True)
            assert done.stdout == f'{name} {version}\n', done
        assert json.loads(despool(site, '--version', json=True).stdout) == {'version': version}
        site.stop()


@claim(60)
def watch_prints_one_json_document_per_line_and_ends_at_its_count():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.add_point('a')
        site.do('package.add', {'id': 'P1', 'source': source})
        count = len(site.history())
        text = says(site, 0, 'watch', '--since', '0', '--count', str(count), json=True)
        events = [json.loads(line) for line in text.splitlines()]
        assert [e['seq'] for e in events] == list(range(1, count + 1)), 'a gap'
        keys = {'seq', 'time', 'site', 'component', 'id', 'severity', 'package', 'dp', 'version',
                'text', 'attrs'}
        assert all(keys <= set(e) for e in events), f'a key is missing in {events[0]}'
        site.stop()


@claim(60)
def a_watch_that_was_there_before_catches_up_after_a_restart_of_the_host():
    with Site() as site:
        site.start()
        site.add_point('a')
        count = len(site.history())
        with subprocess.Popen([DESPOOL, '--data', site.data, '--json', 'watch', '--since', '0',
                               '--count', str(count + 3)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watch:
            first = [json.loads(watch.stdout.readline())['seq'] for _ in range(count)]
            site.kill()
            site.start()
            site.add_point('b')
            # Not communicate, which does not look at what was read ahead with the first lines.
            seqs = first + [json.loads(line)['seq'] for line in watch.stdout]
            assert seqs == list(range(1, count + 4)), f'a gap or a doublet: {seqs}'
        site.stop()


@claim(60)
def relative_paths_are_made_absolute_by_the_command_line():
    with Site() as site:
        make_tree(site.path('source'))
        os.mkdir(site.path('point'))
        site.start()
        for words in (('dp', 'add', 'a', 'point'), ('package', 'add', 'P1', './source')):
            done = subprocess.run([DESPOOL, '--data', site.data, *words], cwd=site.dir,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=30, check=False)
            assert done.returncode == 0, done.stderr
        source = site.ask('package.list')['packages'][0]['source']
        assert source == os.path.realpath(site.path('source')), source
        root = site.ask('dp.list')['dps'][0]['root']
        assert root == os.path.realpath(site.path('point')), root
        site.stop()


@claim(60)
def dry_run_of_the_command_line_changes_nothing():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        done = despool(site, '--dry-run', 'package', 'add', 'P1', source)
        assert done.returncode == 0, done.stderr
        assert site.ask('package.list')['packages'] == []
        site.stop()


run()
