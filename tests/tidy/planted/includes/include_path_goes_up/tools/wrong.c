#include "../proto/record.h"
