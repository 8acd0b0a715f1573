#!/usr/bin/python3
"""Distribution points that are other machines: joined by a token, over CURVE, killed, locked out.

The agents are real despoold processes on this machine, spoken to over loopback.
"""
import contextlib
import os
import shutil
import signal

import zmq
from zmq.utils import z85
from zmq.utils.monitor import parse_monitor_message

from agent_site import (
    WINDOW, Agents, Puppet, big_tree, dealer_with, knock, restarts, secret_of, site_key, stand_in,
    welcomed)
from harness import BAD_DISK, Site, Skip, claim, despool, make_tree, run, set_rule, write


MIDDLING = 4 << 20  # bytes a second: 96 MiB take 24 s, so that they are caught in the middle


def key_of(token):
    """The site's public key in a token, by token.h."""
    packed = bytes.fromhex(token.split('.')[1])
    return packed[2 + packed[1]:][:32]


def opens_at_once(site, server, secret):
    """Who has the token that was just told is never told that it is not one."""
    dealer = dealer_with(site, server, z85.encode(secret))
    watch = dealer.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED |
                                      zmq.EVENT_HANDSHAKE_FAILED_AUTH)
    dealer.connect(site.address)
    assert watch.poll(20000), 'the door says nothing'
    event = parse_monitor_message(watch.recv_multipart())['event']
    dealer.disable_monitor()
    dealer.close(0)
    assert event == zmq.EVENT_HANDSHAKE_SUCCEEDED, 'a token that was just made is not known'


@claim(120)
def a_tree_reaches_an_agent_is_updated_verified_and_withdrawn():
    with Agents() as site:
        source = big_tree(site.path('source'), 3)
        site.start()
        site.join('shop')
        site.add_point('near')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop', 'near']})
        site.wait_states('P1', {'shop': 'installed', 'near': 'installed'})
        site.holds('shop', 'P1', source)
        sent = site.figure('sent')
        write(os.path.join(source, 'd0', 'new'), b'the second version')
        site.do('package.update', {'id': 'P1', 'version': 'two'})
        site.wait_for('the update', lambda: site.status('P1')['state'] == 'complete' and
                      site.target('P1', 'shop')['have']['label'] == 'two')
        site.holds('shop', 'P1', source)
        again = site.figure('sent') - sent
        assert again < 65536, f'{again} bytes were sent for an update of 18 bytes'
        verified = site.do('verify', {'id': 'P1'})
        assert verified['ok'] and len(verified['points']) == 2, verified
        write(os.path.join(site.content('shop', 'P1'), 'd0', 'new'), b'damage')
        assert not site.do('verify', {'id': 'P1'})['ok'], 'damage at an agent was not found'
        site.wait_states('P1', {'shop': 'installed'})
        site.holds('shop', 'P1', source)
        site.do('withdraw', {'id': 'P1', 'all': True})
        site.wait_states('P1', {'shop': 'removed', 'near': 'removed'})
        assert os.listdir(site.path('points', 'shop')) == ['.despool']
        assert site.figure('under way') == 0, 'credit was lost'
        site.wait_for('the store of the agent to be empty', lambda: site.has('shop') == 0, 20)
        site.stop()


@claim(60)
def an_agent_starts_again_by_its_data_directory_alone():
    with Agents() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.join('shop')
        assert site.end_agent('shop', signal.SIGTERM) == 0, 'an agent does not stop in order'
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('dp.add', {'name': 'nobody', 'agent': True})
        site.do('distribute', {'id': 'P1', 'to': ['shop', 'nobody']})
        site.wait_states('P1', {'shop': 'retrying', 'nobody': 'retrying'})
        for name, why in (('shop', 'its agent is not connected'),
                          ('nobody', 'no agent has joined it yet')):
            target = site.target('P1', name)
            assert target['cause']['code'] == 'absent' and target['attempts'] == 0, target
            assert target['cause']['text'] == why, f'{target}, expected {why}'
            told = [e['text'] for e in site.history() if e['id'] == 2373 and e['dp'] == name]
            assert told == [f'distribution point {name} is absent: {why}'], told
        site.spawn('shop')
        site.wait_states('P1', {'shop': 'installed', 'nobody': 'retrying'}, 20)
        site.holds('shop', 'P1', source)
        site.stop()


