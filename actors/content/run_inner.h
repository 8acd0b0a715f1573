/* run_inner.h - the marks of a run's parts; for run*.c only.
 *
 * Shape    constants.
 * Threads  none.
 */
#pragma once

#define RUN_PAGE_MARK "DSIP"
#define RUN_TAIL_MARK "DSPRUN"
#define RUN_FORMAT    1u
