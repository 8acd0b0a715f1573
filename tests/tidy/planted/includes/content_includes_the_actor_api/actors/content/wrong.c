#include "runtime/actor.h"
