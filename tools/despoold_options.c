/* despoold_options.c - see despoold_options.h. */
#include "tools/despoold_options.h"

#include <stdio.h>
#include <string.h>

#include "runtime/host.h"
#include "tools/despoold_config.h"

static int
usage(const char *what, const char *about)
{
    fprintf(stderr, "despoold: %s '%s'; despoold --help tells more\n", what, about);
    return 2;
}

static int
take_value(int argc, char **argv, int *at, const char **ret_value)
{
    const char *value = strchr(argv[*at], '=');

    if (!value && *at + 1 == argc) {
        return usage("a value is missing after", argv[*at]);
    }
    if (*ret_value) {
        return usage("given twice:", argv[*at]);
    }
    *ret_value = value ? value + 1 : argv[++*at];
    return **ret_value ? 0 : usage("a value is missing after", value ? argv[*at] : argv[*at - 1]);
}

static int
take_placement(int argc, char **argv, int *at, const char **ret_word)
{
    host_placement_t placement;
    int code = take_value(argc, argv, at, ret_word);

    if (code == 0 && !config_placement(*ret_word, &placement)) {
        code = usage("a placement is component or pool, not", *ret_word);
    }
    return code;
}

int
options_parse(int argc, char **argv, options_t *ret)
{
    int code = 0;

    for (int i = 1; i < argc && code == 0; i++) {
        size_t size = strcspn(argv[i], "=");
        if (strcmp(argv[i], "--version") == 0) {
            ret->version = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            ret->help = true;
        } else if (size == 6 && strncmp(argv[i], "--data", size) == 0) {
            code = take_value(argc, argv, &i, &ret->data);
        } else if (size == 8 && strncmp(argv[i], "--config", size) == 0) {
            code = take_value(argc, argv, &i, &ret->config);
        } else if (size == 8 && strncmp(argv[i], "--listen", size) == 0) {
            code = ret->listens > LISTEN_MAX
                       ? usage("too many endpoints with", argv[i])
                       : take_value(argc, argv, &i, &ret->listen[ret->listens++]);
        } else if (size == 14 && strncmp(argv[i], "--listen-plain", size) == 0) {
            code = take_value(argc, argv, &i, &ret->plain);
        } else if (size == 6 && strncmp(argv[i], "--root", size) == 0 && ret->join) {
            code = take_value(argc, argv, &i, &ret->root);
        } else if (size == 11 && strncmp(argv[i], "--placement", size) == 0) {
            code = take_placement(argc, argv, &i, &ret->placement);
        } else if (size == 13 && strncmp(argv[i], "--on-activate", size) == 0) {
            code = take_value(argc, argv, &i, &ret->program);
        } else if (i == 1 && strcmp(argv[i], "join") == 0) {
            ret->join = true;
        } else if (i == 1 && strcmp(argv[i], "parcel") == 0) {
            ret->parcel = true;
        } else if (ret->parcel && !ret->file && argv[i][0] != '-') {
            ret->file = argv[i];
        } else if (ret->join && !ret->token && argv[i][0] != '-') {
            ret->token = argv[i];
        } else {
            code = usage("unknown argument", argv[i]);
        }
    }
    if (code == 0 && ret->join && !ret->help && (!ret->token || !ret->root || !ret->data)) {
        code = usage("join wants", "TOKEN --data DIR --root ROOT");
    }
    if (code == 0 && ret->parcel && !ret->help && (!ret->file || !ret->data)) {
        code = usage("parcel wants", "FILE --data DIR");
    }
    return code;
}
