int wrong_function(int a);
int
wrong_function(int a)
{
    __asm__("" : "+r"(a));
    return a;
}
