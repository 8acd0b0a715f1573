int wrong_global = 3;
