/* cli_restore.c - site restore: a data directory from a backup, while no host runs on it. */
#include "tools/cli.h"

#include <inttypes.h>
#include <stdlib.h>

#include "actors/content/backup.h"
#include "proto/limits.h"
#include "runtime/world_os.h"
#include "tools/cli_print.h"
#include "tools/data_default.h"

static int
fail(const cli_line_t *line, err_t err, const fault_t *fault)
{
    char text[1024];

    cli_fail(line, err_word(err), err_hint(err), "%s", fault_text(fault, text, sizeof text));
    return EXIT_REFUSED;
}

static void
tell(const cli_line_t *line, const char *data, const backup_result_t *result)
{
    if (line->json) {
        printf("{\"files\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", result->files, result->bytes);
        return;
    }
    cli_line(stdout, "restored %" PRIu64 " files, %" PRIu64 " bytes", result->files, result->bytes);
    cli_line(stdout, "despoold --data %s starts it; the site that was backed up must not run again",
             data);
}

int
cli_restore(const cli_line_t *line)
{
    world_os_t os;
    fault_t fault = {0};
    backup_result_t result = {0};
    char *data = line->data ? cli_absolute(line->data) : data_default();

    if (!data) {
        cli_fail(line, "usage", NULL, "despool: --data takes a path of 1 to %u bytes",
                 (unsigned) PATH_BYTES_MAX);
        return EXIT_USAGE;
    }
    if (line->dry_run || line->connect) {
        cli_fail(line, "usage", NULL, "despool: site restore wants --data DIR, and no %s",
                 line->dry_run ? "--dry-run" : "--connect");
        free(data);
        return EXIT_USAGE;
    }
    err_t err = backup_restore(world_os_init(&os, NULL), cli_argument(line, "BACKUP")->path, data,
                               &result, &fault);
    if (err == OK) {
        tell(line, data, &result);
    }
    free(data);
    return err == OK ? EXIT_DONE : fail(line, err, &fault);
}
