#!/usr/bin/python3
"""Keeping it so: going back to an older version, backups of a site, and what comes of them."""
import os
import subprocess

from agent_site import Agents, big_tree
from harness import claim, despool, run, write


def both_have(site, label):
    site.wait_for(f'version {label} on both', lambda: all(
        target['state'] == 'installed' and target['have']['label'] == label
        for target in site.status('P1')['targets']), 30)


@claim(120)
def a_rollback_sends_nothing_and_switches():
    with Agents() as site:
        source = big_tree(site.path('source'), 3)
        site.start()
        site.join('shop')
        site.add_point('near')
        site.do('package.add', {'id': 'P1', 'source': source, 'version': 'one'})
        subprocess.run(['cp', '-a', source, site.path('first')], check=True)
        site.do('distribute', {'id': 'P1', 'to': ['shop', 'near']})
        both_have(site, 'one')
        write(os.path.join(source, 'big'), os.urandom(3 << 20))
        site.do('package.update', {'id': 'P1', 'version': 'two'})
        both_have(site, 'two')
        sent = site.figure('sent')
        files = {name: os.stat(os.path.join(site.path('points', name), 'P1', 'v1', 'big'))
                 for name in ('shop', 'near')}
        done = despool(site, 'rollback', 'P1', '--to', 'one')
        assert done.returncode == 0 and 'P1 has version 3 (one)' in done.stdout, done
        both_have(site, 'one')
        assert site.status('P1')['version']['epoch'] == 3, site.status('P1')
        for name in ('shop', 'near'):
            site.holds(name, 'P1', site.path('first'))
            now = os.stat(os.path.join(site.content(name, 'P1'), 'big'))
            assert (now.st_ino, now.st_ctime_ns) == (files[name].st_ino, files[name].st_ctime_ns), \
                f'the file on {name} was written again'
        assert site.figure('sent') == sent, f"{site.figure('sent') - sent} bytes were sent"
        assert site.do('verify', {'id': 'P1'})['ok']
        error = site.refused('rollback', {'id': 'P1', 'version': 'nine'}, 'not-found')
        assert "2 'two'" in error['hint'], error
        site.stop()


run()
