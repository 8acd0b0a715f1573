int
f(int a)
{
    do {
        a++;
    } while (a < 5);
    if (a) {
        return 1;
    } else if (a > 2) {
        return 2;
    }
    return 0; /* else nothing */
}
