"""The real inputs of tools/bench-distribute: fetched by apt, held against their pinned digests."""
import glob
import hashlib
import os
import random
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
# Of a kernel's 80,000 files, a part that has as many as a large package has: about 12,000.
PARTS = ['fs', 'include', 'kernel', 'net', 'mm', 'lib', 'drivers/net']
EDITS = 80            # of the edited browser
EDIT_BYTES = 24       # each at most


class Missing(Exception):
    """An input cannot be had here; the message says why."""


def pinned():
    """(name, which) -> (package=version, sha256)."""
    with open(os.path.join(HERE, 'inputs.txt'), encoding='utf-8') as file:
        words = [word for line in file if not line.startswith('#') for word in line.split()]
    return {(words[i], words[i + 1]): (words[i + 2], words[i + 3]) for i in range(0, len(words), 4)}


def sha256(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def fetch(cache, package, digest):
    """The path of the package's .deb in the cache."""
    name, version = package.split('=')
    pattern = os.path.join(cache, f'{name}_{version.replace(":", "%3a")}_*.deb')
    if not glob.glob(pattern):
        done = subprocess.run(['apt-get', 'download', package], cwd=cache, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode or not glob.glob(pattern):
            raise Missing(f'apt-get download {package}: {done.stderr.strip()[-200:]}')
    path = glob.glob(pattern)[0]
    if sha256(path) != digest:
        raise Missing(f'{path} is not the one that inputs.txt names')
    return path


def unpack_tree(deb, where):
    subprocess.run(['dpkg-deb', '-x', deb, where + '.deb'], check=True)
    tar, = glob.glob(where + '.deb/usr/src/linux-source-*.tar.xz')
    top = os.path.basename(tar).removesuffix('.tar.xz')
    os.makedirs(where)
    subprocess.run(['tar', '-xJf', tar, '-C', where, '--strip-components=1',
                    *[f'{top}/{part}' for part in PARTS]], check=True)
    shutil.rmtree(where + '.deb')


def edit(source, where):
    """A copy with small edits at seeded places of its largest file: bytes put in or replaced."""
    shutil.copytree(source, where, symlinks=True)
    path = max((os.path.join(at, name) for at, _, names in os.walk(where) for name in names),
               key=lambda p: os.lstat(p).st_size)
    chance = random.Random(20261129)
    with open(path, 'rb') as file:
        rest = file.read()
    pieces, begin = [], 0
    for place in sorted(chance.randrange(len(rest)) for _ in range(EDITS)):
        new = chance.randbytes(chance.randint(1, EDIT_BYTES))
        pieces += [rest[begin:place], new]
        begin = place + (len(new) if chance.random() < 0.5 else 0)
    with open(path, 'wb') as file:
        file.write(b''.join(pieces) + rest[begin:])


def get(cache, name, which):
    """The directory of an input, made on first use and kept in the cache."""
    where = os.path.join(cache, f'{name}-{which}')
    if os.path.isdir(where):
        return where
    os.makedirs(cache, exist_ok=True)
    making = where + '.making'
    shutil.rmtree(making, ignore_errors=True)
    if (name, which) == ('browser', 'edited'):
        edit(get(cache, 'browser', 'new'), making)
    else:
        deb = fetch(cache, *pinned()[name, which])
        if name == 'tree':
            unpack_tree(deb, making)
        else:
            subprocess.run(['dpkg-deb', '-x', deb, making], check=True)
    os.rename(making, where)
    return where
