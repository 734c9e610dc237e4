"""The hashing gate: a bounded, fair pool of low-priority threads, sized by the processors of this process."""
