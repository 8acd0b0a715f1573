int
short_function(int a)
{
    return a;
}
int
short_function(int a)
{
    return a;
}
int
short_function(int a)
{
    return a;
}
int
short_function(int a)
{
    return a;
}
int
short_function(int a)
{
    return a;
}
int
short_function(int a)
{
    return a;
}
int
short_function(int a)
{
    return a;
}
int
short_function(int a)
{
    return a;
}
