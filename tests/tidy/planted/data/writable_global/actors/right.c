const char *const right_table[] = {"a", "b"};
static const int right_numbers[] = {1, 2};
int right_function(int a);
int
right_function(int a)
{
    return right_numbers[a];
}
