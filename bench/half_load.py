"""half_load - how long a message takes at half of the most that goes.

Open loop: messages leave at fixed times, whatever comes back, and are counted from
when they should have left.
"""

from client import Client


def half_load(client: Client, url: str, words: list[str], maximum: float, seconds: int) -> dict:
    """`words` say who writes to whom; `maximum` is what the same people saved a second."""
    rate = max(1, round(maximum / 2))
    return client.run("pairs", url, *words, "--rate", str(rate), "--seconds", str(seconds))
