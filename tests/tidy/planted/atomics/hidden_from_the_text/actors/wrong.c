#include "tests/tidy/planted/hidden.inc"
int wrong_function(int *p);
int
wrong_function(int *p)
{
    return HIDDEN(p);
}
