/* floor.c - what nobody can beat: reads each file once, hashes it, writes it to each target.
 *
 * Usage    floor SOURCE TARGET...: the targets are made. Modes, links and times are kept.
 */
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (1u << 20)
#define TARGETS     64

static unsigned char block[BLOCK_BYTES];
static EVP_MD_CTX *hash;
static int count;

static void
fail(const char *what, const char *name)
{
    fprintf(stderr, "floor: cannot %s '%s'\n", what, name);
    exit(1);
}

static void
copy_file(int from, const int *to, const char *name, const struct stat *about)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct timespec times[2] = {about->st_atim, about->st_mtim};
    int out[TARGETS], in = openat(from, name, O_RDONLY | O_NOFOLLOW);
    ssize_t got;
    if (in < 0) {
        fail("open", name);
    }
    for (int i = 0; i < count; i++) {
        out[i] = openat(to[i], name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    }
    EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
    while ((got = read(in, block, BLOCK_BYTES)) > 0) {
        EVP_DigestUpdate(hash, block, (size_t) got);
        for (int i = 0; i < count; i++) {
            if (write(out[i], block, (size_t) got) != got) {
                fail("write", name);
            }
        }
    }
    EVP_DigestFinal_ex(hash, digest, NULL);
    for (int i = 0; i < count; i++) {
        if (fchmod(out[i], about->st_mode & 07777) != 0 || futimens(out[i], times) != 0) {
            fail("set the mode of", name);
        }
        close(out[i]);
    }
    close(in);
}

static void
copy_link(int from, const int *to, const char *name)
{
    char text[4096];
    ssize_t size = readlinkat(from, name, text, sizeof text - 1);
    if (size < 0) {
        fail("read the link", name);
    }
    text[size] = '\0';
    for (int i = 0; i < count; i++) {
        if (symlinkat(text, to[i], name) != 0) {
            fail("make the link", name);
        }
    }
}

static void copy_directory(int from, const int *to);

static void
copy_below(int from, const int *to, const char *name, const struct stat *about)
{
    int below[TARGETS], in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    for (int i = 0; i < count; i++) {
        mkdirat(to[i], name, 0700);
        below[i] = openat(to[i], name, O_RDONLY | O_DIRECTORY);
        if (in < 0 || below[i] < 0) {
            fail("make", name);
        }
    }
    copy_directory(in, below);
    for (int i = 0; i < count; i++) {
        if (fchmod(below[i], about->st_mode & 07777) != 0) {
            fail("set the mode of", name);
        }
        close(below[i]);
    }
}

/* Takes from. */
static void
copy_directory(int from, const int *to)
{
    DIR *listing = fdopendir(from);
    struct dirent *entry;
    struct stat about;
    while (listing != NULL && (entry = readdir(listing)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (fstatat(from, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
            fail("look at", entry->d_name);
        } else if (S_ISDIR(about.st_mode)) {
            copy_below(from, to, entry->d_name, &about);
        } else if (S_ISLNK(about.st_mode)) {
            copy_link(from, to, entry->d_name);
        } else {
            copy_file(from, to, entry->d_name, &about);
        }
    }
    closedir(listing);
}

int
main(int argc, char **argv)
{
    int to[TARGETS];
    if (argc < 3 || argc > TARGETS + 2) {
        fprintf(stderr, "usage: floor SOURCE TARGET...\n");
        return 2;
    }
    hash = EVP_MD_CTX_new();
    count = argc - 2;
    for (int i = 0; i < count; i++) {
        mkdir(argv[i + 2], 0755);
        to[i] = open(argv[i + 2], O_RDONLY | O_DIRECTORY);
        if (to[i] < 0) {
            fail("make", argv[i + 2]);
        }
    }
    int from = open(argv[1], O_RDONLY | O_DIRECTORY);
    if (from < 0) {
        fail("open", argv[1]);
    }
    copy_directory(from, to);
    EVP_MD_CTX_free(hash);
    return 0;
}
