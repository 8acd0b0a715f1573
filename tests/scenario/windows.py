#!/usr/bin/python3
"""Windows: in which hours content goes to a point. The hosts are real, their wall clock is one that
a claim moves (moved_clock.c); no claim is one on speed."""
import datetime
import os
import time

from agent_site import Agents
from harness import MOVED_CLOCK, claim, despool, run, write

SIZE = 12000000
UTC = datetime.timezone.utc
NIGHTS = 'mon-fri 22:00-06:00'
MORE = 400000  # bytes beside the content: lists, and how they are told apart from it


def wall(day, hour, minute=0, second=0):
    """In September 2026, of which the 21st is a Monday, by the clock of Berlin."""
    return datetime.datetime(2026, 9, day, hour, minute, second, tzinfo=UTC) - \
        datetime.timedelta(hours=2)


def written(moment):
    return moment.strftime('%Y-%m-%dT%H:%M:%S.000Z')


class Moved(Agents):
    """A site and agents whose wall clock shows what a claim wants."""

    def __init__(self, moment):
        super().__init__()
        self.env.update(LD_PRELOAD=MOVED_CLOCK, MOVED_CLOCK=self.path('clock'))
        self.show(moment)

    def show(self, moment):
        with open(self.path('clock.new'), 'w') as file:
            file.write(str(int(moment.timestamp() - time.time())))
        os.rename(self.path('clock.new'), self.path('clock'))

    def package(self, size=SIZE):
        source = self.path('P1')
        write(os.path.join(source, 'big'), os.urandom(size))
        self.do('package.add', {'id': 'P1', 'source': source})
        return source

    def waits(self, point, opens):
        """That it does, and says so."""
        self.wait_for('it to wait', lambda: self.states('P1')[point] == 'waiting', 60)
        target = self.target('P1', point)
        assert target['cause']['code'] == 'window', target
        assert target['due'] == written(opens), (target['due'], written(opens))
        local = (opens + datetime.timedelta(hours=2)).strftime('%Y-%m-%d %H:%M')
        assert target['cause']['text'] == f'opens at {local} Europe/Berlin', target['cause']
        assert target['attempts'] == 0, target

    def told(self, number):
        return [event for event in self.history() if event['id'] == number]


