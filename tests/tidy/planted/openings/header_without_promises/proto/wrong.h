/* wrong.h - a header. */
