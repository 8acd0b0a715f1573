#!/usr/bin/python3
"""The independent checker sees every kind of difference."""
import os
import shutil
import tempfile

import treecheck
from harness import claim, make_tree, odd_tree, remove_tree, run


def two_trees():
    directory = tempfile.mkdtemp(prefix='ds-')
    one = odd_tree(os.path.join(directory, 'one'))
    make_tree(one, files=10)
    shutil.copytree(one, os.path.join(directory, 'two'), symlinks=True)
    return directory, one, os.path.join(directory, 'two')


def one_difference(change, word):
    """After `change` to the copy exactly one difference is told, with that word."""
    directory, one, two = two_trees()
    try:
        assert not treecheck.differences(one, two, True), treecheck.differences(one, two, True)
        change(two)
        found = treecheck.differences(one, two)
        assert len(found) == 1 and word in found[0], f'got {found}, expected one with {word}'
    finally:
        remove_tree(directory)


def relink(path, target):
    os.unlink(path)
    os.symlink(target, path)


def flip(path):
    with open(path, 'r+b') as file:
        byte = file.read(1)
        file.seek(0)
        file.write(bytes([byte[0] ^ 1]))


@claim(20)
def a_missing_name_is_seen():
    one_difference(lambda two: os.unlink(os.path.join(two, 'd1', 'e1', 'file-1')), 'missing')


@claim(20)
def an_extra_name_is_seen():
    one_difference(lambda two: os.mkdir(os.path.join(two, 'empty-directory', 'x')), 'extra')


@claim(20)
def a_wrong_mode_is_seen():
    one_difference(lambda two: os.chmod(os.path.join(two, 'mode-640'), 0o644), 'mode')


@claim(20)
def a_wrong_mode_of_a_directory_is_seen():
    one_difference(lambda two: os.chmod(os.path.join(two, 'closed-directory'), 0o755), 'mode')


@claim(20)
def a_wrong_link_is_seen():
    one_difference(lambda two: relink(os.path.join(two, 'link'), 'd1'), 'leads to')


@claim(20)
def a_flipped_byte_is_seen():
    one_difference(lambda two: flip(os.path.join(two, 'n' * 255)), 'byte 0')


@claim(20)
def a_lost_tail_is_seen():
    one_difference(lambda two: os.truncate(os.path.join(two, 'n' * 255), 5), 'length')


@claim(20)
def a_file_in_place_of_a_link_is_seen():
    def change(two):
        os.unlink(os.path.join(two, 'link-to-nothing'))
        with open(os.path.join(two, 'link-to-nothing'), 'wb'):
            pass
    one_difference(change, 'expected a link')


@claim(20)
def a_tree_that_is_not_there_is_seen():
    directory, one, two = two_trees()
    try:
        assert treecheck.differences(one, two + '-not') != []
    finally:
        remove_tree(directory)


run()
