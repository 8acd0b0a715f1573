// return 0;
