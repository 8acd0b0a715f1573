/* test_errors.c - the closed table of errors and the text of a fault. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "proto/errors.h"

Test(errors, every_code_has_a_word_of_its_own_and_comes_back_from_it)
{
    for (int err = OK; err < ERR_COUNT; err++) {
        const char *word = err_word((err_t) err);
        cr_assert_not_null(word, "code %d", err);
        cr_assert_eq((int) err_of_word(word, strlen(word)), err, "word %s", word);
        cr_assert_gt(strlen(err_sentence((err_t) err)), 0, "word %s", word);
        cr_assert_gt(strlen(err_hint((err_t) err)), 0, "word %s", word);
        cr_assert_eq(err_class((err_t) err) == CLASS_NONE, err == OK, "word %s", word);
    }
}

Test(errors, a_code_or_word_that_nobody_knows_reads_as_internal)
{
    cr_assert_str_eq(err_word((err_t) 9999), "internal");
    cr_assert_eq(err_class((err_t) -1), CLASS_STOP);
    cr_assert_eq(err_of_word("nothing-like-it", 15), ERR_INTERNAL);
    cr_assert_eq(err_of_word("absen", 5), ERR_INTERNAL);
    cr_assert_eq(err_of_word("", 0), ERR_INTERNAL);
    cr_assert_str_eq(error_class_word((error_class_t) 77), "stop");
    cr_assert_str_eq(error_class_word(CLASS_RESOURCE), "resource");
}

Test(errors, what_the_system_says_has_a_class_that_fits)
{
    cr_assert_eq(err_of_errno(0), OK);
    cr_assert_eq(err_of_errno(ENOENT), ERR_ABSENT);
    cr_assert_eq(err_of_errno(ENOSPC), ERR_SPACE);
    cr_assert_eq(err_of_errno(EDQUOT), ERR_SPACE);
    cr_assert_eq(err_of_errno(EXDEV), ERR_NOT_THIS_POINT);
    cr_assert_eq(err_of_errno(EIO), ERR_IO);
    for (int os_error = 1; os_error < 200; os_error++) {
        cr_assert_neq(err_class(err_of_errno(os_error)), CLASS_STOP,
                      "errno %d of a point would stop the host", os_error);
    }
}

Test(faults, tell_what_was_done_to_what_and_why_it_failed)
{
    fault_t fault;
    char text[700];
    cr_assert_eq(RAISE(&fault, ERR_PERMISSION, EACCES, "open", "x"), ERR_PERMISSION);
    cr_assert_str_eq(fault_text(&fault, text, sizeof text),
                     "cannot open 'x': permission denied (EACCES)");
    cr_assert_str_eq(fault.file, "test_errors.c");
    fault.need = 4096;
    fault.have = 0;
    fault.inodes = true;
    cr_assert_str_eq(fault_text(&fault, text, sizeof text),
                     "cannot open 'x': permission denied (EACCES), need 4096 inodes, have 0 "
                     "inodes");
}

Test(faults, show_odd_bytes_and_format_directives_as_they_are_on_one_line)
{
    fault_t fault;
    char text[700];
    RAISE(&fault, ERR_IO, 0, "read", "%n%s\n\xff\xc3\xbc");
    cr_assert_str_eq(fault_text(&fault, text, sizeof text),
                     "cannot read '%n%s\\x0A\\xFF\xc3\xbc': an input or output operation failed");
}

Test(faults, cut_a_long_subject_at_a_whole_character_and_need_no_fault_to_fill)
{
    fault_t fault;
    char long_subject[2 * FAULT_SUBJECT_BYTES];
    for (size_t i = 0; i + 1 < sizeof long_subject; i += 2) {
        memcpy(long_subject + i, "\xc3\xbc", 2);
    }
    long_subject[sizeof long_subject - 1] = '\0';
    RAISE(&fault, ERR_IO, 0, "read", long_subject);
    cr_assert_eq(strlen(fault.subject), FAULT_SUBJECT_BYTES - 2);
    cr_assert_eq(fault_set(NULL, ERR_IO, 0, "read", NULL, "a/b.c", 1), ERR_IO);
    char small[20];
    cr_assert_lt(strlen(fault_text(&fault, small, sizeof small)), sizeof small);
}
