"""partition - the partition of a user's events, as in docs/protocol/message_events.md."""

MASK = (1 << 64) - 1


def event_partition(user: int, partitions: int = 12) -> int:
    user ^= user >> 33
    user = user * 0xFF51AFD7ED558CCD & MASK
    user ^= user >> 33
    user = user * 0xC4CEB9FE1A85EC53 & MASK
    user ^= user >> 33
    return user % partitions
