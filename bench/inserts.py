"""inserts - the limit: the same rows into the same table, and nothing else.

A scratch copy of `messages` (CREATE TABLE … LIKE) takes inserts of 500 rows,
each its own transaction on the disk, from a file that the mariadb client reads.
The rows are what (a) writes: as many conversations, uuids that rise for each
sender, texts of the same length.
"""

import os
import subprocess
import time

import usage
from stack import Stack, StackError

ROWS = 500
SCRATCH = "bench_messages"
LIMIT_S = 60


def write_file(path: str, rows: int, pairs: int, text_bytes: int) -> int:
    text = ("abcdefghijklmnopqrstuvwxyz" * (text_bytes // 26 + 1))[:text_bytes]
    statements = rows // ROWS
    number = 0
    with open(path, "w", encoding="ascii") as file:
        for _ in range(statements):
            values = []
            for _ in range(ROWS):
                pair, seq = number % pairs, number // pairs + 1
                number += 1
                values.append(f"({pair + 1},{seq},{pair + 1},X'0192f0a0b1c28ddd8eee"
                              f"{pair:04x}{seq:08x}','2026-11-21 10:00:00.000','{text}')")
            file.write(f"INSERT INTO {SCRATCH} (conversation, seq, sender, uuid, created_at, body)"
                       f" VALUES {','.join(values)};\n")
    return statements * ROWS


def measure(stack: Stack, rows: int, pairs: int, text_bytes: int) -> dict:
    run = stack.settings["PARLEY_RUN_DIR"]
    path = os.path.join(run, "inserts.sql")
    rows = write_file(path, rows, pairs, text_bytes)
    words = ["mariadb", f"--defaults-file={os.path.join(run, 'conf/mariadb-client.cnf')}",
             stack.settings["PERSISTENCE_DATABASE"]]

    sql(words, f"DROP TABLE IF EXISTS {SCRATCH}; CREATE TABLE {SCRATCH} LIKE messages;")
    server = usage.family(stack.pid("mariadb"))
    spent = usage.cpu_s(server)
    start = time.monotonic()
    with open(path, encoding="ascii") as file:
        sql(words, None, file)
    took = time.monotonic() - start
    spent = usage.cpu_s(server) - spent
    count = int(sql([*words, "--batch", "--skip-column-names"], f"SELECT COUNT(*) FROM {SCRATCH};"))
    sql(words, f"DROP TABLE {SCRATCH};")
    os.remove(path)
    if count != rows:
        raise StackError(f"{count} of {rows} rows were inserted")
    return {"rows": rows, "rows_per_statement": ROWS, "seconds": round(took, 3),
            "rows_per_s": round(rows / took, 1), "mariadb_cpu_s": round(spent, 3)}


def sql(words: list[str], text: str | None, file=None) -> str:
    try:
        done = subprocess.run(words, input=text, stdin=file, text=True, capture_output=True,
                              timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise StackError(f"the inserts took more than {LIMIT_S} s") from error
    if done.returncode:
        raise StackError(f"mariadb: {done.stderr.strip()}")
    return done.stdout
