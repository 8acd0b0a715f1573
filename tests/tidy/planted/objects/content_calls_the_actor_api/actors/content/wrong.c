void actor_tell_anyone(void);
void wrong_function(void);
void
wrong_function(void)
{
    actor_tell_anyone();
}