@claim(120)
def a_killed_agent_goes_on_where_it_was():
    with Agents() as site:
        source = big_tree(site.path('source'), 96)
        site.start()
        site.join('shop')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('dp.set', {'name': 'shop', 'rate': MIDDLING})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_for('a fifth of it', lambda: site.figure('sent') > 20 << 20, 60)
        site.end_agent('shop')
        sent, had = site.figure('sent'), site.has('shop')
        assert sent < 96 << 20, 'it was through before it was killed'
        site.do('dp.set', {'name': 'shop', 'rate': 0})
        site.spawn('shop')
        site.wait_states('P1', {'shop': 'installed'}, 90)
        site.holds('shop', 'P1', source)
        total = site.figure('sent')
        print(f'# sent {sent} before the kill, of which {had} were there; {total} in all, '
              f'{total - (96 << 20)} more than the content')
        assert total <= (96 << 20) * 1.05 + WINDOW, f'{total} bytes were sent'
        site.stop()


@claim(120)
def a_killed_site_sends_only_what_is_not_there():
    with Agents() as site:
        source = big_tree(site.path('source'), 96)
        site.start()
        site.join('shop')
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('dp.set', {'name': 'shop', 'rate': MIDDLING})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_for('a fifth of it', lambda: site.figure('sent') > 20 << 20, 60)
        site.kill()
        had = site.has('shop')
        assert 8 << 20 <= had < 96 << 20, f'it was not killed in the middle: {had} bytes are there'
        site.start()
        site.do('dp.set', {'name': 'shop', 'rate': 0})
        site.wait_states('P1', {'shop': 'installed'}, 90)
        site.holds('shop', 'P1', source)
        sent = site.figure('sent')
        print(f'# {had} bytes were there when the site was killed; it sent {sent} more')
        assert sent <= (96 << 20) * 1.05 - had + WINDOW, f'{sent} bytes were sent, {had} were there'
        site.stop()


@claim(90)
def an_agent_that_says_nothing_is_gone_and_goes_on_when_it_is_back():
    with Agents() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.join('shop')
        site.agents['shop'].send_signal(signal.SIGSTOP)
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'retrying'}, 15)
        target = site.target('P1', 'shop')
        assert target['cause']['code'] == 'absent' and target['attempts'] == 0, target
        assert site.figure('here') == 0
        site.agents['shop'].send_signal(signal.SIGCONT)
        site.wait_states('P1', {'shop': 'installed'}, 30)
        site.holds('shop', 'P1', source)
        site.stop()


@claim(240)
def a_disk_that_hangs_at_an_agent_is_told_and_goes_on_when_it_returns():
    if not os.path.exists(BAD_DISK):
        raise Skip('there is no bad_disk library')
    with Agents() as site:
        source = big_tree(site.path('source'), 8)
        library = shutil.copy(BAD_DISK, site.dir)
        site.agent_env = {'LD_PRELOAD': library, 'BAD_DISK_RULE': site.path('rule')}
        os.mkfifo(site.path('rule.fifo'))
        site.start()
        site.join('shop')
        site.do('package.add', {'id': 'P1', 'source': source})
        set_rule(site, 'hang 0 ' + site.path('shop.data', 'incoming'))
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'retrying'}, 100)  # STORE_MS is a minute
        site.wait_for('it to say why', lambda: site.target('P1', 'shop')['state'] == 'retrying' and
                      site.target('P1', 'shop')['cause']['code'] == 'hung', 60)
        set_rule(site, 'ok 0 /')
        fifo = os.open(site.path('rule.fifo'), os.O_RDWR)
        try:
            site.wait_states('P1', {'shop': 'installed'}, 60)
        finally:
            os.close(fifo)
        site.holds('shop', 'P1', source)
        site.stop()


