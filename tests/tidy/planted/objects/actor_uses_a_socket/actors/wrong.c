#include <zmq.h>
void *wrong_function(void *c);
void *
wrong_function(void *c)
{
    return zmq_socket(c, ZMQ_PUSH);
}
