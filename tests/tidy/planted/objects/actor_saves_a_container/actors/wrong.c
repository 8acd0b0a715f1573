#include <czmq.h>
int wrong_function(zhashx_t *h);
int
wrong_function(zhashx_t *h)
{
    return zhashx_save(h, "/tmp/x");
}
