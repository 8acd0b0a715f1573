int a; 
