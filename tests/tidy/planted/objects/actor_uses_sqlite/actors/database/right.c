#include <sqlite3.h>
int right_database(sqlite3 *d);
int
right_database(sqlite3 *d)
{
    return sqlite3_close(d);
}
