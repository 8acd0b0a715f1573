def nobody_gets_in_here():
    pass