@claim(240)
def what_an_agent_is_sent_ends_with_its_window_and_goes_on_where_it_was():
    with Moved(wall(21, 23)) as site:
        site.start()
        site.join('shop')
        source = site.package()
        site.do('dp.set', {'name': 'shop', 'rate': 500000, 'windows': [NIGHTS],
                           'zone': 'Europe/Berlin'})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_for('a third of it', lambda: site.figure('sent') > SIZE // 3, 60)
        site.show(wall(22, 6))
        site.waits('shop', wall(22, 22))
        before = site.figure('sent')
        assert before < SIZE, 'it was through before its window closed'
        assert site.figure('under way') == 0, 'something is under way that is not durable'
        plan = site.do('plan', {'id': 'P1', 'to': ['shop']})['points'][0]
        assert plan['cause'] is None and plan['opens'] == written(wall(22, 22)), plan
        assert plan['closes'] == written(wall(23, 6)) and not plan['late'], plan
        assert plan['bytes'] <= SIZE - before + MORE, (plan['bytes'], before)
        site.show(wall(22, 21, 59))
        site.do('retry', {'id': 'P1'})
        site.waits('shop', wall(22, 22))
        assert site.figure('sent') <= before + MORE, 'it is sent outside of its window'
        site.kill()
        site.start()
        site.wait_here('shop')
        site.waits('shop', wall(22, 22))
        site.show(wall(22, 22))
        site.wait_states('P1', {'shop': 'installed'}, 90)
        site.holds('shop', 'P1', source)
        again = site.figure('sent')
        print(f'# {before} bytes were sent in the first window, {again} in the second, of {SIZE}')
        assert before + again <= SIZE + MORE, f'{before + again} bytes were sent of {SIZE}'
        target = site.target('P1', 'shop')
        assert target['attempts'] == 1, target
        assert len(site.told(2413)) == 1, site.told(2413)
        assert not site.told(2328), 'a window that closes was told as a failure'
        site.stop()


@claim(120)
def a_clock_that_is_set_back_or_forward_closes_and_opens_a_window():
    with Moved(wall(21, 21)) as site:
        site.start()
        site.add_point('near')
        site.join('shop')
        source = site.package(100000)
        for name in 'near', 'shop':
            site.do('dp.set', {'name': name, 'windows': [NIGHTS], 'zone': 'Europe/Berlin'})
        site.do('distribute', {'id': 'P1', 'all': True})
        site.waits('near', wall(21, 22))
        site.waits('shop', wall(21, 22))
        site.show(wall(18, 23))  # on Friday
        site.wait_states('P1', {'near': 'installed', 'shop': 'installed'}, 60)
        site.show(wall(26, 12))  # on Saturday
        write(os.path.join(source, 'big'), os.urandom(100000))
        site.do('package.update', {'id': 'P1'})
        site.waits('near', wall(28, 22))
        site.waits('shop', wall(28, 22))
        site.show(wall(30, 2))
        site.wait_states('P1', {'near': 'installed', 'shop': 'installed'}, 60)
        site.holds('shop', 'P1', source)
        site.holds('near', 'P1', source)
        site.stop()


@claim(180)
def a_transfer_that_will_not_be_done_in_its_window_is_told_once_and_with_when_it_will():
    with Moved(wall(22, 5, 58)) as site:
        site.start()
        site.join('shop')
        site.package()
        site.do('dp.set', {'name': 'shop', 'rate': 40000, 'windows': [NIGHTS],
                           'zone': 'Europe/Berlin'})
        plan = site.do('plan', {'id': 'P1', 'to': ['shop']})['points'][0]
        assert plan['late'] and plan['closes'] == written(wall(22, 6)), plan
        assert written(wall(22, 22)) < plan['ends'] < written(wall(22, 22, 6)), plan  # 300 s in all
        shown = despool(site, 'plan', 'P1', '--to', 'shop').stdout
        assert 'too late' in shown, shown
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_for('a warning', lambda: site.told(2414), 60)
        event = site.told(2414)[0]
        assert event['severity'] == 'warning' and event['dp'] == 'shop', event
        assert 'closes at 2026-09-22 06:00 Europe/Berlin' in event['text'], event
        target = site.target('P1', 'shop')
        assert target['state'] == 'installing' and target['late'], target
        assert target['closes'] == written(wall(22, 6)), target
        assert target['ends'] > written(wall(22, 22)), target
        sent = site.figure('sent')
        site.wait_for('more of it', lambda: site.figure('sent') > sent + 400000, 60)
        assert len(site.told(2414)) == 1, site.told(2414)
        site.do('dp.set', {'name': 'shop', 'rate': 0, 'windows': ['none']})
        site.wait_states('P1', {'shop': 'installed'}, 60)
        site.stop()


@claim(60)
def windows_are_said_as_people_write_them_and_shown_and_nothing_else_is_taken():
    with Moved(wall(21, 21)) as site:
        site.start()
        site.add_point('near')
        site.package(1000)

        def says(*words):
            return despool(site, 'dp', 'set', 'near', *words)
        done = says('--window', 'Mon..Fri 22:00-6:00', '--window', 'sat,sun 00:00-24:00',
                    '--zone', 'Europe/Berlin')
        assert done.returncode == 0 and done.stdout == 'changed\n', done
        assert says('--window', NIGHTS, '--window=Saturday,sunday 0:00-24:00'
                    ).stdout == 'nothing to change\n'
        shown = site.do('dp.show', {'name': 'near'})['dp']
        assert shown['windows'] == [NIGHTS, 'sat,sun 00:00-24:00'], shown
        assert shown['zone'] == 'Europe/Berlin', shown
        assert shown['opens'] == written(wall(21, 22)), shown
        assert shown['closes'] == written(wall(22, 6)), shown
        assert NIGHTS in despool(site, 'dp', 'list').stdout
        site.do('distribute', {'id': 'P1', 'to': ['near']})
        site.waits('near', wall(21, 22))
        status = despool(site, 'status', 'P1').stdout
        assert 'window: opens at 2026-09-21 22:00 Europe/Berlin' in status, status
        for words, why in (
                (('--window', '22-6'), "'22-6' is no window"),
                (('--window', 'mon-fri 22:00-22:00'), 'is no window'),
                (('--window', NIGHTS, '--zone', 'Europe/Nowhere'), 'no zone of this name'),
                (('--window', NIGHTS, '--zone', '../../../etc/passwd'), 'no zone of this name'),
                (('--window', 'none', '--zone', 'UTC'), 'both no windows and a zone')):
            done = says(*words)
            assert done.returncode == 1 and why in done.stderr, done
        site.refused('dp.set', {'name': 'near', 'windows': [NIGHTS], 'root': '/tmp'}, 'bad-value')
        site.refused('dp.set', {'name': 'near', 'windows': [NIGHTS] * 17}, 'too-large')
        dry = says('--window', 'none', '--dry-run')
        assert dry.returncode == 0, dry
        site.waits('near', wall(21, 22))
        assert says('--window', 'none').stdout == 'changed\n'
        site.wait_states('P1', {'near': 'installed'})
        assert site.do('dp.show', {'name': 'near'})['dp']['windows'] == []
        site.stop()


run()
