#include <fcntl.h>
int wrong_function(int a);
int
wrong_function(int a)
{
    return open("/dev/null", a);
}
