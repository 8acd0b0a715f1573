/* wrong.c - an actor.
 *
 * hears a
 * tells b
 * asks c
 * keeps d
 */
const actor_class_t wrong_class = {0};
