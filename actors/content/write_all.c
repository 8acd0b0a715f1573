/* write_all.c - see write_all.h. */
#include "actors/content/write_all.h"

int
write_all(world_t *world, int fd, const void *bytes, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        int64_t got =
            world_write(world, fd, (const char *) bytes + done, size - done, offset + done);
        if (got < 0) {
            return (int) got;
        }
        done += (size_t) got;
    }
    return 0;
}
