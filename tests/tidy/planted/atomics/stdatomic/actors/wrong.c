#include <stdatomic.h>
int wrong_function(atomic_int *p);
int
wrong_function(atomic_int *p)
{
    return (int) atomic_load(p);
}
