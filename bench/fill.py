"""fill - a database `chat` as after a long time, made in minutes.

MariaDB itself makes the rows, with its engine of sequences, in empty tables, and then
builds index by index. The rows look like real ones: texts of 40 to 360 bytes, uuids that
rise with time, two users in turn in each conversation.
"""

import inserts
from stack import Stack

STRANGERS = 10_000_000  # ids from here on belong to no account
READER_CONVERSATIONS = 100
LIMIT_S = 1800

LOW, HIGH = ("CAST(SUBSTRING_INDEX(SUBSTRING_INDEX(ckey, ':', 2), ':', -1) AS UNSIGNED)",
             "CAST(SUBSTRING_INDEX(ckey, ':', -1) AS UNSIGNED)")
UUID = ("UNHEX(CONCAT(LPAD(HEX(1700000000000 + seq * 3600000 + id), 12, '0'), '7',"
        " LEFT(MD5(id * 1000 + seq), 3), '8', SUBSTR(MD5(id * 1000 + seq), 4, 15)))")
BODY = "LEFT(REPEAT(MD5(id * 1000 + seq), 12), 40 + (id * 7919 + seq * 131) % 321)"
NOW = "'2026-11-21 10:00:00.000'"
COLUMNS = "id, kind, ckey, name, last_seq, last_message_id, created_by, created_at"


def sql(stack: Stack, text: str) -> str:
    return inserts.sql(stack, text, limit_s=LIMIT_S)


def many_messages(stack: Stack, reader: int, rows: int, each: int) -> None:
    """`rows` messages, `each` to a conversation; the reader is in a hundred conversations."""
    fill(stack, each, f"""
        INSERT INTO conversations ({COLUMNS})
        SELECT seq, 1, CONCAT('d:', IF(seq <= {READER_CONVERSATIONS}, {reader},
                              {STRANGERS} + seq DIV 10), ':', {2 * STRANGERS} + seq),
               NULL, {each}, seq * {each}, {reader}, {NOW}
        FROM seq_1_to_{rows // each}""")


def many_conversations(stack: Stack, users: list[int], senders: list[int], peers: int,
                       rows: int) -> None:
    """Each sender with the `peers` users behind it in the list, round in a ring."""
    values = ",".join(f"({at},{user},{int(at in senders)})" for at, user in enumerate(users))
    sql(stack, f"""
        CREATE OR REPLACE TABLE bench_users (at INT PRIMARY KEY, id BIGINT, sends INT);
        INSERT INTO bench_users VALUES {values};
        CREATE OR REPLACE TABLE bench_conversations (
            ckey VARCHAR(64) CHARACTER SET ascii PRIMARY KEY);
        INSERT IGNORE INTO bench_conversations
        SELECT CONCAT('d:', LEAST(a.id, b.id), ':', GREATEST(a.id, b.id))
        FROM bench_users a JOIN seq_1_to_{peers} s
        JOIN bench_users b ON b.at = (a.at + s.seq) % {len(users)} WHERE a.sends""")
    each = max(1, rows // int(sql(stack, "SELECT COUNT(*) FROM bench_conversations")))
    fill(stack, each, f"""
        INSERT INTO conversations ({COLUMNS})
        SELECT @row := @row + 1, 1, ckey, NULL, {each}, @row * {each}, 1, {NOW}
        FROM bench_conversations JOIN (SELECT @row := 0) zero""")
    sql(stack, "DROP TABLE bench_users; DROP TABLE bench_conversations")


def fill(stack: Stack, each: int, conversations: str) -> None:
    """Persistence must not run meanwhile: it caches parts of these tables."""
    sql(stack, f"""
        SET SESSION unique_checks = 0, foreign_key_checks = 0;
        TRUNCATE TABLE messages; TRUNCATE TABLE members; TRUNCATE TABLE conversations;
        {conversations};
        INSERT INTO members (user, conversation, joined_at, read_seq)
        SELECT {LOW}, id, {NOW}, {each} FROM conversations UNION ALL
        SELECT {HIGH}, id, {NOW}, {each // 2} FROM conversations;
        INSERT INTO messages (conversation, seq, id, sender, uuid, created_at, body)
        SELECT STRAIGHT_JOIN id, seq, (id - 1) * {each} + seq, IF(seq % 2, {LOW}, {HIGH}), {UUID},
               {NOW} + INTERVAL seq HOUR, {BODY}
        FROM conversations JOIN seq_1_to_{each};
        ANALYZE TABLE messages, members, conversations""")
