"""One file for each outside format; what it yields is plain data, without Django."""
