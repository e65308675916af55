// How much of a file goes on its way at once.
