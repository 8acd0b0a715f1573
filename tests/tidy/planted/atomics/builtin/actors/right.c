/* asm and volatile may be spoken of */
const char *right_text(void);
const char *
right_text(void)
{
    return "volatile";
}
