#include <czmq.h>
void *right_function(zhashx_t *h);
void *
right_function(zhashx_t *h)
{
    return zhashx_lookup(h, "x");
}
