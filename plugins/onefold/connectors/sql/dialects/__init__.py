"""What is particular to one kind of SQL database: one module each, behind one class."""
