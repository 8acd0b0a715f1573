static __thread int mine;
int wrong_function(int a);
int
wrong_function(int a)
{
    mine += a;
    return mine;
}
