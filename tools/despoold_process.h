/* despoold_process.h - what the process has of the system: descriptors and memory.
 *
 * Shape    two settings, each made once, before or while the first threads begin.
 * Promises a setting that the system refuses changes nothing else.
 * Threads  the main one.
 */
#pragma once

/* Each agent that is here takes a descriptor: as many as the system lets us have. */
void process_raise_descriptors(void);
/* Blocks of content go from hand to hand, and their memory with them, without a way through the
 * system. */
void process_keep_memory(void);