@claim(240)
def a_placement_that_hangs_at_an_agent_is_told_and_gets_no_second_one_until_it_returns():
    if not os.path.exists(BAD_DISK):
        raise Skip('there is no bad_disk library')
    with Agents() as site:
        source = make_tree(site.path('source'))
        library = shutil.copy(BAD_DISK, site.dir)
        site.agent_env = {'LD_PRELOAD': library, 'BAD_DISK_RULE': site.path('rule')}
        os.mkfifo(site.path('rule.fifo'))
        site.start()
        site.join('shop')
        set_rule(site, 'hang 0 ' + site.path('points', 'shop', '.despool', 'staging'))
        site.do('package.add', {'id': 'P1', 'source': source})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        site.wait_states('P1', {'shop': 'installing'})
        site.wait_states('P1', {'shop': 'retrying'}, 60)  # POINT_STILL_MS is 20 s
        target = site.target('P1', 'shop')
        assert target['cause']['code'] == 'hung' and target['attempts'] == 0, target
        threads = len(os.listdir(f'/proc/{site.agents["shop"].pid}/task'))
        for _ in range(3):  # each is answered while the first one hangs
            due = site.target('P1', 'shop')['due']
            site.do('retry', {'id': 'P1'})
            site.wait_for('it to be refused again', lambda old=due: (
                site.target('P1', 'shop')['due'] or '') > old)
            assert site.target('P1', 'shop')['cause']['code'] == 'hung', site.target('P1', 'shop')
        assert len(os.listdir(f'/proc/{site.agents["shop"].pid}/task')) == threads
        set_rule(site, 'ok 0 /')
        fifo = os.open(site.path('rule.fifo'), os.O_RDWR)
        try:
            site.wait_states('P1', {'shop': 'installed'}, 60)
        finally:
            os.close(fifo)
        site.holds('shop', 'P1', source)
        site.stop()


@claim(60)
def a_revoked_agent_is_locked_out_at_once():
    with Agents() as site:
        site.start()
        site.join('shop')
        answer = site.do('dp.set', {'name': 'shop', 'revoke': True})
        assert answer['changed'] is True, answer
        assert site.agents['shop'].wait(timeout=15) == 1, 'a revoked agent goes on'
        with open(site.path('shop.log')) as log:
            assert 'revoked' in log.read(), 'a revoked agent is not told so'
        assert site.do('dp.show', {'name': 'shop'})['dp']['state'] == 'revoked'
        assert site.figure('here') == 0
        strangers = site.figure('strangers refused')
        site.spawn('shop')
        site.wait_for('its knock', lambda: site.figure('strangers refused') > strangers, 20)
        assert site.figure('here') == 0, 'a revoked agent came in'
        site.end_agent('shop')
        puppet = Puppet(site, 'shop')
        puppet.dealer.setsockopt(zmq.SNDTIMEO, 1000)
        with contextlib.suppress(zmq.Again):  # it was refused before it could say anything
            puppet.hello()
        assert puppet.hear('agent_refused', 3) is None, 'the door opens for a revoked key'
        puppet.close()
        assert site.do('dp.set', {'name': 'shop', 'revoke': True})['changed'] is False
        site.do('dp.remove', {'name': 'shop'})
        site.refused('dp.show', {'name': 'shop'}, 'not-found')
        site.stop()


