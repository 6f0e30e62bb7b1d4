"""lookups - part (d): token look-ups at identity."""

from bench import Bench, say


def lookup(bench: Bench) -> dict:
    say("(d) token look-ups")
    return {"direct": bench.repeat(lambda _: bench.client().run(
        "lookup", bench.stack.url("IDENTITY_PORT"), "--warm-up", "1",
        "--seconds", str(max(2, bench.seconds // 3))))}
