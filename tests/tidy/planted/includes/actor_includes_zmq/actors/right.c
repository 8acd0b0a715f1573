#include "runtime/actor.h"
#include <czmq.h>