@claim(60)
def nothing_of_a_revoked_agent_is_taken_when_that_was_answered():
    """Not even what it has said before, while the gateway was paused."""
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        for number in range(100):
            puppet.say('agent_beat', number=number)
        assert site.do('dp.set', {'name': 'shop', 'revoke': True})['changed'] is True
        assert site.figure('here') == 0, 'the visit goes on when it was said to be over'
        puppet.close()
        site.do('dp.remove', {'name': 'shop'})
        puppet = stand_in(site, 'store')
        puppet.answers()
        site.do('component.pause', {'name': 'agent_gateway'})
        site.wait_for('it to be paused', lambda: site.ask(
            'component.show', {'name': 'agent_gateway'})['component']['state'] == 'paused')
        for number in range(2000):
            puppet.say('agent_beat', number=number)
        assert site.do('dp.set', {'name': 'store', 'revoke': True})['changed'] is True
        site.do('component.resume', {'name': 'agent_gateway'})
        said = []
        while 'agent_refused' not in said:
            said.append(puppet.hear_any()['say'])
        assert 'agent_beat' not in said, 'what it said is taken'
        assert 'agent_beat' not in [answer['say'] for answer in puppet.answers()]
        puppet.close()
        site.stop()


def answer_to(site, dealer):
    """What it is answered to a word within a second, or None."""
    knock(site, dealer)
    answer = dealer.recv() if dealer.poll(1000) else None
    dealer.close(0)
    return answer


@claim(60)
def a_stranger_gets_nothing_and_is_counted():
    with Agents() as site:
        site.start()
        site.join('shop')
        public, secret = zmq.curve_keypair()
        stranger = dealer_with(site, site_key(site, 'shop'), secret)
        assert answer_to(site, stranger) is None, 'a stranger was answered'
        site.wait_for('the stranger to be counted', lambda: site.figure('strangers refused') >= 1)
        keyless = site.context.socket(zmq.DEALER)
        assert answer_to(site, keyless) is None, 'who came without a key was answered'
        mistaken = dealer_with(site, public, secret)
        assert answer_to(site, mistaken) is None, 'a wrong site key was answered'
        assert site.figure('here') == 1, 'a stranger drove the agent away'
        site.stop()


@claim(90)
def a_token_is_good_once_and_for_its_time():
    with Agents() as site:
        site.start()
        token = site.token('shop')
        os.mkdir(site.path('other'))
        middle = len(token) // 2
        altered = token[:middle] + ('0' if token[middle] != '0' else '1') + token[middle + 1:]
        assert 'altered' in site.join_refused(altered, site.path('other'))
        assert 'altered' in site.join_refused(token[:-2], site.path('other'))
        site.join('shop', token)
        assert 'used by another' in site.join_refused(token, site.path('other'))
        expiring = site.token('brief', expires_s=1)
        os.mkdir(site.path('brief'))
        site.wait_for('a second', lambda: site.do('ping')['up_ms'] > 0 and expired(site), 10)
        assert 'expired' in site.join_refused(expiring, site.path('brief'), 'brief.data')
        forgotten = site.token('gone')
        site.do('dp.remove', {'name': 'gone'})
        assert 'does not know' in site.join_refused(forgotten, site.path('other'), 'gone.data')
        assert site.figure('here') == 1
        site.stop()


def expired(site, since=[]):
    """Whether a second has passed by the site's own clock."""
    since.append(site.do('ping')['up_ms'])
    return since[-1] > since[0] + 1500


@claim(60)
def a_copy_of_an_agents_directory_is_told_that_it_is_one():
    with Agents() as site:
        site.start()
        site.join('shop')
        shutil.copytree(site.path('shop.data'), site.path('copy.data'))
        os.mkdir(site.path('other'))
        token = site.token('other')
        refusal = site.join_refused(token, site.path('other'), 'copy.data')
        assert "another point's agent" in refusal and '--data' in refusal, refusal
        site.join('other', token)
        site.stop()


@claim(240)
def the_last_of_more_agents_than_one_answer_lists_comes_in():
    with Agents() as site:
        site.start()
        for number in range(1003):
            token = site.token(f'p{number}')
        site.wait_for('all to be known', lambda: site.figure('agents') == 1003)
        site.join('p1002', token)
        site.do('dp.remove', {'name': 'p0'})
        site.wait_for('one to be forgotten', lambda: site.figure('agents') == 1002)
        assert site.figure('here') == 1
        site_key = key_of(token)
        for number in range(20):  # while a thousand are listed again, for the news of the last
            opens_at_once(site, site_key, secret_of(site.token(f'q{number}')))
        site.stop()


