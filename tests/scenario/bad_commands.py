#!/usr/bin/python3
"""What a client may send by mistake or on purpose: a clear error, no effect, the host goes on."""
import os
import re

import msgpack
import zmq

from harness import Late, Site, claim, make_tree, run

# Every command with arguments that are right in form: name -> (arguments, which are required).
COMMANDS = {
    'package.add': ({'id': 'X', 'source': '/nowhere', 'name': 'n', 'version': 'v',
                     'exclude': ['*.o']}, ('id', 'source')),
    'package.update': ({'id': 'X', 'version': 'v'}, ('id',)),
    'package.set': ({'id': 'X', 'name': 'n', 'source': '/nowhere', 'exclude': ['*']}, ('id',)),
    'package.list': ({}, ()),
    'package.show': ({'id': 'X'}, ('id',)),
    'package.remove': ({'id': 'X', 'withdraw': True}, ('id',)),
    'dp.add': ({'name': 'X', 'root': '/nowhere'}, ('name', 'root')),
    'dp.set': ({'name': 'X', 'root': '/nowhere'}, ('name',)),
    'dp.adopt': ({'name': 'X'}, ('name',)),
    'dp.list': ({}, ()),
    'dp.show': ({'name': 'X'}, ('name',)),
    'dp.pause': ({'name': 'X'}, ('name',)),
    'dp.resume': ({'name': 'X'}, ('name',)),
    'dp.remove': ({'name': 'X', 'withdraw': True}, ('name',)),
    'group.add': ({'name': 'X', 'dps': ['Y']}, ('name', 'dps')),
    'group.list': ({}, ()),
    'group.remove': ({'name': 'X'}, ('name',)),
    'link.set': ({'name': 'X', 'rate': 1}, ('name',)),
    'link.list': ({}, ()),
    'link.remove': ({'name': 'X'}, ('name',)),
    'site.set': ({'rate': 1}, ('rate',)),
    'distribute': ({'id': 'X', 'to': ['Y'], 'all': False}, ('id',)),
    'plan': ({'id': 'X', 'to': ['Y'], 'all': False}, ('id',)),
    'withdraw': ({'id': 'X', 'from': ['Y']}, ('id',)),
    'status': ({'id': 'X', 'dp': 'Y'}, ()),
    'rollback': ({'id': 'X', 'version': '1'}, ('id', 'version')),
    'retry': ({'id': 'X', 'dp': 'Y'}, ('id',)),
    'cancel': ({'id': 'X', 'dp': 'Y'}, ('id',)),
    'prioritize': ({'id': 'X', 'priority': 'low'}, ('id', 'priority')),
    'rollout.pause': ({'id': 'X'}, ('id',)),
    'rollout.resume': ({'id': 'X'}, ('id',)),
    'verify': ({'id': 'X', 'dp': 'Y'}, ('id',)),
    'store.check': ({'repair': False}, ()),
    'store.rebuild': ({}, ()),
    'store.collect': ({}, ()),
    'site.backup': ({'dir': '/nowhere/at/all'}, ('dir',)),
    'status.since': ({'since': 0, 'count': 1}, ()),
    'component.list': ({}, ()),
    'component.show': ({'name': 'X'}, ('name',)),
    'component.start': ({'name': 'X'}, ('name',)),
    'component.stop': ({'name': 'X'}, ('name',)),
    'component.pause': ({'name': 'X'}, ('name',)),
    'component.resume': ({'name': 'X'}, ('name',)),
    'component.restart': ({'name': 'X'}, ('name',)),
    'component.set': ({'name': 'X', 'slots': 4}, ('name',)),
    'quarantine.list': ({}, ()),
    'quarantine.show': ({'number': 1}, ('number',)),
    'quarantine.retry': ({'number': 1}, ('number',)),
    'quarantine.drop': ({'number': 1}, ('number',)),
    'blackbox': ({}, ()),
    'graph': ({}, ()),
    'ping': ({}, ()),
}
# A wrong value for each type of argument.
WRONG = {str: (7, ['a'], {'a': 1}, True), int: ('7', [7], -1), bool: ('yes', 3),
         list: ('a', 5, {'a': 1})}


