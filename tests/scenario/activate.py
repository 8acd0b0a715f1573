#!/usr/bin/python3
"""An agent runs its owner's program after a version has become current; how it ended is a state."""
import os
import signal
import stat
import subprocess

from agent_site import Agents, welcomed
from harness import DESPOOLD, claim, despool, make_tree, run, write


def program(site, *lines, name='program'):
    """A program of the agent's owner; DIR in it is the site's scratch directory."""
    path = site.path(name)
    write(path, '\n'.join(('#!/bin/sh', *lines, '')).replace('DIR', site.dir).encode())
    os.chmod(path, stat.S_IRWXU)
    return path


class Activating(Agents):
    """Agents that have a program."""

    def __init__(self):
        super().__init__()
        self.extra = []

    def spawn(self, name, *words):
        super().spawn(name, *words, *self.extra)


def read(path):
    try:
        with open(path, encoding='ascii', errors='replace') as file:
            return file.read()
    except FileNotFoundError:
        return ''


def activation(site, package='P1', dp='shop'):
    target, = [t for t in site.do('status', {'id': package})['targets'] if t['dp'] == dp]
    return target['activation']


def ended(site, package='P1', result=None):
    def there():
        found = activation(site, package)
        return found if found and result in (None, found['result']) else None
    site.wait_for(f'the end of a program ({result})', there)
    return there()


def events(site, number):
    return [event for event in site.history() if event['id'] == number]


def place(site, package='P1', source=None, dp='shop'):
    source = source or make_tree(site.path('source-' + package))
    site.do('package.add', {'id': package, 'source': source, 'version': 'seven'})
    site.do('distribute', {'id': package, 'to': [dp]})
    site.wait_states(package, {dp: 'installed'})
    return source


@claim(60)
def a_program_runs_after_the_version_is_current_with_few_words_and_none_of_our_descriptors():
    with Activating() as site:
        site.extra = ['--on-activate', program(
            site, 'exec 9>DIR/said', 'env | sort >&9', 'echo "in $(pwd)" >&9',
            'readlink "$DESPOOL_ROOT/$DESPOOL_PACKAGE/current" >&9', 'ls "$DESPOOL_PATH" >&9',
            'exec 9>&-', 'ls -l /proc/self/fd | grep -c -e socket: -e shop.data >DIR/open',
            'cat >DIR/input', 'ps -o pgid= -p $$ | tr -d " " >DIR/group', 'echo $$ >DIR/pid',
            'echo well done')]
        site.start()
        site.join('shop')
        source = place(site)
        assert ended(site)['result'] == 'ok', activation(site)
        said = read(site.path('said')).splitlines()
        words = dict(line.split('=', 1) for line in said if '=' in line)
        root = site.path('points', 'shop')
        mine = {word: value for word, value in words.items() if word not in ('PWD', 'SHLVL', '_',
                                                                             'OLDPWD')}
        assert mine.pop('PATH').startswith('/usr/local/sbin:'), words
        assert len(mine.pop('DESPOOL_DIGEST')) == 64, words
        assert mine == {'DESPOOL_PACKAGE': 'P1', 'DESPOOL_VERSION': 'seven', 'DESPOOL_EPOCH': '1',
                        'DESPOOL_POINT': 'shop', 'DESPOOL_ROOT': root, 'DESPOOL_ATTEMPT': '1',
                        'DESPOOL_PATH': os.path.join(root, 'P1', 'v1')}, mine
        assert 'in /' in said and 'v1' in said, said
        assert set(os.listdir(source)) <= set(said), said
        assert read(site.path('open')).strip() == '0', read(site.path('open'))
        assert read(site.path('input')) == ''
        assert read(site.path('group')) == read(site.path('pid')), 'it is not alone in its group'
        assert read(site.path('shop.data', 'activation-output', 'P1')).strip() == 'well done'
        event, = events(site, 2410)
        assert (event['package'], event['dp']) == ('P1', 'shop'), event
        site.stop()


