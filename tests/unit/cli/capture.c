/* capture.c - see capture.h. */
#include "tests/unit/cli/capture.h"

#include <assert.h>
#include <unistd.h>

void
capture_begin(capture_t *capture)
{
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        capture->file[i] = tmpfile();
        assert(capture->file[i]);
        capture->kept[i] = dup(i + 1);
        dup2(fileno(capture->file[i]), i + 1);
    }
}

static void
take(capture_t *capture, int i, char *text, size_t size)
{
    dup2(capture->kept[i], i + 1);
    close(capture->kept[i]);
    rewind(capture->file[i]);
    text[fread(text, 1, size - 1, capture->file[i])] = 0;
    fclose(capture->file[i]);
}

void
capture_end(capture_t *capture)
{
    fflush(NULL);
    take(capture, 0, capture->out, sizeof capture->out);
    take(capture, 1, capture->err, sizeof capture->err);
}
