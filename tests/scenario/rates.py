#!/usr/bin/python3
"""How fast agents are sent content. No claim is one on speed: what a rate lets through is held
against the time that has passed, and a machine that is slow only lets more of it pass."""
import hashlib
import os
import time

from agent_site import WINDOW, Agents, welcomed
from harness import claim, despool, run, write

BURST = 200000  # bytes: the burst of a rate, the manifest, and what is under way when one is set


class Watched:
    """What the site has sent since this was made, held against a rate."""

    def __init__(self, site, rate, figure='slowest'):
        self.site, self.rate = site, rate
        site.wait_for('the gateway to know the rate', lambda: site.figure(figure) == rate, 10)
        self.since = time.monotonic()  # before it is asked: what goes meanwhile has its time
        self.sent = site.figure('sent')

    def holds(self):
        sent = self.site.figure('sent') - self.sent
        most = self.rate * (time.monotonic() - self.since) + BURST
        assert sent <= most, f'{sent} bytes were sent, and at most {most:.0f} may be'
        return sent

    def until(self, bytes_sent):
        self.site.wait_for(f'{bytes_sent} bytes', lambda: self.holds() >= bytes_sent, 90)


def package(site, name, megabytes):
    source = site.path(name)
    write(os.path.join(source, 'big'), os.urandom(megabytes * 1000000))
    site.do('package.add', {'id': name, 'source': source})
    return source


@claim(120)
def a_rate_lets_no_more_through_than_it_says_and_changes_while_it_is_sent():
    with Agents() as site:
        site.start()
        site.join('shop')
        source = package(site, 'P1', 24)
        assert site.do('dp.set', {'name': 'shop', 'rate': 1000000})['changed'] is True
        assert site.do('dp.set', {'name': 'shop', 'rate': 1000000})['changed'] is False
        watched = Watched(site, 1000000)
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        watched.until(2000000)
        site.do('dp.set', {'name': 'shop', 'rate': 10000})
        watched = Watched(site, 10000)
        watched.until(10000)
        assert site.states('P1') == {'shop': 'installing'}, site.states('P1')
        site.do('dp.set', {'name': 'shop', 'rate': 0})
        site.wait_states('P1', {'shop': 'installed'}, 60)  # at 10,000 a second: half an hour
        site.holds('shop', 'P1', source)
        site.stop()


@claim(120)
def the_slowest_rate_and_who_is_here_are_told_as_they_are_now():
    """They are kept as agents come and go, and not counted anew."""
    with Agents() as site:
        site.start()
        for name in ('shop', 'mall'):
            site.join(name)

        def told(figure, number):
            site.wait_for(f'{figure} to be {number}', lambda: site.figure(figure) == number, 20)

        told('here', 2)
        site.do('dp.set', {'name': 'shop', 'rate': 4000000})
        site.do('dp.set', {'name': 'mall', 'rate': 1000000})
        told('slowest', 1000000)
        site.do('dp.set', {'name': 'mall', 'rate': 8000000})
        told('slowest', 4000000)
        site.do('link.set', {'name': 'wan', 'rate': 500000})
        for name in ('shop', 'mall'):
            site.do('dp.set', {'name': name, 'link': 'wan'})
        told('slowest', 500000)
        for name in ('shop', 'mall'):
            site.do('dp.set', {'name': name, 'link': 'none'})
        told('slowest', 4000000)
        site.end_agent('shop')
        told('here', 1)
        site.do('dp.remove', {'name': 'shop', 'forget': True})
        told('slowest', 8000000)
        site.do('dp.set', {'name': 'mall', 'rate': 0})
        told('slowest', 0)
        site.stop()


@claim(120)
def a_link_and_the_site_limit_all_that_share_them():
    with Agents() as site:
        site.start()
        for name in 'one', 'two':
            site.join(name)
        package(site, 'P1', 4)
        site.do('link.set', {'name': 'wan', 'rate': 500000})
        for name in 'one', 'two':
            site.do('dp.set', {'name': name, 'link': 'WAN'})
        watched = Watched(site, 500000)
        site.do('distribute', {'id': 'P1', 'all': True})
        watched.until(1000000)
        site.do('site.set', {'rate': 100000})
        site.do('link.set', {'name': 'wan', 'rate': 0})
        watched = Watched(site, 100000, 'site rate')
        watched.until(200000)
        answer = site.do('link.list')
        assert answer['site_rate'] == 100000, answer
        assert answer['links'] == [{'name': 'wan', 'rate': None, 'points': 2}], answer
        site.kill()
        site.start()
        site.wait_for('the agents', lambda: site.figure('here') == 2, 30)
        watched = Watched(site, 100000, 'site rate')
        watched.until(200000)
        site.do('site.set', {'rate': 0})
        site.wait_states('P1', {'one': 'installed', 'two': 'installed'}, 60)
        site.stop()


