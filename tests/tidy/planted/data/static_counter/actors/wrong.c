int wrong_function(int a);
int
wrong_function(int a)
{
    static int count;
    count += a;
    return count;
}
