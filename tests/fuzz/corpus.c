/* corpus.c - runs every file of a directory through a fuzzer's entry point, as a plain test. */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_BYTES (4u << 20)

/* In memory of exactly its size, so that a sanitizer sees a byte too far. */
static void
run_input(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size + (size == 0));
    PROMISE(exact != NULL);
    memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static int
run_file(const char *directory, const char *name)
{
    static uint8_t bytes[INPUT_BYTES];
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    fprintf(stderr, "%s\n", name); /* the last name is the one that broke a promise */
    for (size_t cut = 0; cut < size && cut < 300; cut++) {
        run_input(bytes, cut);
    }
    run_input(bytes, size);
    return 0;
}

int
main(int count, char **arguments)
{
    int failed = 0, files = 0;
    DIR *directory = count == 2 ? opendir(arguments[1]) : NULL;
    if (directory == NULL) {
        fputs("usage: corpus DIRECTORY\n", stderr);
        return 2;
    }
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] != '.') {
            failed |= run_file(arguments[1], entry->d_name);
            files++;
        }
    }
    closedir(directory);
    printf("%d inputs\n", files);
    return failed != 0 || files == 0;
}
