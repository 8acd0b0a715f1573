#!/usr/bin/python3
"""The runtime as others get it: installed into a directory of its own, seen through its pkg-config
file alone. Each example is built against it and run; headers, exported names, memory are looked at.

$BUILD names the build directory that is installed; its targets are there.
"""
import atexit
import functools
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'scenario'))
from harness import TOP, claim, run  # pylint: disable=wrong-import-position

BUILD = os.environ.get('BUILD', os.path.join(TOP, 'build'))
EXAMPLES = os.path.join(TOP, 'runtime', 'examples')
STRICT = ['-Wall', '-Wextra', '-Werror']

# What each prints; the numbers of a simulated run may change with the runtime.
SAYS = {
    'hello': r'hello world, you are number 1\n',
    'pool': r'100 tasks: 99 done, sum of squares 338181; 1 given up after 2 tries; 2 restarts\n',
    'philosophers': r'(?s)(?=.*a circle is refused: (\w+) -> \w+ -> \w+ -> \w+ -> \w+ -> \1\n)'
                    r'(?=(?:.*?\w+ eats\n){5}).*all have eaten\n',
    'simulated': r'200 seeds, \d+ power cuts, \d+ steps, \d+ crash points: nothing promised was '
                 r'lost\n',
}


def ran(command, expected=0, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == expected, (f'{" ".join(command)}\nended with {done.returncode}, '
                                         f'expected {expected}\n{done.stdout}{done.stderr}')
    return done.stdout


class Installed:
    """Where it was installed, and how a program is built against it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='dr-')
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        ran(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', self.dir])
        found = [place for place, _, names in os.walk(self.dir) if 'despool-runtime.pc' in names]
        assert len(found) == 1, f'pkg-config files are in {found}, expected one place'
        self.pc = found[0]
        self.lib = os.path.dirname(self.pc)
        self.include = self.asked('--variable=includedir') + '/despool'
        self.archive_only = os.path.join(self.dir, 'archive')
        os.mkdir(self.archive_only)
        shutil.copy(os.path.join(self.lib, 'libdespool-runtime.a'), self.archive_only)

    def asked(self, *questions):
        env = {**os.environ, 'PKG_CONFIG_PATH': self.pc, 'PKG_CONFIG_SYSROOT_DIR': self.dir}
        answer = ran(['pkg-config', *questions, 'despool-runtime'], env=env).strip()
        return answer

    def built(self, compiler, example, static, *flags):
        """The program, built as a stranger would: with what pkg-config says and nothing else."""
        program = os.path.join(self.dir, f'{example}-{compiler}-{"static" if static else "shared"}')
        link = self.asked('--libs', *(['--static'] if static else [])).split()
        if static:  # beside the shared library the linker would take that
            link = [word if word != '-L' + self.lib else '-L' + self.archive_only for word in link]
        ran([compiler, *STRICT, *flags, *self.asked('--cflags').split(), '-o', program,
             os.path.join(EXAMPLES, example + '.c'), *link], cwd=self.dir)
        return program

    def env(self):
        return {**os.environ, 'LD_LIBRARY_PATH': self.lib}

    def headers(self):
        for place, _, names in os.walk(self.include):
            for name in names:
                yield os.path.relpath(os.path.join(place, name), self.include)


@functools.lru_cache(None)
def installed():
    return Installed()


def every_example_works(compiler, static, *flags):
    there = installed()
    for example, says in SAYS.items():
        program = there.built(compiler, example, static, *flags)
        needed = ran(['readelf', '-d', program])
        assert ('libdespool-runtime.so' in needed) != static, f'{example} needs\n{needed}'
        said = ran([program], env=there.env())
        assert re.fullmatch(says, said), f'{example} said\n{said}expected\n{says}'


@claim(240)
def examples_build_with_gcc_against_the_shared_library_and_run():
    every_example_works('gcc', False, '-O2')


@claim(240)
def examples_build_with_gcc_against_the_static_library_and_run():
    every_example_works('gcc', True, '-O0')


@claim(240)
def examples_build_with_clang_against_the_shared_library_and_run():
    every_example_works('clang', False, '-O0')


@claim(240)
def examples_build_with_clang_against_the_static_library_and_run():
    every_example_works('clang', True, '-O2')


@claim(240)
def what_messages_and_help_name_is_installed_and_an_uninstall_leaves_nothing():
    there = tempfile.mkdtemp(prefix='du-')
    ran(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', there])
    names = {name for _, _, files in os.walk(there) for name in files}
    assert names >= {'despool', 'despoold', 'operations.md', 'PROTOCOL.md', 'README.md'}, names
    ran(['ninja', '-C', BUILD, 'uninstall'], env={**os.environ, 'DESTDIR': there})
    left = [os.path.join(place, name) for place, _, files in os.walk(there) for name in files]
    shutil.rmtree(there, ignore_errors=True)
    assert not left, f'an uninstall left {left}'


@claim(240)
def a_planted_defect_is_found_by_the_simulated_test_and_its_seed_shows_it_again():
    there = installed()
    program = there.built('gcc', 'simulated', False)
    first = ran([program, '--no-sync'], expected=1, env=there.env())
    seed = re.match(r'seed (\d+): note \d+ was promised', first)
    assert seed, f'it said {first!r}'
    again = ran([program, '--seed', seed[1], '--no-sync'], expected=1, env=there.env())
    assert again == first, f'the replay said {again!r}, the run {first!r}'
    ran([program, '--seed', seed[1]], env=there.env())


@claim(240)
def each_installed_header_compiles_alone():
    there = installed()
    assert len(list(there.headers())) in range(5, 14), f'installed: {sorted(there.headers())}'
    for header in there.headers():
        for compiler in ('gcc', 'clang'):
            source = os.path.join(there.dir, 'alone.c')
            with open(source, 'w', encoding='utf-8') as file:
                file.write(f'#include <{header}>\n#include <{header}>\nint main(void);\n')
            ran([compiler, '-std=c11', *STRICT, '-fsyntax-only',
                 *there.asked('--cflags').split(), source])


@claim(240)
def a_program_in_cpp_links_with_what_the_headers_declare():
    there = installed()
    source, program = os.path.join(there.dir, 'host.cpp'), os.path.join(there.dir, 'host-cpp')
    with open(source, 'w', encoding='utf-8') as file:
        file.writelines(f'#include <{header}>\n' for header in sorted(there.headers()))
        file.write('int main() { return verdict_err(VERDICT_FULL) == ERR_FULL && host_main &&'
                   ' sim_new && slice_of("x").size == 1 ? 0 : 1; }\n')
    ran(['clang', '-x', 'c++', '-std=c++17', *STRICT, '-Wno-pointer-bool-conversion',
         '-Wno-tautological-pointer-compare', *there.asked('--cflags').split(),
         '-o', program, source, *there.asked('--libs').split()])
    ran([program], env=there.env())


@claim(240)
def installed_headers_include_each_other_and_the_c_library_only():
    there = installed()
    names = set(there.headers())
    for header in names:
        with open(os.path.join(there.include, header), encoding='utf-8') as file:
            for quote, what in re.findall(r'^\s*#\s*include\s*(["<])([^">]+)', file.read(), re.M):
                c_library = re.match(r'std\w+\.h$|(string|assert)\.h$', what)
                known = what in names if quote == '"' else c_library
                assert known, f'{header} includes {what}'


@claim(240)
def the_shared_library_exports_what_the_headers_declare_and_nothing_else():
    there = installed()
    listed = ran(['nm', '-D', '--defined-only', os.path.join(there.lib, 'libdespool-runtime.so')])
    exported = {line.split()[-1] for line in listed.splitlines()} - {'_init', '_fini'}
    paths = [os.path.join(there.include, header) for header in there.headers()]
    tags = ran(['ctags', '-x', '--c-kinds=p', '--language-force=C', '-I', 'must_use', *paths])
    declared = {line.split()[0] for line in tags.splitlines()}
    text = ''
    for path in paths:
        with open(path, encoding='utf-8') as file:
            text += file.read()
    records = set(re.findall(r'^ *M\((\w+), "', text, re.M))  # notes.h makes them of its table
    declared |= {f'{name}_type' for name in records}
    assert len(exported) > 80, f'it exports {len(exported)} names'
    assert exported == declared, (f'exported and not declared: {sorted(exported - declared)}; '
                                  f'declared and not exported: {sorted(declared - exported)}')


@claim(240)
def the_bench_is_built_from_what_is_installed_and_w2_is_watched_while_it_runs():
    there = installed()
    tree = os.path.join(there.dir, 'bench')
    shutil.copytree(os.path.join(TOP, 'tools', 'bench.d'), os.path.join(tree, 'tools', 'bench.d'))
    sources = glob.glob(os.path.join(tree, 'tools', 'bench.d', 'ours*.c'))
    program = os.path.join(tree, 'ours')
    ran(['gcc', '-O2', '-D_GNU_SOURCE', *STRICT, '-I' + tree, *there.asked('--cflags').split(),
         '-o', program, *sources, *there.asked('--libs').split()])
    count, looks = 20000, 0
    while looks < 3 and count < 100000000:  # as many as it takes to be looked at three times
        count *= 5
        said = json.loads(ran([program, 'W2', '3ints across', str(count)], env=there.env()))
        looks = said['looks']
    assert looks >= 3, f'it was seen under way {looks} times in {count} messages'
    assert said['arrived'] == said['ops'] and said['handled'] >= said['ops'], said


@claim(240)
def the_examples_are_clean_under_valgrind():
    there = installed()
    for example, says in SAYS.items():
        program = there.built('gcc', example, False, '-g')
        arguments = ['--seed', '7'] if example == 'simulated' else []
        said = ran(['valgrind', '--quiet', '--leak-check=full', '--error-exitcode=9',
                    '--errors-for-leak-kinds=definite,possible', program, *arguments],
                   env=there.env())
        assert arguments or re.fullmatch(says, said), f'{example} said\n{said}'


run()