def nothing_was_created(site):
    assert site.ask('package.list')['packages'] == [], 'a package was made'
    assert site.ask('dp.list')['dps'] == [], 'a distribution point was made'
    assert site.ask('group.list')['groups'] == [], 'a group was made'
    assert site.alive(), 'the host ended'


@claim(120)
def a_missing_argument_is_named():
    with Site() as site:
        site.start()
        for cmd, (arguments, required) in COMMANDS.items():
            for name in required:
                rest = {k: v for k, v in arguments.items() if k != name}
                error = site.refused(cmd, rest, 'missing-argument')
                assert name in error['message'], f'{cmd}: {error} does not name {name}'
        nothing_was_created(site)
        site.stop()


@claim(120)
def a_wrong_type_is_named():
    with Site() as site:
        site.start()
        for cmd, (arguments, _) in COMMANDS.items():
            for name, right in arguments.items():
                for wrong in WRONG[type(right)]:
                    if isinstance(right, list) and wrong == ['a']:
                        continue
                    error = site.refused(cmd, {**arguments, name: wrong},
                                         ('wrong-type', 'bad-value', 'too-large'))
                    assert name in error['message'], f'{cmd}: {error} does not name {name}'
        nothing_was_created(site)
        site.stop()


@claim(120)
def an_unknown_argument_is_named():
    with Site() as site:
        site.start()
        for cmd, (arguments, _) in COMMANDS.items():
            error = site.refused(cmd, {**arguments, 'surprise': 1}, 'unknown-argument')
            assert 'surprise' in error['message'], error
        nothing_was_created(site)
        site.stop()


@claim(120)
def an_oversized_argument_is_refused():
    with Site() as site:
        site.start()
        for cmd, (arguments, _) in COMMANDS.items():
            for name, right in arguments.items():
                if isinstance(right, str):
                    word = ('bad-value',) if name == 'priority' else ()  # one of a few
                    site.refused(cmd, {**arguments, name: 'x' * 70000},
                                 ('too-large', 'bad-name', 'name-too-long', 'not-absolute', *word))
                if isinstance(right, list):
                    site.refused(cmd, {**arguments, name: ['x'] * 20000},
                                 ('too-large', 'bad-value', 'not-found', 'bad-name'))
                if isinstance(right, int) and not isinstance(right, bool) and name == 'slots':
                    site.refused(cmd, {**arguments, name: 2 ** 63}, ('too-large', 'bad-value',
                                                                    'wrong-type', 'not-found'))
        nothing_was_created(site)
        site.stop()


@claim(60)
def a_bad_name_is_refused():
    with Site() as site:
        source = make_tree(site.path('source'))
        root = site.path('root')
        os.mkdir(root)
        site.start()
        for name in ('', '.', '..', '-a', '_a', 'a/b', 'a b', 'a\0b', 'a\nb', "a'b", 'ä', '%n',
                     'x' * 65):
            site.refused('package.add', {'id': name, 'source': source},
                         ('bad-name', 'missing-argument', 'too-large'))
            site.refused('dp.add', {'name': name, 'root': root},
                         ('bad-name', 'missing-argument', 'too-large'))
        for path in ('relative', '', './x', '../x'):
            site.refused('package.add', {'id': 'P', 'source': path},
                         ('not-absolute', 'missing-argument', 'bad-value'))
            site.refused('dp.add', {'name': 'd', 'root': path},
                         ('not-absolute', 'missing-argument', 'bad-value'))
        assert os.listdir(root) == [], 'the root was written to'
        nothing_was_created(site)
        site.stop()


@claim(60)
def a_name_that_differs_only_in_case_is_taken():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        site.do('package.add', {'id': 'Pack', 'source': source})
        site.refused('package.add', {'id': 'PACK', 'source': source}, 'exists')
        site.add_point('point')
        os.mkdir(site.path('other'))
        site.refused('dp.add', {'name': 'Point', 'root': site.path('other')}, 'exists')
        assert os.listdir(site.path('other')) == [], 'the refused root was written to'
        site.stop()


