#include "runtime/mailbox.h"
