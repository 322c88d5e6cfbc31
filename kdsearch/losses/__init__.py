"""Pure formulas, one idea a file, shared by methods, teachers and the supernet."""
