#!/usr/bin/python3
"""A full site disk refuses new commands, goes on answering, and recovers by itself."""
import contextlib
import os

from harness import Refused, Site, claim, despool, make_tree, needs_root, run


def fill(path):
    with open(path, 'wb', buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(65536))


@claim(120)
def a_full_site_disk_refuses_with_need_and_have_and_recovers_by_itself():
    needs_root()
    with Site() as site:
        site.tmpfs('site', size='80m')
        os.chmod(site.data, 0o700)
        small = make_tree(site.path('small'), files=5)
        large = make_tree(site.path('large'), files=60, size=400000)
        site.start()
        site.add_point('a')
        site.add_point('b')
        site.do('package.add', {'id': 'P1', 'source': small})
        site.unplug('b')
        site.do('distribute', {'id': 'P1', 'to': ['a', 'b']})
        site.wait_states('P1', {'a': 'installed', 'b': 'retrying'})
        ballast = os.path.join(site.data, 'ballast')
        fill(ballast)
        error = site.refused('package.add', {'id': 'P2', 'source': large}, ('site-full', 'space'))
        assert error['code'] == 'site-full', error
        for words, said in ((('package', 'add', 'P2', large), error), (('dp', 'pause', 'a'), None)):
            said = said or site.refused('dp.pause', {'name': 'a'}, 'site-full')
            figures = f", need {said['need']} bytes, have "
            assert figures in said['message'] and said['message'].count('need ') == 1, said
            shown = despool(site, *words).stderr
            assert shown.count('need ') == 1 and shown.count('have ') == 1, shown
        # The site goes on answering what it must.
        assert site.ask('ping')['ready'] is True
        assert site.states('P1')['a'] == 'installed'
        site.do('cancel', {'id': 'P1', 'dp': 'b'})
        site.wait_states('P1', {'b': 'cancelled'})
        os.unlink(ballast)

        def again():
            try:
                return site.do('package.add', {'id': 'P2', 'source': large})
            except Refused as refusal:
                assert refusal.code in ('site-full', 'space'), refusal
                return False
        site.wait_for('the site to take commands again', again, 40)
        site.do('distribute', {'id': 'P2', 'to': ['a']})
        site.wait_package('P2', 'complete', 60)
        site.holds('a', 'P2', large)
        site.stop()


@claim(120)
def a_full_site_can_be_stopped_and_started():
    needs_root()
    with Site() as site:
        site.tmpfs('site', size='60m')
        os.chmod(site.data, 0o700)
        site.start()
        site.add_point('a')
        fill(os.path.join(site.data, 'ballast'))
        site.stop()
        site.start()
        site.ask('status')
        site.stop()


run()
