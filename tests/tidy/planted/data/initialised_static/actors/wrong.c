static int last = 7;
int wrong_function(int a);
int
wrong_function(int a)
{
    last ^= a;
    return last;
}
