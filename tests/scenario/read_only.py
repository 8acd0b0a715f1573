#!/usr/bin/python3
"""Points at which nobody may write to what was placed: a directory of the site's machine, and an
agent's. Modes are looked at from outside."""
import json
import os
import stat

from agent_site import Agents
from harness import claim, despool, make_tree, run, write

WRITE = 0o222


def modes(tree):
    """{path from the top: mode} of all that is no link."""
    found = {'': stat.S_IMODE(os.lstat(tree).st_mode)}
    for path, names, files in os.walk(tree):
        for name in names + files:
            at = os.path.join(path, name)
            if not os.path.islink(at):
                found[os.path.relpath(at, tree)] = stat.S_IMODE(os.lstat(at).st_mode)
    return found


def less_write(source):
    return {path: mode & ~WRITE for path, mode in modes(source).items()}


def stands(site, name):
    """The modes of what readers of P1 are led to at this point."""
    return modes(os.path.realpath(os.path.join(site.path('points', name), 'P1', 'current')))


def labelled(site, label):
    for name in ('here', 'shop'):
        site.wait_for(f'{label} at {name}', lambda: label == (
            site.target('P1', name)['have'] or {'label': None})['label'])


def set_read_only(site, word):
    return [site.do('dp.set', {'name': name, 'read_only': word})['changed']
            for name in ('here', 'shop')]


def begin(site):
    source = make_tree(site.path('source'))
    site.start()
    site.add_point('here')
    site.join('shop')
    site.do('package.add', {'id': 'P1', 'source': source, 'version': 'one'})
    return source


@claim(120)
def at_a_read_only_point_modes_are_those_of_the_source_less_the_right_to_write():
    with Agents() as site:
        source = begin(site)
        assert set_read_only(site, 'yes') == [True, True]
        assert set_read_only(site, 'yes') == [False, False]
        told = [event for event in site.history() if event['id'] == 2432]
        assert [event['dp'] for event in told] == ['here', 'shop'], told
        site.do('distribute', {'id': 'P1', 'to': ['here', 'shop']})
        labelled(site, 'one')
        for name in ('here', 'shop'):
            assert stands(site, name) == less_write(source), name
        assert site.do('verify', {'id': 'P1'})['ok']
        write(os.path.join(source, 'd0', 'new'), b'new', 0o666)
        site.do('package.update', {'id': 'P1', 'version': 'two'})
        labelled(site, 'two')
        for name in ('here', 'shop'):
            assert stands(site, name) == less_write(source), name
        os.unlink(os.path.join(source, 'd0', 'new'))
        site.do('rollback', {'id': 'P1', 'version': 'one'})
        labelled(site, 'one')
        for name in ('here', 'shop'):
            assert stands(site, name) == less_write(source), name
        assert site.do('verify', {'id': 'P1'})['ok']
        path = os.path.join(site.path('points', 'shop'), 'P1', 'current', 'd0')
        os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | 0o200)
        assert not site.do('verify', {'id': 'P1', 'dry_run': True})['ok']
        site.do('withdraw', {'id': 'P1', 'all': True})
        site.wait_states('P1', {'here': 'removed', 'shop': 'removed'})
        for name in ('here', 'shop'):
            assert not os.path.lexists(os.path.join(site.path('points', name), 'P1'))
        site.stop()


@claim(120)
def what_stands_keeps_its_modes_until_the_next_version():
    with Agents() as site:
        source = begin(site)
        site.do('distribute', {'id': 'P1', 'to': ['here', 'shop']})
        labelled(site, 'one')
        for name in ('here', 'shop'):
            done = despool(site, 'dp', 'set', name, '--read-only', 'yes')
            assert done.returncode == 0, done
            shown = json.loads(despool(site, 'dp', 'show', name, '--json').stdout)
            assert shown['dp']['read_only'] is True, shown
            assert stands(site, name) == modes(source), name
        assert site.do('verify', {'id': 'P1'})['ok']
        write(os.path.join(source, 'new'), b'new', 0o644)
        site.do('package.update', {'id': 'P1', 'version': 'two'})
        labelled(site, 'two')
        for name in ('here', 'shop'):
            assert stands(site, name) == less_write(source), name
        assert set_read_only(site, 'no') == [True, True]
        assert site.do('dp.show', {'name': 'here'})['dp']['read_only'] is False
        assert site.do('verify', {'id': 'P1'})['ok']
        site.refused('dp.set', {'name': 'here', 'read_only': 'perhaps'}, 'bad-value')
        site.refused('dp.set', {'name': 'here', 'read_only': 'yes', 'root': site.path('x')},
                     'bad-value')
        site.stop()


run()
