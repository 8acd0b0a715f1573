#!/usr/bin/python3
"""The client that stands in proto/PROTOCOL.md, as it stands there, against a live host."""
import os
import re
import subprocess
import sys

from harness import TOP, Site, claim, run

PROTOCOL = os.path.join(TOP, 'proto', 'PROTOCOL.md')


def client_of_the_specification():
    with open(PROTOCOL, encoding='utf-8') as file:
        blocks = re.findall(r'^```python\n(.*?)^```', file.read(), re.S | re.M)
    clients = [block for block in blocks if 'zmq' in block and 'msgpack' in block]
    assert len(clients) == 1, f'{len(clients)} python clients in PROTOCOL.md, expected 1'
    return clients[0]


@claim(60)
def the_client_of_the_specification_speaks_with_a_live_host():
    code = client_of_the_specification()
    length = len([line for line in code.splitlines() if line.strip()])
    assert length <= 15, f'it has {length} lines, expected about ten'
    with Site() as site:
        site.start()
        site.add_point('a')
        # The document says how its client is started: with the command's endpoint as argument.
        done = subprocess.run([sys.executable, '-c', code, site.endpoint('command.ipc')],
                              capture_output=True, text=True, timeout=30, check=False,
                              cwd=site.data)
        assert done.returncode == 0, done.stderr
        assert 'True' in done.stdout or 'true' in done.stdout, f'it printed {done.stdout!r}'
        site.stop()


@claim(60)
def every_command_and_error_of_the_specification_is_known_to_the_host():
    with open(PROTOCOL, encoding='utf-8') as file:
        text = file.read()
    with Site() as site:
        site.start()
        nouns = 'package|dp|group|component|quarantine|status'
        words = set(re.findall(rf'`((?:{nouns})\.[a-z]+)`', text))
        assert len(words) > 20, f'PROTOCOL.md names {len(words)} commands, expected more'
        unknown = []
        for word in sorted(words):
            error = site.refused(word, {'no-such-argument': 1})
            if error['code'] == 'unknown-command':
                unknown.append(word)
        assert not unknown, f'PROTOCOL.md names commands that the host does not know: {unknown}'
        site.stop()


run()
