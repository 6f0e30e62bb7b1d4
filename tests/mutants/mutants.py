"""mutants - planted bugs: what a tired programmer could have written, and what must come of it.

Each is some exact replacements in the sources (a text that is not there exactly once fails the
test: the mutant has to follow the code), what has to happen for it to bite, and the faults of
the ledger (tests/ledger) of which at least one must then be seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pymysql

from support.load import Load
from support.points import Point
from support.stack import Stack

Act = Callable[[Stack, Load], None]
Edit = tuple[str, str, str]  # file, what stands there, what is put in its place


def nothing(stack: Stack, load: Load) -> None:
    load.wait_sent(600)


def going(stack: Stack, load: Load) -> None:
    """Long enough for many to come and go: what one of them shows is a matter of chance."""
    load.wait_sent(2500)


def killed_at(program: str, point: str, times: int = 2) -> Act:
    def act(stack: Stack, load: Load) -> None:
        for _ in range(times):
            armed = Point(stack, program, point)
            try:
                armed.arm()
                armed.wait_killed()
            finally:
                armed.disarm()
            stack.wait_ready(60)
    return act


def killed(program: str, times: int) -> Act:
    def act(stack: Stack, load: Load) -> None:
        for _ in range(times):
            stack.kill(program)
            stack.wait_ready(60)
            load.wait_sent(100)
    return act


def gone(program: str, then_kill: str | None = None) -> Act:
    """Stopped for some seconds; meanwhile another may die."""
    def act(stack: Stack, load: Load) -> None:
        stack.stop(program)
        load.wait_sent(600)
        if then_kill:
            stack.kill(then_kill)
        stack.start(program)
        stack.wait_ready(90)
    return act


def saved_while_away(stack: Stack, load: Load) -> None:
    """Messages are accepted, but saved only while the sockets are on their way back."""
    user, password = stack.make_database_admin()
    with pymysql.connect(host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=user,
                         password=password) as admin, admin.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        load.wait_sent(300)
        load.stop_sending()
        stack.stop("websocket-service")
        load.wait_sockets(0)
        cursor.execute("UNLOCK TABLES")
    stack.start("websocket-service")
    stack.wait_ready(60)


@dataclass
class Mutant:
    name: str
    why: str
    edits: list[Edit]
    act: Act
    faults: set[str]
    options: dict[str, object] = field(default_factory=dict)  # of the ledger
    env: dict[str, str] = field(default_factory=dict)  # of the stack


COMMIT_AT_ONCE: Edit = (
    "common/io/kafka/group.c",
    "	if (kafka_group_owns(g, partition))\n"
    "		(void)rd_kafka_offset_store(g->topic, partition, offset);\n",
    "	rd_kafka_topic_partition_list_t *list =\n"
    "		rd_kafka_topic_partition_list_new(1);\n\n"
    "	rd_kafka_topic_partition_list_add(\n"
    "		list, rd_kafka_topic_name(g->topic), partition)\n"
    "		->offset = offset + 1;\n"
    "	(void)rd_kafka_commit(g->handle, list, 0);\n"
    "	rd_kafka_topic_partition_list_destroy(list);\n")

MARK_ALL = ("	for (unsigned i = 0; i < s->batch->count; i++)\n"
            "		kafka_group_store_offset(\n"
            "			s->group,\n"
            "			kafka_message_partition(\n"
            "				s->batch->entries[i].message),\n"
            "			kafka_message_offset(\n"
            "				s->batch->entries[i].message));\n")

GOING = {"churn": 900}  # people come into groups and go, all the time
ROOMS = {"FANOUT_LIST_MAX": "3"}  # each group of the ledger is a large one
UNTOLD = {"receipts": 0}  # in large ones only one's own sockets hear of them

MUTANTS = [
    Mutant(
        "accepted_before_report",
        "the gateway says `accepted` when the record is queued, not when the broker has it",
        [("websocket-service/receive/pending_sends.c",
          "static const char hint_prefix[]",
          "struct pending_send;\n"
          "static void send_accepted(struct pending_sends *sends,\n"
          "                          struct pending_send *send);\n"
          "static const char hint_prefix[]"),
         ("websocket-service/receive/pending_sends.c",
          "		FAULT_POINT(\"produce.after\");\n",
          "		send_accepted(sends, send);\n"),
         ("websocket-service/receive/pending_sends.c",
          "	hint_accepted(sends, send);\n	if (overdue(sends, send))\n",
          "	hint_accepted(sends, send);\n"
          "	if (!send->accepted && overdue(sends, send))\n")],
        gone("kafka", then_kill="websocket-service"), {"lost"}),
    Mutant(
        "offsets_before_transaction",
        "offsets are committed when the batch was taken, before it is in the database",
        [COMMIT_AT_ONCE,
         ("persistence-service/save/saver.c", "	FAULT_POINT(\"gather.after\");\n", MARK_ALL)],
        killed_at("persistence-service", "commit.before"), {"lost"}),
    Mutant(
        "offsets_before_events",
        "offsets are committed after the transaction, before the events are confirmed",
        [COMMIT_AT_ONCE,
         ("persistence-service/save/saver.c", "	FAULT_POINT(\"events.before\");\n",
          MARK_ALL + "	FAULT_POINT(\"events.before\");\n")],
        killed_at("persistence-service", "events.before"), {"unheard", "undelivered"}),
    Mutant(
        "no_events_for_duplicates",
        "a record that was saved before a crash gets no events after it",
        [("persistence-service/save/publisher.c",
          "	send_message(p, entry, number);\n"
          "	FAULT_POINT(\"message_event.after\");\n",
          "	if (entry->outcome == OUTCOME_DUPLICATE)\n"
          "		return;\n"
          "	send_message(p, entry, number);\n")],
        killed_at("persistence-service", "commit.after"), {"unheard", "undelivered"}),
    Mutant(
        "no_unique_key",
        "nothing in the database says that (sender, uuid) is unique",
        [("persistence-service/schema/0001-chat.sql", "	UNIQUE KEY by_sender_uuid",
          "	KEY by_sender_uuid")],
        killed_at("persistence-service", "commit.after"), {"duplicates", "split"}),
    Mutant(
        "errors_taken_for_saved",
        "a transaction that failed counts as done",
        [("persistence-service/save/saver.c",
          "	if (status != ST_OK) {\n"
          "		persistence_metrics_batch_retried();\n",
          "	if (status != ST_OK) {\n"
          "		batch_clear(s->batch);\n"
          "		persistence_metrics_batch_retried();\n")],
        gone("mariadb"), {"lost"}),
    Mutant(
        "listening_before_positioned",
        "the gateway takes sockets a moment before it reads events",
        [("websocket-service/deliver/bus.c",
          "	enum status st = bus->reader ? ST_OK : start_reader(bus);\n\n"
          "	if (st == ST_OK)\n"
          "		st = ask_topic(bus, BEGIN_WAIT_MS);\n",
          "	enum status st;\n\n"
          "	if (bus->begun) {\n"
          "		(void)start_reader(bus);\n"
          "		return;\n"
          "	}\n"
          "	st = ask_topic(bus, BEGIN_WAIT_MS);\n"
          "	(void)uv_timer_start(&bus->begin_later, begin, 1500, 0);\n")],
        killed("websocket-service", 1), {"unheard", "undelivered"}),
    Mutant(
        "backlog_before_welcome",
        "the client reads what it missed when the socket is lost, not when it is back",
        [("tests/ledger/clients/device.c",
          "	device->welcomed = false;\n	device->complete = false;\n",
          "	if (device->welcomed)\n"
          "		backlog_sync(device->backlog, span_of(device->token));\n"
          "	device->welcomed = false;\n"),
         ("tests/ledger/clients/device.c",
          "	device_tick(device);\n"
          "	backlog_sync(device->backlog, span_of(device->token));\n",
          "	if (!device->complete)\n"
          "		backlog_sync(device->backlog, span_of(device->token));\n"
          "	device_tick(device);\n"),
         ("tests/ledger/clients/device.c",
          "	device->complete = device->welcomed;\n",
          "	device->complete = true;\n")],
        saved_while_away, {"undelivered"}),
    Mutant(
        "sockets_of_others",
        "an event is handed to the user next to the one whom it is for, too",
        [("websocket-service/deliver/fanout.c",
          "	while (event_key_next(&key, &user))\n"
          "		deliver_to(delivery, user);\n",
          "	while (event_key_next(&key, &user)) {\n"
          "		deliver_to(delivery, user);\n"
          "		deliver_to(delivery, user + 1);\n"
          "	}\n")],
        nothing, {"misrouted"}),
    Mutant(
        "own_devices_forgotten",
        "a message goes to its recipient, not to the sender's other sockets",
        [("persistence-service/save/publisher.c",
          "		send_to(p, header, to, 0, number);\n"
          "		send_to(p, header, from, 0, number);\n",
          "		send_to(p, header, to, 0, number);\n")],
        nothing, {"unheard"}),
    Mutant(
        "seq_with_gaps",
        "a seq is used up by what is not stored",
        [("persistence-service/save/transaction.c",
          "		.seq = ++conversation->last_seq,\n",
          "		.seq = conversation->last_seq += 1 + (record->uuid.byte[15] % 32 == 0),\n")],
        nothing, {"gaps"}),
    Mutant(
        "texts_trimmed",
        "the database gets the text without the blanks at its ends",
        [("persistence-service/save/message/message_store.c",
          "	row[5] = sql_bytes(saved->message);\n",
          "	row[5] = sql_bytes(span_trim(saved->message));\n")],
        nothing, {"corrupt"}),
    Mutant(
        "members_of_yesterday",
        "who is in a group is not looked up anew when somebody has come or gone",
        [("persistence-service/save/conversation/roster.c",
          "	    (roster->valid_at_seq == last_seq && roster->large == large))\n",
          "	    (roster->valid_at_seq != UINT64_MAX && roster->large == large))\n"),
         ("persistence-service/save/conversation/roster.c",
          "	HASH_ITER (hh, rosters->entries, entry, next)\n"
          "		entry->roster.valid_at_seq = UINT64_MAX;\n",
          "	HASH_ITER (hh, rosters->entries, entry, next)\n"
          "		;\n")],
        going, {"unheard", "undelivered", "misrouted", "refused"}, GOING),
    Mutant(
        "a_partition_less",
        "a message to a group goes to every partition of its members but the first",
        [("persistence-service/save/conversation/roster.c",
          "	for (uint32_t i = 0; i < rosters->partitions; i++) {\n"
          "		struct buf key CLEANUP(buf_free) = BUF(KEYS_MAX);\n",
          "	for (uint32_t i = 1; i < rosters->partitions; i++) {\n"
          "		struct buf key CLEANUP(buf_free) = BUF(KEYS_MAX);\n")],
        nothing, {"unheard", "undelivered"}),
    Mutant(
        "a_rooms_partition_less",
        "a message to a large conversation goes to every partition but the first",
        [("persistence-service/save/conversation/roster.c",
          "	for (uint32_t i = 0; i < rosters->partitions; i++) {\n"
          "		struct buf key CLEANUP(buf_free) = BUF(64);\n",
          "	for (uint32_t i = 1; i < rosters->partitions; i++) {\n"
          "		struct buf key CLEANUP(buf_free) = BUF(64);\n")],
        nothing, {"unheard", "undelivered"}, UNTOLD, ROOMS),
    Mutant(
        "who_comes_is_in_no_room",
        "a gateway does not note who comes into a room",
        [("websocket-service/deliver/fanout.c",
          "	if (change->sign == '+')\n"
          "		rooms_changed(fanout->options.rooms, partition, change);\n",
          "")],
        going, {"unheard", "undelivered"}, GOING | UNTOLD, ROOMS),
    Mutant(
        "who_goes_stays_in_the_room",
        "a gateway does not note who goes out of a room",
        [("websocket-service/deliver/fanout.c",
          "	if (change->sign == '-')\n"
          "		rooms_changed(fanout->options.rooms, partition, change);\n",
          "")],
        going, {"misrouted"}, GOING | UNTOLD, ROOMS),
    Mutant(
        "changes_untold",
        "a change of who is in it is saved, and the record that tells of it is lost",
        [("persistence-service/outbox_publisher.c",
          "	enum status status =\n"
          "		outbox_records_each(p->settings, row, send_record, &sending);\n",
          "	enum status status = ST_OK;\n\n"
          "	(void)sending;\n"
          "	(void)send_record;\n")],
        going, {"unheard", "undelivered", "misrouted"}, GOING | UNTOLD, ROOMS),
    Mutant(
        "receipts_unkept",
        "a receipt is told and not written down",
        [("persistence-service/save/receipt/receipt_store.c", "	status = write_receipts(store);\n",
          "	status = ST_OK;\n	(void)write_receipts;\n")],
        nothing, {"receipts"}, {"receipts": 500}),
]
