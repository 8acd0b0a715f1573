#include "actors/despooler.h"
