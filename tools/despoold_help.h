/* despoold_help.h - what despoold --help says.
 *
 * Shape    one function, to standard output.
 * Promises every option of despoold is in it.
 * Threads  the main one.
 */
#pragma once

void despoold_help(void);
