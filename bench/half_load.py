"""half_load - the time of a message at half of the maximum.

Open loop: messages leave at fixed times, whether answers arrive or not, and each time
counts from the moment at which the message should have left.
"""

from client import Client


def half_load(client: Client, url: str, words: list[str], maximum: float, seconds: int) -> dict:
    """`words` choose senders and recipients; `maximum` is their maximum of saved messages/s."""
    rate = max(1, round(maximum / 2))
    return client.run("pairs", url, *words, "--rate", str(rate), "--seconds", str(seconds))