@claim(90)
def how_it_ended_is_a_state_of_the_target_and_outlives_restarts_of_both_ends():
    with Activating() as site:
        site.extra = ['--on-activate', program(
            site, 'echo $DESPOOL_PACKAGE >>DIR/runs',
            'case $DESPOOL_PACKAGE in', 'P1) echo the shop is closed; exit 3;;',
            'P2) kill -9 $$;;', 'esac')]
        site.start()
        site.join('shop')
        place(site, 'P1')
        place(site, 'P2')
        place(site, 'P3')
        ended(site, 'P3')
        for package, result, code, text in (('P1', 'exit', 3, 'the shop is closed'),
                                            ('P2', 'signal', 9, ''), ('P3', 'ok', 0, '')):
            found = ended(site, package)
            assert (found['result'], found['code']) == (result, code), found
            assert (found['text'] or '') == text, found
        assert len(events(site, 2411)) == 2 and len(events(site, 2410)) == 1
        table = despool(site, 'status', 'P1').stdout
        assert 'on-activate failed, exit 3: the shop is closed' in table, table
        site.kill()
        site.start()
        site.end_agent('shop')
        site.spawn('shop')
        site.wait_here('shop')
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        assert activation(site, 'P1')['code'] == 3
        assert sorted(read(site.path('runs')).split()) == ['P1', 'P2', 'P3'], 'it ran again'
        assert len(events(site, 2411)) == 2, 'it was told again'
        site.stop()


@claim(90)
def a_program_that_was_cut_runs_again_and_hears_which_attempt_it_is():
    with Activating() as site:
        site.extra = ['--on-activate', program(
            site, 'echo $DESPOOL_ATTEMPT $$ >>DIR/runs',
            'test $DESPOOL_ATTEMPT != 1 || exec sleep 600')]
        site.start()
        site.join('shop')
        place(site)
        site.wait_for('it to run', lambda: read(site.path('runs')))
        site.end_agent('shop')
        first = int(read(site.path('runs')).split()[1])
        site.wait_for('the first run to die with its agent',
                      lambda: not os.path.exists(f'/proc/{first}'))
        assert activation(site) is None, activation(site)
        site.spawn('shop')
        assert ended(site)['attempt'] == 2, activation(site)
        assert [line.split()[0] for line in read(site.path('runs')).splitlines()] == ['1', '2']
        site.stop()


@claim(90)
def an_agent_stops_in_order_while_its_program_runs_and_runs_it_again():
    with Activating() as site:
        site.extra = ['--on-activate', program(
            site, 'echo $DESPOOL_ATTEMPT >>DIR/runs', 'test $DESPOOL_ATTEMPT != 1 || sleep 600')]
        site.start()
        site.join('shop')
        place(site)
        site.wait_for('it to run', lambda: read(site.path('runs')))
        assert site.end_agent('shop', signal.SIGTERM) == 0
        site.spawn('shop')
        assert ended(site)['attempt'] == 2, activation(site)
        site.stop()


@claim(90)
def a_program_without_end_is_ended_with_all_its_group_and_what_cannot_begin_is_told():
    with Activating() as site:
        config = site.path('agent.zpl')
        path = program(site, 'test $DESPOOL_PACKAGE = P1 || exit 0',
                       'trap "" TERM', 'sleep 600 & echo $! >DIR/child', 'yes it hangs')
        write(config, f'agent\n    on-activate = {path}\n    on-activate-ms = 700\n'.encode())
        site.extra = ['--config', config]
        site.start()
        site.join('shop')
        place(site)
        assert ended(site)['result'] == 'timeout', activation(site)
        child = read(site.path('child')).strip()
        site.wait_for('its child to be gone', lambda: not os.path.exists(f'/proc/{child}'))
        size = os.path.getsize(site.path('shop.data', 'activation-output', 'P1'))
        assert 0 < size <= 65536, size
        os.unlink(path)
        place(site, 'P2')
        found = ended(site, 'P2')
        assert (found['result'], found['code']) == ('not-begun', 2), found
        site.stop()