@claim(120)
def an_agent_that_is_added_or_joins_is_told_of_alone():
    """And not all of them again: of the fortieth as few rows as of the first."""
    with Agents() as site:
        site.start()
        for number in range(20):
            site.token(f'p{number}')
        site.wait_for('them to be known', lambda: site.figure('agents') == 20)
        told = site.figure('told of')
        for number in range(20, 40):
            site.token(f'p{number}')
        site.wait_for('them to be known', lambda: site.figure('agents') == 40)
        assert site.figure('told of') == told + 20, 'others are listed for one that is added'
        site.join('p40', site.token('p40'))
        site.wait_for('it to be told', lambda: site.figure('told of') >= told + 22)
        assert site.figure('told of') == told + 22, 'others are listed for one that joins'
        site.stop()


@claim(60)
def a_root_that_is_not_free_spends_no_token():
    with Agents() as site, Site() as stranger:
        stranger.start()
        stranger.add_point('theirs')
        site.start()
        token = site.token('shop')
        assert 'another site' in site.join_refused(token, stranger.path('points', 'theirs'))
        assert 'overlaps' in site.join_refused(token, site.path('refused.data'))
        site.join_refused(token, site.path('missing'))
        site.join('shop', token)
        stranger.stop()
        site.stop()


@claim(60)
def a_key_that_others_can_read_is_refused():
    with Agents() as site:
        site.start()
        key = os.path.join(site.data, 'keys', 'transport')
        assert os.stat(key).st_mode & 0o777 == 0o600, oct(os.stat(key).st_mode)
        site.stop()
        os.chmod(key, 0o640)
        site.start(ready=False)
        assert site.process.wait(timeout=20) == 1, 'it started with a key that others can read'
        with open(site.log) as log:
            assert 'can be read or written by others' in log.read()
        os.chmod(key, 0o600)
        site.start()
        site.stop()


@claim(60)
def keys_that_vanished_end_the_start_of_a_site_and_of_an_agent():
    with Agents() as site:
        site.start()
        site.join('shop')
        assert site.end_agent('shop', signal.SIGTERM) == 0
        site.stop()
        for data in (site.data, site.path('shop.data')):
            os.rename(os.path.join(data, 'keys', 'signing'), os.path.join(data, 'signing.kept'))
        site.start(ready=False)
        assert site.process.wait(timeout=20) == 1, 'a site without its keys begins anew'
        with open(site.log, encoding='utf-8') as log:
            assert 'keys that were in use' in log.read()
        site.spawn('shop')
        assert site.agents['shop'].wait(timeout=20) == 1, 'an agent without its keys begins anew'
        for data in (site.data, site.path('shop.data')):
            assert not os.path.exists(os.path.join(data, 'keys', 'signing')), 'a key was made'
            os.rename(os.path.join(data, 'signing.kept'), os.path.join(data, 'keys', 'signing'))
        site.start()
        site.spawn('shop')
        site.wait_here('shop')
        site.stop()


@claim(60)
def a_site_that_does_not_listen_says_so():
    with Site() as site:
        site.start()
        refusal = site.refused('dp.add', {'name': 'shop', 'agent': True}, 'not-listening')
        assert '--listen' in refusal['hint'], refusal
        assert not os.path.exists(os.path.join(site.data, 'keys')), 'keys that nobody needs'
        assert 'does not listen' in despool(site, 'component', 'show', 'agent_gateway').stdout
        site.stop()


@claim(60)
def an_agent_that_gives_back_what_it_was_not_sent_is_refused_alone():
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        order = puppet.order('measure', 'work')
        root = [{'object': order['work']['root'], 'from': 0, 'size': 0}]
        puppet.say('agent_need', order=order['order'], ranges=root)
        assert puppet.hear('agent_data') is not None, 'nothing is sent'
        puppet.say('agent_need', order=order['order'], ranges=root)  # a read of up to 1 MiB
        puppet.say('agent_durable', order=order['order'], bytes=1 << 20)
        assert puppet.hear('agent_refused') is not None, 'it was believed'
        assert restarts(site) == 0, 'an agent has ended the gateway'
        puppet.close()
        site.stop()


