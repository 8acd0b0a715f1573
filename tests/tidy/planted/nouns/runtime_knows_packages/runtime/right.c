/* a package, say */
int count;
