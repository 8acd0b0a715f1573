#include <unistd.h>
int wrong_function(int a);
int
wrong_function(int a)
{
    return usleep((unsigned) a);
}
