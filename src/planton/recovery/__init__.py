"""Operations on one stack, with guards against plugin faults and recovery from interrupted operations."""
