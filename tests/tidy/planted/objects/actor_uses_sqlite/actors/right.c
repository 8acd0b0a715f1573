int right_function(int a);
int
right_function(int a)
{
    return a + 1;
}