def takes_and_answers_nothing(site, name, digest, beat):
    """An agent that wants a window of content, and says of none of it that it is durable."""
    puppet = welcomed(site, name)
    site.do('distribute', {'id': 'P1', 'to': [name]})
    order = puppet.order('measure', meanwhile=beat)
    puppet.say('agent_need', order=order['order'],
               ranges=[{'object': digest, 'from': 0, 'size': 2 * WINDOW}])
    return puppet


@claim(240)
def agents_that_take_all_and_answer_nothing_leave_something_to_the_others():
    with Agents() as site:
        site.start()
        site.do('component.set', {'name': 'despooler', 'slots': 32})
        names = [f'dead-{number}' for number in range(9)]
        for name in names:
            site.join(name)
            site.end_agent(name)
            site.wait_for('it to be gone', lambda: site.figure('here') == 0, 20)
        site.join('shop')
        content = os.urandom(2 * WINDOW)
        write(os.path.join(site.path('P1'), 'big'), content)
        site.do('package.add', {'id': 'P1', 'source': site.path('P1')})
        source = package(site, 'P2', 3)
        puppets = []

        def beat():
            for puppet in puppets:
                puppet.say('agent_beat', number=1)
            return True
        for name in names:
            beat()
            puppets.append(takes_and_answers_nothing(site, name,
                                                     hashlib.sha256(content).hexdigest(), beat))
        site.wait_for('them to have taken', lambda: beat() and
                      site.figure('under way') > 3 * WINDOW, 60)
        site.do('distribute', {'id': 'P2', 'to': ['shop']})
        site.wait_for('the live one', lambda: beat() and
                      site.states('P2') == {'shop': 'installed'}, 60)
        site.holds('shop', 'P2', source)
        assert site.target('P2', 'shop')['attempts'] == 1, site.target('P2', 'shop')
        assert site.figure('here') == 10, 'some of them were not there any more'
        for puppet in puppets:
            puppet.close()
        site.stop()


@claim(60)
def a_rate_is_asked_for_as_people_write_it_and_nothing_else_is_taken():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.add_point('near')
        for words in (('dp', 'set', 'shop', '--rate', '40M'),
                      ('link', 'set', 'wan', '--rate', '2Mi'),
                      ('dp', 'set', 'shop', '--link', 'wan'), ('site', 'set', '--rate=3G')):
            done = despool(site, *words)
            assert done.returncode == 0 and done.stdout == 'changed\n', done
        shown = site.do('dp.show', {'name': 'shop'})['dp']
        assert shown['rate'] == 40000000 and shown['link'] == 'wan', shown
        links = site.do('link.list')
        assert links['links'][0]['rate'] == 2 << 20 and links['site_rate'] == 3 * 10**9, links
        assert despool(site, 'dp', 'set', 'shop', '--rate', '40X').returncode == 2
        site.refused('dp.set', {'name': 'shop', 'rate': 10**10 + 1}, 'bad-value')
        site.refused('dp.set', {'name': 'shop', 'rate': 1, 'root': '/tmp'}, 'bad-value')
        site.refused('dp.set', {'name': 'near', 'rate': 1}, 'bad-value')
        site.refused('dp.set', {'name': 'shop', 'link': 'lan'}, 'not-found')
        site.refused('link.set', {'name': 'none'}, 'bad-name')
        site.refused('link.remove', {'name': 'wan'}, 'in-use')
        site.refused('site.set', {}, 'missing-argument')
        for words in (('dp', 'set', 'shop', '--rate', 'none', '--link', 'none'),
                      ('link', 'remove', 'wan'), ('site', 'set', '--rate', '0')):
            assert despool(site, *words).stdout == 'changed\n', words
        shown = site.do('dp.show', {'name': 'shop'})['dp']
        assert shown['rate'] is None and shown['link'] is None, shown
        site.stop()


run()
