"""Who is within reach of a facility, and how old a facility is."""
