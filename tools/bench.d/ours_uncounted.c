/* ours_uncounted.c - what takes the place of the runtime's figures of watching in a build that is
 * compared with ours, to tell what they cost: the linker's --wrap sends the calls here.
 */
struct actor;
void __wrap_watch_depths(struct actor *actor);
void __wrap_watch_handled(struct actor *actor);

void
__wrap_watch_depths(struct actor *actor)
{
    (void) actor;
}

void
__wrap_watch_handled(struct actor *actor)
{
    (void) actor;
}
