#!/usr/bin/python3
"""Q304381 on the real host: 200 starts and stops, with work to do, without a hang."""
import os
import time

from harness import Site, claim, make_tree, run

CYCLES = int(os.environ.get('DESPOOL_CYCLES', '200'))
HANG_SECONDS = 30  # a start or stop takes well below one, beside other tests a few


@claim(280)
def q304381_two_hundred_starts_and_stops_under_load_never_hang():
    with Site() as site:
        source = make_tree(site.path('source'), files=40)
        site.start()
        for point in ('a', 'b', 'c'):
            site.add_point(point)
        site.unplug('c')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.stop()
        longest_start = longest_stop = 0
        for number in range(CYCLES):
            started = time.monotonic()
            site.start(seconds=HANG_SECONDS)
            longest_start = max(longest_start, time.monotonic() - started)
            # Work is under way when the stop comes, of another kind each time.
            verb = ('distribute', 'withdraw', 'verify')[number % 3]
            arguments = {'distribute': {'id': 'P1', 'to': ['a', 'b', 'c']},
                         'withdraw': {'id': 'P1', 'from': ['a', 'b', 'c']},
                         'verify': {'id': 'P1'}}[verb]
            site.send(verb, arguments)
            stopping = time.monotonic()
            site.stop(HANG_SECONDS)
            longest_stop = max(longest_stop, time.monotonic() - stopping)
        print(f'# {CYCLES} cycles: longest start {longest_start * 1000:.0f} ms,'
              f' longest stop {longest_stop * 1000:.0f} ms')
        site.plug('c')
        site.start()
        site.do('distribute', {'id': 'P1', 'to': ['a', 'b', 'c']})
        site.wait_package('P1', 'complete', 60)
        for point in ('a', 'b', 'c'):
            site.holds(point, 'P1', source)
        site.stop()


@claim(200)
def q260366_what_is_in_hand_at_each_stop_is_done_after_the_next_start_without_a_word():
    with Site() as site:
        source = make_tree(site.path('source'), files=200, size=100000)
        site.start()
        points = ('a', 'b', 'c')
        for point in points:
            site.add_point(point)
        for number in range(10):
            package = f'P{number}'
            site.do('package.add', {'id': package, 'source': source})
            site.do('distribute', {'id': package, 'to': list(points)})
            site.wait_for('work in hand', lambda package=package: 'installing' in
                          site.states(package).values(), 20)
            site.stop()
            site.start()
            site.wait_package(package, 'complete', 60)
            for point in points:
                site.holds(point, package, source)
        site.stop()


run()