@claim(60)
def an_agent_that_wants_content_for_a_look_at_its_root_is_refused_alone():
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        puppet.order('measure', 'work')
        puppet.close()
        puppet = Puppet(site, 'shop')
        puppet.hello()  # what was asked before is asked of nobody: the point is absent
        order = puppet.order('probe')
        puppet.say('agent_need', order=order['order'],
                   ranges=[{'object': '0' * 64, 'from': 0, 'size': 0}])
        assert puppet.hear('agent_refused') is not None, 'it was taken'
        assert restarts(site) == 0, 'an agent has ended the gateway'
        puppet.close()
        site.stop()


@claim(60)
def a_need_takes_the_place_of_one_that_is_being_read():
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        order = puppet.order('measure')
        for size in range(1, 21):
            puppet.say('agent_need', order=order['order'],
                       ranges=[{'object': order['work']['root'], 'from': 0, 'size': size}])
        data = puppet.hear('agent_data')
        while data and len(data['pieces'][0]['bytes']) < 20:
            data = puppet.hear('agent_data')
        assert data, 'the last need was not served'
        assert site.figure('odd frames') == 0, 'a need was refused'
        puppet.close()
        site.stop()


@claim(60)
def an_agent_holds_back_no_space_of_another_point():
    with Agents() as site:
        site.start()
        site.join('shop')
        site.end_agent('shop')
        site.add_point('near')
        puppet = welcomed(site, 'shop')
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        site.do('distribute', {'id': 'P1', 'to': ['shop']})
        order = puppet.order('measure')
        own = int.from_bytes(bytes.fromhex(order['work']['dp_incarnation'])[:8], 'little')
        device = os.stat(site.path('points', 'near')).st_dev ^ own
        puppet.say('agent_done', order=order['order'], outcome=None, claimed=None, collected=None,
                   signature=None, measured={
                       'err': 'ok', 'text': None, 'already': False, 'device': device,
                       'need_bytes': 1 << 61, 'need_inodes': 0, 'have_bytes': 1 << 62,
                       'have_inodes': 1 << 62, 'reached': True})
        puppet.order('work')
        site.do('distribute', {'id': 'P1', 'to': ['near']})

        def is_near():
            puppet.say('agent_beat', number=1)  # it is here, with what it wants, until the end
            return site.states('P1')['near'] == 'installed'
        site.wait_for('the other point', is_near)
        assert site.states('P1')['shop'] == 'installing', site.target('P1', 'shop')
        puppet.close()
        site.stop()


@claim(60)
def a_token_that_was_spent_does_not_drive_its_agent_away():
    with Agents() as site:
        site.start()
        token = site.token('shop')
        site.join('shop', token)
        odd = site.figure('odd frames')
        puppet = Puppet(site, 'shop', secret_of(token))
        puppet.hello()
        assert puppet.hear('agent_refused') is not None, 'a spent token is no agent'
        assert site.figure('odd frames') == odd + 1
        assert site.figure('here') == 1, 'whoever has an old token can drive the agent away'
        puppet.close()
        site.stop()


@claim(90)
def nobody_is_told_that_it_was_revoked_while_the_gateway_begins_anew():
    with Agents() as site:
        site.start()
        puppet = stand_in(site, 'shop')
        for _ in range(10):
            site.send('component.restart', {'name': 'agent_gateway'})
            for number in range(2000):
                puppet.say('agent_beat', number=number)
            site.wait_for('the gateway', lambda: site.figure('agents') == 1)
            told = [c['is'] for c in puppet.answers() if c['say'] == 'agent_refused']
            assert not told, f'an agent in good standing is told {told[0]}'
        puppet.close()
        site.stop()


run()
