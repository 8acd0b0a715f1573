#include <time.h>
int wrong_function(int a);
int
wrong_function(int a)
{
    return (int) time(NULL) + a;
}
