/* world_sim_place.c - where in its code a job is, told by its calls.
 *
 * A place is the last named point that the job passed, the operation, and the name of what it works
 * on; a name by chance or by digest (eight hexadecimal digits and more) counts as one name, so that
 * the count tells of code and not of chance. */
#include "runtime/world_sim_machine.h"

#include <ctype.h>
#include <string.h>

#define CHANCE_DIGITS 8u

static uint64_t
mixed(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * UINT64_C(0x100000001b3);
    return hash ^ (hash >> 29);
}

static uint64_t
of_name(uint64_t hash, const char *name)
{
    while (*name != '\0') {
        size_t digits = 0;
        while (isxdigit((unsigned char) name[digits])) {
            digits++;
        }
        bool drawn = digits >= CHANCE_DIGITS;
        hash = mixed(hash, drawn ? '#' : (unsigned char) *name);
        name += drawn ? digits : 1;
    }
    return hash;
}

static uint64_t
of_descriptor(const world_sim_t *sim, int fd)
{
    return fd < 0 || fd >= SIM_FDS_MAX ? 0 : sim->fds[fd].place;
}

static uint64_t
of_subject(const world_sim_t *sim, const sim_call_t *call)
{
    uint64_t base = of_descriptor(sim, call->fd);

    if (call->path == NULL) {
        return base;
    }
    return of_name(call->path[0] == '/' ? 0 : mixed(base, '/'), call->path);
}

void
sim_place_enter(sim_job_t *job, const sim_call_t *call)
{
    job->place = mixed(of_name(job->phase, call->operation), of_subject(job->sim, call)) | 1;
}

void
sim_place_leave(sim_job_t *job, const sim_call_t *call, int64_t result)
{
    if (strcmp(call->operation, "point") == 0) {
        job->phase = of_name(0, call->path);
    } else if (strcmp(call->operation, "open") == 0 && result >= 0) {
        job->sim->fds[result].place = of_subject(job->sim, call);
    }
}

uint64_t
world_sim_place(const world_t *job)
{
    return ((const sim_job_t *) job->self)->place;
}
