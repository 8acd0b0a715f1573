#!/usr/bin/python3
"""Keeping it so: going back to an older version, backups of a site, and what comes of them."""
import os
import subprocess

from agent_site import Agents, big_tree
from harness import DESPOOL, DESPOOLD, claim, despool, make_tree, remove_tree, run, write


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



def backup(site, name):
    done = despool(site, 'site', 'backup', site.path(name))
    assert done.returncode == 0, done
    check = subprocess.run(['sha256sum', '-c', '--quiet', 'files'], cwd=site.path(name),
                           capture_output=True, text=True, check=False)
    assert check.returncode == 0, check
    return site.path(name)


def restore(site, name):
    """The site is killed and loses its data directory; the backup takes its place."""
    site.kill()
    os.rename(site.data, site.data + '.lost')
    done = despool(site, 'site', 'restore', site.path(name))
    assert done.returncode == 0, done


@claim(180)
def q288970_q320692_an_older_backup_under_points_that_are_ahead_converges():
    with Agents() as site:
        source = big_tree(site.path('source'), 2)
        site.start()
        names = ('shop1', 'shop2', 'shop3')
        for name in names:
            site.join(name)
        site.add_point('near')
        site.do('package.add', {'id': 'P1', 'source': source, 'version': 'one'})
        subprocess.run(['cp', '-a', source, site.path('first')], check=True)
        site.do('distribute', {'id': 'P1', 'all': True})
        both_have(site, 'one')
        backup(site, 'backup')
        # shop1 gets versions 2 to 4, shop2 and near 2 and 3, shop3 2
        for number, away in (('2', None), ('3', 'shop3'), ('4', 'shop2')):
            if away:
                site.do('dp.pause', {'name': away})
            if number == '4':
                site.do('dp.pause', {'name': 'near'})
            write(os.path.join(source, 'of'), number.encode() * 1000)
            site.do('package.update', {'id': 'P1', 'version': number})
            site.wait_for(f'version {number}', lambda number=number: all(
                target['state'] == 'waiting' or (target['have'] or {}).get('label') == number and
                target['state'] == 'installed' for target in site.status('P1')['targets']), 30)
        last = site.history()[-1]['seq']
        restore(site, 'backup')
        site.start()
        for name in names:
            site.wait_for(name, lambda: site.figure('here') == 3, 40)
        both_have(site, 'one')
        epoch = site.status('P1')['version']['epoch']
        assert epoch > 4, f'the site went on with version {epoch}'
        for name in (*names, 'near'):
            site.holds(name, 'P1', site.path('first'))
        ahead = [event for event in site.history() if event['id'] == 2380]
        assert ahead, 'nobody was told that points were ahead'
        assert any(event['id'] == 1105 for event in site.history())
        assert min(event['seq'] for event in site.history(last)) > last, 'a number came again'
        write(os.path.join(source, 'of'), b'after')
        site.do('package.update', {'id': 'P1', 'version': 'after'})
        both_have(site, 'after')
        site.stop()


@claim(120)
def a_backup_is_whole_while_work_goes_on():
    with Agents() as site:
        site.start()
        for name in ('a', 'b'):
            site.add_point(name)
        sources = [big_tree(site.path(f'source{i}'), 6) for i in range(4)]
        site.do('package.add', {'id': 'P0', 'source': sources[0]})
        site.do('distribute', {'id': 'P0', 'all': True})
        sent = [site.send('package.add', {'id': f'P{i}', 'source': sources[i]}, key=f'k{i}')
                for i in (1, 2, 3)]
        backup(site, 'backup')
        for _ in sent:
            assert site.receive()['ok']
        assert despool(site, 'site', 'backup', site.path('backup')).returncode == 1
        error = site.refused('site.backup', {'dir': site.path('backup')}, 'not-empty')
        assert 'empty' in error['hint'], error
        site.refused('site.backup', {'dir': site.path('not', 'there')}, 'no-path')
        site.refused('site.backup', {'dir': os.path.join(site.data, 'in')}, 'overlap')
        restore(site, 'backup')
        site.start()
        assert site.do('store.check')['ok'], 'the restored store misses something'
        site.wait_for('P0', lambda: all(target['state'] == 'installed'
                                        for target in site.status('P0')['targets']), 30)
        site.holds('a', 'P0', sources[0])
        site.stop()


@claim(60)
def what_is_no_whole_backup_is_not_restored():
    with Agents() as site:
        site.start()
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        backup(site, 'backup')
        site.kill()
        os.rename(site.data, site.data + '.lost')
        pack = next(name for name in os.listdir(site.path('backup', 'store', 'packs')))
        with open(site.path('backup', 'store', 'packs', pack), 'r+b') as file:
            file.seek(100)
            byte = file.read(1)
            file.seek(100)
            file.write(bytes([byte[0] ^ 1]))
        done = despool(site, 'site', 'restore', site.path('backup'))
        assert done.returncode == 1 and 'was changed' in done.stderr and pack in done.stderr, done
        assert 'restore another backup' in done.stderr, done
        started = subprocess.run([DESPOOLD, '--data', site.data], capture_output=True, text=True,
                                 timeout=30, check=False)
        assert started.returncode == 1 and 'not finished' in started.stderr, started
        done = despool(site, 'site', 'restore', site.path('backup'))
        assert done.returncode == 1 and 'not empty' in done.stderr, done
        remove_tree(site.data)
        os.unlink(site.path('backup', 'backup'))
        done = despool(site, 'site', 'restore', site.path('backup'))
        assert done.returncode == 1 and 'no backup' in done.stderr, done
        assert not os.path.exists(site.data), 'what is no backup leaves a directory'
        os.mkdir(site.data, 0o700)  # and one that was there stays
        assert despool(site, 'site', 'restore', site.path('backup')).returncode == 1
        assert os.listdir(site.data) == [], os.listdir(site.data)


@claim(60)
def a_backup_that_lacks_a_file_names_it_and_a_directory_that_cannot_be_made_is_told_as_that():
    with Agents() as site:
        site.start()
        backup(site, 'backup')
        site.stop()
        os.rename(site.data, site.data + '.lost')
        os.unlink(site.path('backup', 'site.db'))
        done = despool(site, 'site', 'restore', site.path('backup'))
        assert "cannot restore 'site.db': " in done.stderr and 'missing' in done.stderr, done
        nowhere = site.path('no', 'such', 'place')
        done = subprocess.run([DESPOOL, '--data', nowhere, 'site', 'restore', site.path('backup')],
                              capture_output=True, text=True, timeout=30, check=False)
        assert f"cannot make '{nowhere}': there is no such file or directory" in done.stderr, done
        assert done.returncode == 1 and 'distribution point' not in done.stderr, done


@claim(60)
def a_full_disk_leaves_no_backup():
    with Agents() as site:
        site.tmpfs('small', size='2m')
        site.start()
        site.do('package.add', {'id': 'P1', 'source': big_tree(site.path('source'), 8)})
        os.mkdir(site.path('small', 'backup'))
        error = site.refused('site.backup', {'dir': site.path('small', 'backup')}, 'space')
        assert 'free space' in error['hint'], error
        assert os.listdir(site.path('small', 'backup')) == [], 'half a backup stays'
        assert site.do('store.check')['ok']
        backup(site, 'other')
        site.stop()


run()