@claim(60)
def all_byte_values_in_texts_are_safe_and_come_back_unchanged():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        texts = ["O'Neill; drop table package; --", '%n%s%x %d', '"\\',
                 ''.join(chr(c) for c in range(1, 256)), '\U0001f4e6']
        for number, text in enumerate(texts):
            site.do('package.add', {'id': f'P{number}', 'source': source, 'name': text})
        names = {p['id']: p['name'] for p in site.ask('package.list')['packages']}
        for number, text in enumerate(texts):
            assert names[f'P{number}'] == text, f'got {names[f"P{number}"]!r}, expected {text!r}'
        site.stop()


@claim(60)
def a_text_with_a_nul_byte_is_refused_by_the_name_of_its_argument():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        for name, rest in (('name', {}), ('version', {}), ('exclude', {})):
            value = ['a\0b'] if name == 'exclude' else 'a\0b'
            error = site.refused('package.add', {'id': 'P', 'source': source, **rest, name: value},
                                 'bad-value')
            assert f"'{name}'" in error['message'], error
        nothing_was_created(site)
        site.stop()


@claim(60)
def bytes_that_are_no_command_are_answered_or_dropped_and_the_host_goes_on():
    with Site() as site:
        site.start()
        odd = [b'', b'\xc1', b'\x93\x01', b'\xdf\xff\xff\xff\xff', b'\xdd\xff\xff\xff\xff',
               b'hello', b'\xc6\xff\xff\xff\xff', b'\x81' * 2000, b'\x91' * 100000,
               msgpack.packb(5), msgpack.packb([]), msgpack.packb({}), msgpack.packb({'v': 1}),
               msgpack.packb({'v': 2, 'id': 'a', 'cmd': 'ping', 'args': {}}),
               msgpack.packb({'v': 1, 'id': 'a', 'cmd': 'ping', 'args': []}),
               msgpack.packb({'v': 1, 'id': 'a', 'cmd': 5, 'args': {}}),
               msgpack.packb({'v': 1, 'id': 'a', 'cmd': 'no.such', 'args': {}}),
               msgpack.packb({'v': 1, 'id': 'a' * 100000, 'cmd': 'ping', 'args': {}}),
               msgpack.packb({'v': 1, 'id': 'a', 'cmd': 'ping', 'args': {}}) + b'more',
               msgpack.packb({'v': 1, 'id': 'a', 'cmd': 'ping', 'args': {}, 'x': 1}),
               msgpack.packb({'v': 1, 'id': 'a', 'cmd': 'ping', 'args': {'a': {'b': {'c': {}}}}}),
               bytes(2 << 20)]
        for frame in odd:
            site.commands.send(frame)
        site.commands.send_multipart([b'x', b'y', msgpack.packb({'v': 1, 'cmd': 'ping'})])
        assert site.ask('ping')['ready'] is True
        site.listen(0)
        nothing_was_created(site)
        site.stop()


@claim(60)
def an_unknown_command_is_refused_by_name():
    with Site() as site:
        site.start()
        for cmd in ('', 'x', 'package', 'package.', 'package.add.', 'PACKAGE.ADD', 'x' * 1000):
            site.refused(cmd, {}, ('unknown-command', 'bad-request', 'too-large',
                                   'missing-argument'))
        nothing_was_created(site)
        site.stop()


@claim(60)
def an_empty_delimiter_is_mirrored():
    with Site() as site:
        site.start()
        body = msgpack.packb({'v': 1, 'id': 'd', 'cmd': 'ping', 'args': {}})
        site.commands.send_multipart([b'', body])
        assert site.commands.poll(10000), 'no answer'
        frames = site.commands.recv_multipart()
        assert len(frames) == 2 and frames[0] == b'', f'{len(frames)} frames, expected 2'
        site.stop()


@claim(60)
def a_repeat_with_the_same_key_has_the_same_answer_and_no_effect():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        first = site.ask('package.add', {'id': 'P', 'source': source}, key='k1')
        count = len(site.history())
        assert site.ask('package.add', {'id': 'P', 'source': source}, key='k1') == first
        site.kill()
        site.start()
        assert site.ask('package.add', {'id': 'P', 'source': source}, key='k1') == first
        accepted = [e for e in site.history(count) if e['package'] == 'P']
        assert not accepted, f'the repeat had an effect: {accepted}'
        site.stop()


