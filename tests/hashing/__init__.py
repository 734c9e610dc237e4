"""The hashing gate, its queue and its budget: in memory, in milliseconds."""
