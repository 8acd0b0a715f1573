#include <sqlite3.h>
int wrong_function(sqlite3 *d);
int
wrong_function(sqlite3 *d)
{
    return sqlite3_close(d);
}