CLIENTS = 100  # at once, each with so many commands


class Client:
    """One of many: its request ids are those of all others, only its keys are its own."""

    def __init__(self, site, place):
        self.place = place
        self.socket = site.context.socket(zmq.DEALER)
        for option in (zmq.LINGER, zmq.SNDHWM, zmq.RCVHWM):
            self.socket.setsockopt(option, 0)
        self.socket.connect(site.endpoint('command.ipc'))

    def say(self, number):
        self.socket.send(msgpack.packb({
            'v': 1, 'id': number, 'cmd': 'group.add', 'key': f'a-client-{self.place}-{number}',
            'args': {'name': f'g{self.place:02}.{number:02}', 'dps': ['DP1']}}))

    def hear(self):
        """Until each command was done; one that is told `full` is said again."""
        left = set(range(CLIENTS))
        while left:
            assert self.socket.poll(60000), f'client {self.place}: no answer to {sorted(left)}'
            answer = msgpack.unpackb(self.socket.recv_multipart()[-1], raw=False)
            if answer['ok']:
                assert answer['result']['changed'], f'taken for another: {answer}'
                left.remove(answer['id'])
            else:
                assert answer['error']['code'] == 'full', answer
                self.say(answer['id'])
        assert not self.socket.poll(0), 'an answer too many'
        self.socket.close(0)


@claim(300)
def q301352_of_ten_thousand_commands_at_once_none_is_lost_and_none_taken_for_another():
    with Site() as site:
        site.start()
        site.add_point('DP1')
        clients = [Client(site, place) for place in range(CLIENTS)]
        for number in range(CLIENTS):
            for client in clients:
                client.say(number)
        for client in clients:
            client.hear()
        site.kill()  # what was answered is there
        site.start()
        names = {group['name'] for group in site.ask('group.list')['groups']}
        lost = {f'g{c:02}.{n:02}' for c in range(CLIENTS) for n in range(CLIENTS)} - names
        assert not lost, f'{len(lost)} of {CLIENTS * CLIENTS} were lost: {sorted(lost)[:5]}'
        site.stop()


@claim(60)
def q320276_directives_and_quotes_in_paths_come_back_in_status_log_and_refusals():
    odd = "100%n%s%n'; drop table target; --"
    with Site() as site:
        source = make_tree(site.path(odd))
        site.start()
        error = site.refused('package.show', {'id': odd}, ('not-found', 'bad-name'))
        assert odd in error['message'], error
        root = site.add_point('DP1', site.path('points', odd))
        site.do('package.add', {'id': 'P', 'source': source, 'name': odd, 'version': odd})
        site.do('distribute', {'id': 'P', 'to': ['DP1']})
        site.wait_states('P', {'DP1': 'installed'})
        assert site.ask('dp.show', {'name': 'DP1'})['dp']['root'] == root
        assert site.target('P', 'DP1')['have']['label'] == odd
        told = [event for event in site.history() if event['id'] == 2330]
        assert len(told) == 1 and odd in told[0]['text'], told
        os.mkfifo(os.path.join(source, odd))
        error = site.refused('package.update', {'id': 'P'})
        assert odd in error['message'], error
        os.rename(root, root + '.away')
        os.mkdir(root)
        assert site.ask('verify', {'id': 'P'})
        site.stop()


@claim(60)
def dry_run_changes_nothing():
    with Site() as site:
        source = make_tree(site.path('source'))
        root = site.path('root')
        os.mkdir(root)
        site.start()
        site.ask('dp.add', {'name': 'a', 'root': root, 'dry_run': True})
        assert os.listdir(root) == [], 'the root was written to'
        site.ask('package.add', {'id': 'P', 'source': source, 'dry_run': True})
        nothing_was_created(site)
        site.stop()


@claim(60)
def a_dry_run_of_an_update_says_what_the_update_will_do():
    with Site() as site:
        source = make_tree(site.path('source'))
        site.start()
        added = site.do('package.add', {'id': 'P', 'source': source})
        dry = {'id': 'P', 'dry_run': True}
        same = site.ask('package.update', dry)
        assert not same['changed'] and same['version']['root'] == added['version']['root'], same
        with open(os.path.join(source, 'new'), 'w', encoding='utf-8') as file:
            file.write('new')
        told = site.ask('package.update', dry)
        shown = site.ask('package.show', {'id': 'P'})['package']['version']
        assert told['changed'] and shown == added['version'], f'{told}, and shown is {shown}'
        done = site.do('package.update', {'id': 'P'})
        assert done['version'] == told['version'], f'told {told["version"]}, did {done["version"]}'
        site.stop()


