/* statements.c - the texts of the statements; see statements.h. */
#include "actors/database/statements.h"

static const char *const texts[SQL_COUNT] = {
#define SQL_TEXT(symbol, text) [symbol] = text,
    SQL_STATEMENTS(SQL_TEXT)
#undef SQL_TEXT
};

static const char *const symbols[SQL_COUNT] = {
#define SQL_NAME(symbol, text) [symbol] = #symbol,
    SQL_STATEMENTS(SQL_NAME)
#undef SQL_NAME
};

const char *
sql_text(sql_t which)
{
    return texts[which];
}

const char *
sql_symbol(sql_t which)
{
    return symbols[which];
}
