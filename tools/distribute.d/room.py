"""Room on the disk that the turns of a bench write to.

ext4 gives no inode again within a minute of its removal (five where its block is dirty), and each
new file searches past all that are so young: after a tree of 16,851 files was removed, making it
four times took 80 s of CPU in place of 6. So what a turn has written stays; all of it goes when
a turn might not find room, and the bench waits until it is no longer young.
"""
import shutil
import subprocess
import time

from peers import Failed

YOUNG = 70   # seconds after which a removed inode is searched past no more, when it was synced


class Room:
    """What may be removed below a directory."""

    def __init__(self, base, say):
        self.base, self.say = base, say
        self.spent = []

    def spend(self, paths):
        """These are needed no more."""
        self.spent += paths

    def want(self, needed):
        """Makes room for so many bytes, or raises."""
        if self.free() < needed and self.spent:
            self.say(f'{self.free() / 1e9:.1f} GB are free, a turn may need {needed / 1e9:.1f}: '
                     f'what is needed no more is removed, and {YOUNG} s are waited for')
            for path in self.spent:
                shutil.rmtree(path, ignore_errors=True)
            self.spent = []
            subprocess.run(['sync', '-f', self.base], check=True)
            time.sleep(YOUNG)
        if self.free() < needed:
            raise Failed(f'{self.free() / 1e9:.1f} GB are free below {self.base}, a turn needs up '
                         f'to {needed / 1e9:.1f}: give more, or another --dir')

    def free(self):
        return shutil.disk_usage(self.base).free
