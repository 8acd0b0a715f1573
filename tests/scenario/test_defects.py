#!/usr/bin/python3
"""The judge of tests/DEFECTS.md fails a row that is marked proven and is not."""
import os
import subprocess
import tempfile

from harness import TOP, claim, run

JUDGE = os.path.join(TOP, 'tools', 'tidy.d', 'defects')


def judged(row, ran):
    """The exit code and the words of the judge for one row and the names that ran."""
    with tempfile.TemporaryDirectory() as directory:
        table, names = os.path.join(directory, 'table.md'), os.path.join(directory, 'ran')
        with open(table, 'w', encoding='utf-8') as file:
            file.write('| row | what | test | mutant | state |\n|---|\n' + row + '\n')
        with open(names, 'w', encoding='utf-8') as file:
            file.write('\n'.join(ran) + '\n')
        with open(os.path.join(directory, 'old_start.mutant'), 'w', encoding='utf-8') as file:
            file.write('rows: D01\ntest: unit\nclaim: q1_holds\nwhy: the old way\n\n--- a diff\n')
        done = subprocess.run([JUDGE, names, table, directory], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stdout


@claim(20)
def a_proven_row_whose_test_ran_passes():
    code, words = judged('| D01 | a | `q1_holds` | `old_start` | proven |', ['unit/q1_holds'])
    assert code == 0, words


@claim(20)
def a_proven_row_whose_test_did_not_run_fails():
    code, words = judged('| D01 | a | `q1_holds` | `old_start` | proven |', ['unit/q2_holds'])
    assert code == 1 and 'did not run' in words, words


@claim(20)
def a_proven_row_without_a_test_fails():
    code, words = judged('| D01 | a | - | old start | proven |', ['unit/q1_holds'])
    assert code == 1 and 'names no test' in words, words


@claim(20)
def a_proven_row_without_a_mutant_fails():
    code, words = judged('| D01 | a | `q1_holds` | - | proven |', ['unit/q1_holds'])
    assert code == 1 and 'mutant' in words, words


@claim(20)
def a_proven_row_whose_mutant_is_of_another_row_or_nowhere_fails():
    for row, mutant in (('D02', 'old_start'), ('D01', 'nowhere')):
        code, words = judged(f'| {row} | a | `q1_holds` | `{mutant}` | proven |', ['unit/q1_holds'])
        assert code == 1 and mutant in words, words


@claim(20)
def a_proven_row_whose_mutant_claims_what_did_not_run_fails():
    code, words = judged('| D01 | a | `q2` | `old_start` | proven |', ['unit/q2'])
    assert code == 1 and 'q1_holds' in words, words


@claim(20)
def a_row_that_is_not_proven_yet_passes():
    code, words = judged('| D01 | a | - | - | not yet |', [])
    assert code == 0, words


@claim(20)
def a_state_that_is_no_word_fails():
    code, words = judged('| D01 | a | `q1` | b | done |', ['q1'])
    assert code == 1, words


run()
