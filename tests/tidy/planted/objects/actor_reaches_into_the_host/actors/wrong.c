void host_start(void);
void wrong_function(void);
void
wrong_function(void)
{
    host_start();
}
