/* right.h - a header.
 *
 * Shape    none.
 * Promises nothing.
 */