@claim(60)
def a_client_that_leaves_does_not_cancel_its_command():
    with Site() as site:
        source = make_tree(site.path('source'), files=200, size=50000)
        site.start()
        site.send('package.add', {'id': 'P', 'source': source})
        site.listen(20)
        site.connect()

        def stored():
            return any(p['id'] == 'P' for p in site.ask('package.list')['packages'])
        try:
            site.wait_for('the package of a client that left', stored, 20)
        except Late:
            # The frame may not have left this process before the socket was closed.
            site.do('package.add', {'id': 'P', 'source': source})
        site.stop()



PAST, SOON, LATER = '2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z', '2099-01-02T00:00:00Z'
# What cannot be, a word of the reason, and one of what to do instead.
IMPOSSIBLE = (
    ('distribute', {'rings': ['10', '5', '100']}, "ring of '5': ", '--rings'),
    ('distribute', {'rings': ['10', '50']}, 'the last is 100', '--rings'),
    ('distribute', {'rings': ['x']}, 'whole percents', '--rings'),
    ('distribute', {'stop_at': 3}, 'no rings are given', '--rings 1,10,100 --stop-at N'),
    ('distribute', {'rings': ['50', '100'], 'barrier': True}, 'both asked for', 'choose one'),
    ('distribute', {'activate_at': '2200-01-01T00:00:00Z'}, 'more than 400 days away',
     '--activate-at'),
    ('link.set', {'name': 'none'}, "cannot set link 'none': ", 'choose another'),
    ('distribute', {'deadline': SOON}, 'is one of a barrier', '--barrier --deadline'),
    ('distribute', {'barrier': True, 'deadline': PAST}, 'is past', '--deadline +2h'),
    ('distribute', {'activate_at': PAST}, 'is past', '--activate-at'),
    ('distribute', {'barrier': True, 'activate_at': LATER, 'deadline': SOON}, 'does not come after',
     '--deadline'),
    ('site.set', {'address': 'tcp://*:7000'}, "address 'tcp://*:7000': nobody", 'agents can reach'),
    ('site.set', {'address': 'tcp://0.0.0.0:7000'}, 'nobody can dial that', 'agents can reach'),
    ('distribute', {'to': ['@gone']}, "'@gone': it has no distribution point", 'group list'),
    ('dp.set', {'name': 'a', 'seed': 'of/agent'}, "'seed' is not an absolute path",
     "on the agent's machine"),
    ('dp.adopt', {'name': 'nope'}, "cannot adopt 'nope': ", 'despool dp list'),
    ('dp.set', {'name': 'nope', 'root': '/tmp'}, "cannot set 'nope': ", 'despool dp list'),
)


@claim(60)
def what_cannot_be_is_refused_with_verb_subject_and_reason_and_what_to_do_instead():
    with Site() as site:
        site.start()
        site.do('package.add', {'id': 'P1', 'source': make_tree(site.path('source'))})
        error = site.refused('distribute', {'id': 'P1', 'all': True}, 'no-targets')
        assert 'there is no distribution point yet' in error['message'], error
        assert 'despool dp add' in error['hint'], error
        for name in 'a', 'gone':
            site.add_point(name)
        site.do('group.add', {'name': 'gone', 'dps': ['gone']})
        site.do('dp.remove', {'name': 'gone', 'forget': True})
        for command, args, reason, instead in IMPOSSIBLE:
            args = {**({'id': 'P1', 'to': ['a']} if command == 'distribute' else {}), **args}
            error = site.refused(command, args)
            said = f'{args}: {error}'
            assert re.match(r"cannot [a-z ]+ '[^']+': [^:]+$", error['message']), said
            assert reason in error['message'] and instead in error['hint'], said
        assert site.states('P1') == {}, 'something was done all the same'
        site.stop()


run()
