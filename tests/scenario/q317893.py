#!/usr/bin/python3
"""Q317893: a stop waited until a 600 MB send had ended, and changes were ignored until then.

A copy to a point is held at one of its writes and let go write by write, so that it is seen how
many more it makes after somebody wanted it to end: it ends at the next, whatever is left of it.
"""
import os
import signal
import stat

from harness import bad_disk_site, claim, make_tree, run, set_rule

FILES = 100
WRITES = 30   # before the copy is held
LET_GO = 20   # writes that it may make until it must have met the end; the rest is held for ever
USUAL = 20


def held_copy(site):
    """P1 is on its way to `a`, and its copy waits in a write."""
    source = make_tree(site.path('source'), files=FILES)
    os.mkfifo(site.path('rule.fifo'))
    site.start()
    site.add_point('a')
    site.do('package.add', {'id': 'P1', 'source': source})
    set_rule(site, f"hang {WRITES} {site.path('points', 'a')}")
    site.do('distribute', {'id': 'P1', 'to': ['a']})
    site.wait_for('the copy to be held', lambda: len(staged(site)) >= WRITES, USUAL)
    return source


def staged(site):
    """The regular files below the point, but for its own notes."""
    found = []
    for where, _, names in os.walk(site.path('points', 'a')):
        for name in names:
            path = os.path.join(where, name)
            if 'file-' in name and stat.S_ISREG(os.lstat(path).st_mode):
                found.append(path)
    return found


def let_go_until(site, what, is_over):
    """Lets the held writes go, one at a time and LET_GO at most, until it is over."""
    gone = 0

    def over():
        nonlocal gone
        if is_over():
            return True
        if gone < LET_GO:
            try:
                os.close(os.open(site.path('rule.fifo'), os.O_WRONLY | os.O_NONBLOCK))
                gone += 1
            except OSError:
                pass  # no write waits just now
        return False
    site.wait_for(what, over, USUAL)
    return gone


@claim(90)
def q317893_a_stop_in_the_middle_of_a_copy_ends_it_at_the_next_write_and_keeps_what_is_there():
    with bad_disk_site() as site:
        source = held_copy(site)
        site.process.send_signal(signal.SIGTERM)

        process, site.process = site.process, None  # its end is what is waited for
        try:
            writes = let_go_until(site, 'the stop', lambda: process.poll() is not None)
        finally:
            site.process = process
        assert process.returncode == 0, f'it ended with {process.returncode}, {writes} writes later'
        whole = staged(site)
        assert WRITES / 2 < len(whole) < FILES, f'{len(whole)} files are there'
        kept = {os.lstat(path).st_ino: open(path, 'rb') for path in whole}  # no number comes again
        set_rule(site, 'ok 0 /')
        site.start()
        site.wait_package('P1', 'complete', USUAL)
        site.holds('a', 'P1', source)
        now = {os.lstat(path).st_ino for path in staged(site)}
        again = [number for number in kept if number not in now]
        for file in kept.values():
            file.close()
        assert len(again) <= 1, f'{len(again)} of {len(kept)} files were written again'
        site.stop()


def busy(site):
    shown = site.ask('component.show', {'name': 'despooler'})['component']
    return 'in hand: 0' not in (shown['describes'] or '')


@claim(90)
def q317893_a_change_of_mind_in_the_middle_of_a_copy_ends_it_at_the_next_write():
    with bad_disk_site() as site:
        source = held_copy(site)
        site.do('cancel', {'id': 'P1', 'dp': 'a'})
        assert site.states('P1') == {'a': 'cancelled'}, site.states('P1')
        let_go_until(site, 'the slot to be free', lambda: not busy(site))
        assert len(staged(site)) < FILES, 'it was copied all the same'
        set_rule(site, 'ok 0 /')
        site.do('distribute', {'id': 'P1', 'to': ['a']})
        site.wait_package('P1', 'complete', USUAL)
        site.holds('a', 'P1', source)
        site.stop()


run()
