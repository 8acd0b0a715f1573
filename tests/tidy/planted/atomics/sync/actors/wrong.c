int wrong_function(int *p);
int
wrong_function(int *p)
{
    return __sync_lock_test_and_set(p, 1);
}
