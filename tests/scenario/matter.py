#!/usr/bin/python3
"""Trees as they are in the world: odd names, modes, links, umask; with and without privileges."""
import os
import socket

from harness import (ROOT, Site, Skip, claim, despool, make_tree, needs_mount_list, needs_root,
                     odd_tree, own_tree, run, write)

NAMES_CLASH = 2426


def distribute_odd_tree(env=None):
    with Site(env=env) as site:
        source = odd_tree(site.path('source'))
        mode = 0o000 if site.user is None and ROOT else 0o400
        write(os.path.join(source, 'mode-0'), b'closed', mode)
        own_tree(source)
        old = os.umask(0o077)
        try:
            site.start()
        finally:
            os.umask(old)
        site.add_point('a')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'installed'})
        site.holds('a', 'P1', source)
        verified = site.do('verify', {'id': 'P1'})
        assert verified['ok'] is True, verified
        os.unlink(os.path.join(source, 'mode-444'))
        site.do('package.update', {'id': 'P1'})
        site.wait_package('P1', 'complete')
        site.holds('a', 'P1', source)
        site.do('withdraw', {'id': 'P1', 'from': ['a']})
        site.wait_states('P1', {'a': 'removed'})
        assert not os.path.lexists(site.path('points', 'a', 'P1')), 'content is left'
        site.stop()


@claim(90, both=True)
def odd_names_modes_and_links_arrive_exactly():
    distribute_odd_tree()


@claim(90, both=True)
def q319427_times_arrive_exactly_where_the_site_has_a_zone_of_its_own():
    distribute_odd_tree({'TZ': 'Australia/Lord_Howe'})


def refused_source(make, *words):
    """A source with something that is not carried is refused by name."""
    with Site() as site:
        source = make_tree(site.path('source'))
        make(os.path.join(source, 'culprit'))
        site.start()
        error = site.refused('package.add', {'id': 'P1', 'source': source})
        for word in ('culprit',) + words:
            assert word in error['message'], f'{error} does not name {word}'
        assert site.ask('package.list')['packages'] == []
        site.stop()


@claim(30, both=True)
def a_setuid_file_is_refused_by_name():
    refused_source(lambda path: (write(path, b'x'), os.chmod(path, 0o4755)), 'the setuid file')


@claim(30, both=True)
def a_fifo_is_refused_by_name():
    refused_source(os.mkfifo, 'the fifo')


@claim(30, both=True)
def a_socket_is_refused_by_name():
    def make(path):
        here = os.getcwd()
        os.chdir(os.path.dirname(path))
        try:
            with socket.socket(socket.AF_UNIX) as end:
                end.bind('culprit')
        finally:
            os.chdir(here)
    refused_source(make, 'the socket')


@claim(30)
def a_device_is_refused_by_name():
    needs_root()

    def make(path):
        try:
            os.mknod(path, 0o20644, os.makedev(1, 3))
        except PermissionError as error:
            raise Skip('mknod is not allowed here') from error
    refused_source(make)


@claim(60, both=True)
def links_that_lead_out_of_a_package_are_refused_where_it_says_so():
    with Site() as site:
        source = make_tree(site.path('source'))
        os.symlink('d0/nothing', os.path.join(source, 'within'))
        site.start()
        site.do('package.add', {'id': 'P1', 'source': source, 'links': 'inside'})
        assert site.ask('package.show', {'id': 'P1'})['package']['links'] == 'inside'
        os.symlink('../elsewhere', os.path.join(source, 'culprit'))
        for command, args in (('package.update', {'id': 'P1'}),
                              ('package.add', {'id': 'P2', 'source': source, 'links': 'inside'})):
            error = site.refused(command, args, 'link-outside')
            assert 'culprit' in error['message'], error
        assert [p['id'] for p in site.ask('package.list')['packages']] == ['P1']
        site.do('package.set', {'id': 'P1', 'links': 'any'})
        site.do('package.update', {'id': 'P1'})
        site.add_point('a')
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_states('P1', {'a': 'installed'})
        site.holds('a', 'P1', source)
        site.stop()


@claim(60, both=True)
def excluded_names_stay_behind():
    with Site() as site:
        source = make_tree(site.path('source'))
        write(os.path.join(source, 'd0', 'object.o'), b'x')
        site.start()
        site.add_point('a')
        site.do('package.add', {'id': 'P1', 'source': source, 'exclude': ['*.o']})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_package('P1', 'complete')
        os.unlink(os.path.join(source, 'd0', 'object.o'))
        found = os.path.lexists(os.path.join(site.content('a', 'P1'), 'd0', 'object.o'))
        assert not found, 'an excluded file was carried'
        site.stop()


@claim(60, both=True)
def files_with_extended_attributes_are_counted_and_carried_without():
    with Site() as site:
        source = make_tree(site.path('source'))
        try:
            os.setxattr(os.path.join(source, 'd0', 'e0', 'file-0'), 'user.colour', b'green')
        except OSError as error:
            raise Skip('no extended attributes here') from error
        site.start()
        added = site.do('package.add', {'id': 'P1', 'source': source})
        assert added['not_carried'] == 1, added
        site.stop()


