/* link_frames.c - a message of a peer or door link as its frames: as many as were expected, the
 * rest read and counted only. */
#include "runtime/link_inside.h"

bool
link_frames(link_t *link, zmq_msg_t *frame, uint32_t max, uint32_t *ret_count)
{
    zmq_msg_t other;
    uint32_t count = 0;
    bool more = true;

    zmq_msg_init(&other);
    for (; more; count++) {
        zmq_msg_t *into = count < max ? &frame[count] : &other;
        if (zmq_msg_recv(into, link->socket, ZMQ_DONTWAIT) < 0) {
            break;
        }
        more = zmq_msg_more(into);
    }
    zmq_msg_close(&other);
    *ret_count = count;
    return !more;
}
