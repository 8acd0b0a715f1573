#include <stdlib.h>
char *wrong_function(void);
char *
wrong_function(void)
{
    return getenv("HOME");
}
