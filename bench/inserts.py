"""inserts - the limit: the same rows into the same table, and nothing else.

A scratch copy of `messages` (CREATE TABLE … LIKE) takes inserts of 500 rows,
each its own transaction on the disk, from a file that the mariadb client reads.
The rows look like those of (a): as many conversations, uuids that rise for each
sender, texts of the same length.
"""

import os
import subprocess
import time

import usage
from stack import Stack, StackError

ROWS = 500
SCRATCH = "bench_messages"
MEMBERLESS = 2_000_000_000  # conversations from here on have no members
LIMIT_S = 60


def write_file(path: str, rows: int, pairs: int, text_bytes: int, table: str = SCRATCH,
               first: int = 1, seqs_before: int = 0) -> int:
    text = ("abcdefghijklmnopqrstuvwxyz" * (text_bytes // 26 + 1))[:text_bytes]
    statements = rows // ROWS
    number = 0
    with open(path, "w", encoding="ascii") as file:
        for _ in range(statements):
            values = []
            for _ in range(ROWS):
                pair, seq = number % pairs, seqs_before + number // pairs + 1
                number += 1
                values.append(f"({pair + first},{seq},{pair + first},X'0192f0a0b1c28ddd8eee"
                              f"{pair:04x}{seq:08x}','2026-11-21 10:00:00.000','{text}')")
            file.write(f"INSERT INTO {table} (conversation, seq, sender, uuid, created_at, body)"
                       f" VALUES {','.join(values)};\n")
    return statements * ROWS


def measure(stack: Stack, rows: int, pairs: int, text_bytes: int) -> dict:
    """Into an empty table of its own."""
    sql(stack, f"DROP TABLE IF EXISTS {SCRATCH}; CREATE TABLE {SCRATCH} LIKE messages;")
    result = timed(stack, rows, pairs, text_bytes)
    count = int(sql(stack, f"SELECT COUNT(*) FROM {SCRATCH}; DROP TABLE {SCRATCH};"))
    if count != result["rows"]:
        raise StackError(f"{count} of {result['rows']} rows were inserted")
    return result


def measure_among(stack: Stack, rows: int, pairs: int, text_bytes: int, turn: int) -> dict:
    """Into `messages` itself, among its rows; conversations without members."""
    return timed(stack, rows, pairs, text_bytes, "messages", MEMBERLESS, turn * rows)


def timed(stack: Stack, rows: int, *shape) -> dict:
    path = os.path.join(stack.settings["PARLEY_RUN_DIR"], "inserts.sql")
    rows = write_file(path, rows, *shape)
    server = usage.family(stack.pid("mariadb"))
    spent = usage.cpu_s(server)
    start = time.monotonic()
    with open(path, encoding="ascii") as file:
        sql(stack, None, file)
    took = time.monotonic() - start
    spent = usage.cpu_s(server) - spent
    os.remove(path)
    return {"rows": rows, "rows_per_statement": ROWS, "seconds": round(took, 3),
            "rows_per_s": round(rows / took, 1), "mariadb_cpu_s": round(spent, 3)}


def sql(stack: Stack, text: str | None, file=None, limit_s: int = LIMIT_S) -> str:
    """The answer of the stack's MariaDB, a line for each row."""
    run = stack.settings["PARLEY_RUN_DIR"]
    words = ["mariadb", f"--defaults-file={os.path.join(run, 'conf/mariadb-client.cnf')}",
             "--batch", "--skip-column-names", stack.settings["PERSISTENCE_DATABASE"]]
    try:
        done = subprocess.run(words, input=text, stdin=file, text=True, capture_output=True,
                              timeout=limit_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise StackError(f"a statement took more than {limit_s} s") from error
    if done.returncode:
        raise StackError(f"mariadb: {done.stderr.strip()}")
    return done.stdout