@claim(90)
def no_other_version_is_placed_while_a_program_runs_and_what_the_site_did_not_hear_is_told_later():
    with Activating() as site:
        site.extra = ['--on-activate', program(
            site, 'echo $DESPOOL_PACKAGE $DESPOOL_EPOCH >>DIR/runs',
            'while test ! -e DIR/go; do sleep 0.05; done')]
        site.start()
        site.join('shop')
        source = place(site)
        site.wait_for('it to run', lambda: read(site.path('runs')))
        write(os.path.join(source, 'more'), b'more')
        site.do('package.update', {'id': 'P1'})
        agent_root = site.path('points', 'shop', 'P1', 'current')
        site.wait_states('P1', {'shop': 'installing'})
        assert os.readlink(agent_root) == 'v1', 'it was switched under the program'
        site.kill()
        site.process = None  # it is to be away
        write(site.path('go'), b'')
        site.wait_for('the end to be noted', lambda: 'state 3' in read(
            site.path('shop.data', 'activations', 'P1')))
        site.start()
        site.wait_states('P1', {'shop': 'installed'})
        site.wait_for('both versions to be run for',
                      lambda: read(site.path('runs')).split() == ['P1', '1', 'P1', '2'])
        assert ended(site)['result'] == 'ok', activation(site)
        site.wait_for('all to be known', lambda: 'state 4' in read(
            site.path('shop.data', 'activations', 'P1')))
        site.stop()


@claim(90)
def an_end_that_the_site_did_not_hear_is_told_when_both_are_back():
    with Activating() as site:
        site.extra = ['--on-activate', program(
            site, 'echo run >>DIR/runs', 'while test ! -e DIR/go; do sleep 0.05; done', 'exit 4')]
        site.start()
        site.join('shop')
        place(site)
        site.wait_for('it to run', lambda: read(site.path('runs')))
        site.kill()
        site.process = None  # it is to be away
        write(site.path('go'), b'')
        site.wait_for('the end to be noted', lambda: 'state 3' in read(
            site.path('shop.data', 'activations', 'P1')))
        site.end_agent('shop')
        site.start()
        assert activation(site) is None, activation(site)
        site.spawn('shop')
        assert ended(site)['code'] == 4, activation(site)
        assert read(site.path('runs')).split() == ['run']
        site.stop()


@claim(90)
def a_version_that_was_withdrawn_and_is_placed_again_is_run_for_again_and_one_from_before_is_not():
    with Activating() as site:
        site.start()
        site.join('shop')
        place(site, 'P1')
        site.end_agent('shop')
        site.extra = ['--on-activate', program(site, 'echo $DESPOOL_PACKAGE >>DIR/runs')]
        site.spawn('shop')
        site.wait_here('shop')
        place(site, 'P2')
        ended(site, 'P2')
        assert read(site.path('runs')).split() == ['P2'], 'it ran for what was there before'
        site.do('withdraw', {'id': 'P2', 'from': ['shop']})
        site.wait_states('P2', {'shop': 'removed'})
        assert activation(site, 'P2') is None, activation(site, 'P2')
        site.do('distribute', {'id': 'P2', 'to': ['shop']})
        site.wait_states('P2', {'shop': 'installed'})
        ended(site, 'P2')
        assert read(site.path('runs')).split() == ['P2', 'P2'], read(site.path('runs'))
        site.stop()


@claim(60)
def a_program_that_is_no_absolute_path_is_refused_and_an_agent_that_says_odd_ends_is_told_so():
    with Activating() as site:
        done = subprocess.run([DESPOOLD, '--data', site.path('x'), '--on-activate', 'sh'],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and 'a program is an absolute path' in done.stderr, done
        site.start()
        site.join('shop')
        place(site)
        site.end_agent('shop')
        puppet = welcomed(site, 'shop')
        end = dict(package='P1', package_incarnation='0' * 32, epoch=1, result='ok', code=0,
                   attempt=1, at=None, text=None)
        puppet.say('agent_activated', **end)  # of another package of this name: known, not shown
        assert puppet.hear('agent_activation_known')['epoch'] == 1
        assert activation(site) is None, activation(site)
        puppet.say('agent_activated', **{**end, 'package': '../etc'})
        assert puppet.hear('agent_refused')['err'] == 'bad-request'
        puppet.close()
        site.stop()


run()
