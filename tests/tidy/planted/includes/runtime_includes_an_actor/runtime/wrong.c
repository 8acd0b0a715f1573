#include "actors/messages.h"
