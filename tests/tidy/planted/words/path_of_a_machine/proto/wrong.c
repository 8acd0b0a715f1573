/* see /work/main */
