/* words.c - see words.h. */
#include "tests/unit/cli/words.h"

#include <assert.h>
#include <string.h>

#define WORDS_MAX 32

int
words_parse(const char *const *words, cli_line_t *ret_line)
{
    static char text[4096];
    static char *word[WORDS_MAX];
    size_t used = 0;
    int count = 0;

    for (; words[count]; count++) {
        size_t size = strlen(words[count]) + 1;
        assert(count < WORDS_MAX && used + size <= sizeof text);
        word[count] = memcpy(text + used, words[count], size);
        used += size;
    }
    return cli_parse(count, word, ret_line);
}