def clashing_tree(site):
    """Twice two files of one directory that differ in case alone."""
    source = make_tree(site.path('source'))
    for name in ('README', 'Readme', '\u00c4', '\u00e4'):
        write(os.path.join(source, 'd1', name), name.encode())
    return source


def warned_of(site):
    return [e for e in site.history() if e['id'] == NAMES_CLASH]


@claim(60, both=True)
def names_that_differ_only_in_case_are_warned_of_at_add_and_update_and_refused_nowhere():
    with Site() as site:
        source = clashing_tree(site)
        site.start()
        site.add_point('a')
        added = site.do('package.add', {'id': 'P1', 'source': source})
        assert (added['clashes'], added['clash']) == (2, 'd1/Readme'), added
        told = warned_of(site)
        assert len(told) == 1 and told[0]['severity'] == 'warning', told
        assert told[0]['attrs']['clashes'] == '2' and 'd1/Readme' in told[0]['text'], told
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_package('P1', 'complete')
        site.holds('a', 'P1', source)
        shown = despool(site, 'package', 'update', 'P1')
        assert shown.returncode == 0 and "the first is 'd1/Readme'" in shown.stdout, shown
        assert len(warned_of(site)) == 1, 'a version that is not stored again is told again'
        os.unlink(os.path.join(source, 'd1', 'Readme'))
        os.unlink(os.path.join(source, 'd1', '\u00e4'))
        updated = site.do('package.update', {'id': 'P1'})
        assert updated['clashes'] == 0 and updated.get('clash') in (None, ''), updated
        assert len(warned_of(site)) == 1, warned_of(site)
        site.stop()


@claim(120)
def names_that_clash_are_refused_at_a_root_that_folds_case_and_the_version_before_stays():
    with Site() as site:
        source = make_tree(site.path('source'))
        root = site.folding('folds')
        site.start()
        site.do('dp.add', {'name': 'folds', 'root': root})
        site.add_point('a')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a', 'folds']})
        site.wait_package('P1', 'complete')
        clashing_tree(site)
        site.do('package.update', {'id': 'P1'})
        site.wait_states('P1', {'a': 'installed', 'folds': 'failed'})
        assert site.target('P1', 'folds')['cause']['code'] == 'names-clash', site.status('P1')
        assert os.readlink(os.path.join(root, 'P1', 'current')) == 'v1', 'readers were switched'
        assert not os.listdir(os.path.join(root, '.despool', 'staging')), 'something was written'
        for name in ('Readme', '\u00e4'):
            os.unlink(os.path.join(source, 'd1', name))
        site.do('package.update', {'id': 'P1'})
        site.wait_package('P1', 'complete')
        site.stop()


@claim(60, both=True)
def q263376_a_source_inside_a_point_or_a_point_inside_a_source_is_refused():
    with Site() as site:
        site.start()
        root = site.add_point('a')
        inner = make_tree(os.path.join(root, 'inner'))
        for source in (root, inner, site.path('points'), site.data):
            site.refused('package.add', {'id': 'P1', 'source': source}, 'overlap')
        # Other names of the same places (Q263376).
        os.symlink(root, site.path('other-name'))
        os.symlink(site.dir, site.path('points', 'the-lot'))
        make_tree(site.path('upper', 'source'))
        os.rename(root, site.path('upper', 'a'))
        os.symlink(site.path('upper', 'a'), root)
        for source in (site.path('other-name'), site.path('other-name', 'inner'),
                       os.path.join(site.path('points', 'the-lot'), 'upper')):
            site.refused('package.add', {'id': 'P1', 'source': source}, 'overlap')
        source = make_tree(site.path('source'))
        site.do('package.add', {'id': 'P1', 'source': source})
        os.mkdir(os.path.join(source, 'point'))
        site.refused('dp.add', {'name': 'b', 'root': os.path.join(source, 'point')}, 'overlap')
        site.stop()


@claim(60)
def a_part_of_a_point_or_source_is_known_wherever_it_is_mounted():
    """A mount of ROOT/ID alone has nothing of the point above it."""
    needs_root()
    needs_mount_list()
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        root = site.add_point('a')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_package('P1', 'complete')
        version = os.path.realpath(site.content('a', 'P1'))
        for number, part in enumerate((root, os.path.join(root, 'P1'), version,
                                       os.path.dirname(root), site.data,
                                       os.path.join(site.data, 'store'))):
            shown = site.bind(part, f'shown-{number}')
            site.refused('package.add', {'id': 'P2', 'source': shown}, 'overlap')
            site.bind(part, f'around-{number}', 'inner')
            site.refused('package.add', {'id': 'P2', 'source': site.path(f'around-{number}')},
                         'overlap')
            site.refused('package.set', {'id': 'P1', 'source': shown}, 'overlap')
        for number, part in enumerate((source, os.path.join(source, 'd1'))):
            shown = site.bind(part, f'part-{number}')
            site.refused('dp.add', {'name': 'b', 'root': shown}, 'overlap')
        other = make_tree(site.path('other'), seed=3)
        shown = site.bind(other, 'shown other')
        site.do('package.add', {'id': 'P2', 'source': shown})
        site.stop()


run()
