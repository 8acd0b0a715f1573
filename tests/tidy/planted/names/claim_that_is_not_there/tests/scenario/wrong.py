def somebody_gets_in_here():
    pass
