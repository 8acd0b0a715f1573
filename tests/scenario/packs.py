"""Reads DATA/store as it lies on the disk: packs, and the runs that name what is in them. Shares no
code with despool; see actors/content/pack.h and run.h for the bytes."""
import contextlib
import ctypes
import hashlib
import os
import struct

PAGE, ENTRIES = 4096, 63
ENTRY = struct.Struct('>32sQQIBBHQ')   # digest, pack, offset, stored, kind, packing, 0, size
HEAD = struct.Struct('>4sBBHIIQ32sQQ')  # mark, kind, packing, 0, stored, 0, size, digest, checks
ROW = struct.Struct('>32sI')           # of a list: a chunk's digest and size
LIST, ZSTD = 2, 1

zstd = ctypes.CDLL('libzstd.so.1')
zstd.ZSTD_decompress.restype = ctypes.c_size_t
zstd.ZSTD_decompress.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p,
                                 ctypes.c_size_t)


class Bad(ValueError):
    """Bytes of the store are not what they should be."""


def expand(stored, size):
    buffer = ctypes.create_string_buffer(size + 1)
    done = zstd.ZSTD_decompress(buffer, size, stored, len(stored))
    if done != size:
        raise Bad('its bytes cannot be expanded')
    return buffer.raw[:size]


class Record:
    """One object in a pack."""

    def __init__(self, path, entry):
        self.path = path
        self.digest, _, self.offset, self.stored, self.kind, self.packing, _, self.size = entry

    def bytes_stored(self):
        with open(self.path, 'rb') as file:
            file.seek(self.offset)
            head, stored = file.read(HEAD.size), file.read(self.stored)
        if len(stored) != self.stored:
            raise Bad('its pack ends before it does')
        mark, kind, packing, _, length, _, size, digest, _, _ = HEAD.unpack(head)
        if (mark, kind, packing, length, size, digest) != \
                (b'DSPR', self.kind, self.packing, self.stored, self.size, self.digest):
            raise Bad('its head is not what the index says')
        return stored

    def chunks(self):
        """The chunks of a list, by digest in hexadecimal; none of another object."""
        rows = self.bytes_stored() if self.kind == LIST else b''
        return [digest.hex() for digest, _ in ROW.iter_unpack(rows)]

    def read(self, names):
        if self.kind == LIST:
            return b''.join(names[chunk].read(names) for chunk in self.chunks())
        stored = self.bytes_stored()
        return expand(stored, self.size) if self.packing == ZSTD else stored


class Old:
    """One object of the first release: a file."""

    def __init__(self, path):
        self.path, self.offset = path, 0

    def chunks(self):
        return []

    def read(self, _):
        with open(self.path, 'rb') as file:
            return file.read()


def listed(*path):
    with contextlib.suppress(FileNotFoundError):
        return sorted(os.listdir(os.path.join(*path)))
    return []


def entries(path):
    """The entries of one run."""
    with contextlib.suppress(FileNotFoundError), open(path, 'rb') as file:
        text = file.read()
        count, pages = struct.unpack_from('>QQ', text, len(text) - 56)
        found = [ENTRY.unpack_from(text, page * PAGE + ENTRY.size * (i + 1))
                 for page in range(pages)
                 for i in range(struct.unpack_from('>H', text, page * PAGE + 4)[0])]
        if len(found) != count:
            raise Bad(f'{path} has {len(found)} entries and says {count}')
        return found
    return []


def objects(store):
    """{digest: where it stands} of every object that can be found in a store."""
    found = {name: Old(os.path.join(where, name))
             for where, _, names in os.walk(os.path.join(store, 'objects')) for name in names}
    there = set(listed(store, 'packs'))
    for name in listed(store, 'index'):
        for entry in entries(os.path.join(store, 'index', name)) if name[0] != '.' else ():
            pack = f'{entry[1]:016x}.pack'
            if pack in there:
                found[entry[0].hex()] = Record(os.path.join(store, 'packs', pack), entry)
    return found


def temporaries(store):
    """What is under way, or was left by a kill."""
    return [name for where in ('packs', 'index') for name in listed(store, where)
            if name[0] == '.']


def is_right(digest, record, names):
    """What is wrong with an object, or None."""
    try:
        found = hashlib.sha256(record.read(names)).hexdigest()
        return None if found == digest else f'it has the digest {found}'
    except (Bad, KeyError, OSError, struct.error) as error:
        return repr(error)
