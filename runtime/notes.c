/* notes.c - the descriptors of the runtime's own messages. */
#include "runtime/notes.h"

enum {
    NOTE_ZERO = NOTE_NUMBER_FIRST - 1,
#define NOTE_NUMBER(note, sentence) NOTE_NUMBER_##note,
    NOTES(NOTE_NUMBER)
#undef NOTE_NUMBER
};

#define NOTE_DEFINE(note, sentence) RECORD_DEFINE(note, NOTE_NUMBER_##note, NOTE_##note)
NOTES(NOTE_DEFINE)
#undef NOTE_DEFINE
