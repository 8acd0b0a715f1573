/* data_default.h - where a site lives when nobody says so: the same for both programs.
 *
 * Shape    /var/lib/despool as root, else $XDG_STATE_HOME/despool, else ~/.local/state/despool.
 * Owner    the text is the caller's to free; NULL: out of memory.
 */
#pragma once

char *data_default(void);
