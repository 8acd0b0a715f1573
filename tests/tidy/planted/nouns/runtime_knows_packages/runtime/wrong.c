int package_count;
