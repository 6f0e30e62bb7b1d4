"""mutants - planted bugs, and the faults that the ledger must report for each of them.

A mutant has:

- exact replacements in the sources. The test fails when a text does not occur exactly once,
  because a mutant must follow the code;
- an act, carried out while the ledger sends, so that the bug takes effect;
- faults that the ledger (tests/ledger) may report; it must report at least one of them.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

import pymysql

from support.load import SAVED, Load
from support.points import Point
from support.stack import ROOT, Stack

Act = Callable[[Stack, Load], None]
Edit = tuple[str, str, str]  # file, its text, the replacement
READY_S = 240  # a bound on hanging


def nothing(stack: Stack, load: Load) -> None:
    load.wait_sent(600)


def churning(stack: Stack, load: Load) -> None:
    """Lasts for many joins and leaves, because only some of them show the bug."""
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
            stack.wait_ready(READY_S)
    return act


def killed_with_a_large_batch(point: str) -> Act:
    """Pauses persistence, so that it reads many records at once and dies with them."""
    def act(stack: Stack, load: Load) -> None:
        armed = Point(stack, "persistence-service", point)
        load.wait_more(SAVED, 300)  # edits need saved messages
        persistence = stack.pid("persistence-service")
        os.kill(persistence, signal.SIGSTOP)
        try:
            armed.arm()
            load.wait_sent(200)
        finally:
            os.kill(persistence, signal.SIGCONT)
        try:
            armed.wait_killed()
        finally:
            armed.disarm()
        stack.wait_ready(READY_S)
    return act


def refused_and_killed(stack: Stack, load: Load) -> None:
    """Persistence dies when it has told refusals, and before it has stored the offsets. A refusal
    turns only if its user joins before it is judged anew, so one death may show nothing, and ten
    did not once."""
    for _ in range(25):
        killed_with_a_large_batch("offsets.before")(stack, load)


def killed(program: str, times: int) -> Act:
    def act(stack: Stack, load: Load) -> None:
        for _ in range(times):
            stack.kill(program)
            stack.wait_ready(READY_S)
            load.wait_sent(100)
    return act


def restarted(program: str) -> Act:
    """By SIGTERM: an orderly end."""
    def act(stack: Stack, load: Load) -> None:
        load.wait_sent(100)
        stack.restart(program)
        stack.wait_ready(READY_S)
        load.wait_sent(100)
    return act


def stopped(program: str, then_kill: str | None = None) -> Act:
    """Stops a server while the ledger sends 600 messages; then another program may die."""
    def act(stack: Stack, load: Load) -> None:
        stack.stop(program)
        load.wait_sent(600)
        if then_kill:
            stack.kill(then_kill)
        stack.start(program)
        stack.wait_ready(READY_S)
    return act


def batch_fails(stack: Stack, load: Load) -> None:
    """Stops MariaDB while persistence is paused: the next batch is large and fails."""
    persistence = stack.pid("persistence-service")
    os.kill(persistence, signal.SIGSTOP)
    try:
        stack.stop("mariadb")
        load.wait_sent(100)
    finally:
        os.kill(persistence, signal.SIGCONT)
    load.wait_sent(300)
    stack.start("mariadb")
    stack.wait_ready(READY_S)


def saved_while_disconnected(stack: Stack, load: Load) -> None:
    """The gateway accepts messages; persistence saves them only while no socket is connected."""
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
    stack.wait_ready(READY_S)


@dataclass
class Mutant:
    name: str
    why: str
    edits: list[Edit]
    act: Act
    faults: set[str]
    options: dict[str, object] = field(default_factory=dict)  # options of the ledger
    env: dict[str, str] = field(default_factory=dict)  # settings of the stack
    own_stack: bool = False  # the mutant changes stored data


def planted(mutant: Mutant) -> dict[str, str]:
    """By file: the source with the bug in it. Fails when the mutant does not fit the code."""
    texts: dict[str, str] = {}
    for path, old, new in mutant.edits:
        assert path in texts or (ROOT / path).is_file(), f"{mutant.name}: {path} does not exist"
        text = texts.get(path) or (ROOT / path).read_text("utf-8")
        assert text.count(old) == 1, \
            f"{mutant.name}: {path} has this {text.count(old)} times, not once:\n{old}"
        texts[path] = text.replace(old, new)
    return texts


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

CHURN = {"churn": 900}  # 900 joins and leaves of groups a minute
ROOMS = {"FANOUT_LIST_MAX": "3"}  # each group of the ledger is a large conversation
NO_RECEIPTS = {"receipts": 0}  # in a large conversation receipts reach the reader's sockets only

EDITS = {"edits": 40}  # for a hundred messages

MUTANTS = [
    Mutant(
        "accepted_before_report",
        "the gateway answers `accepted` when the record is queued, not when the broker has it",
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
        stopped("kafka", then_kill="websocket-service"), {"lost"}),
    Mutant(
        "offsets_before_transaction",
        "persistence commits offsets when it has read the batch, before it has saved it",
        [COMMIT_AT_ONCE,
         ("persistence-service/save/saver.c", "	FAULT_POINT(\"gather.after\");\n", MARK_ALL)],
        killed_at("persistence-service", "commit.before"), {"lost"}),
    Mutant(
        "offsets_before_events",
        "persistence commits offsets after the transaction, before Kafka confirms the events",
        [COMMIT_AT_ONCE,
         ("persistence-service/save/saver.c", "	FAULT_POINT(\"events.before\");\n",
          MARK_ALL + "	FAULT_POINT(\"events.before\");\n")],
        killed_at("persistence-service", "events.before"), {"unheard", "undelivered"}),
    Mutant(
        "no_events_for_duplicates",
        "persistence produces no events for a record that was saved before a crash",
        [("persistence-service/save/entry_events.c",
          "	send_message(e, entry);\n"
          "	FAULT_POINT(\"message_event.after\");\n",
          "	if (entry->outcome == OUTCOME_DUPLICATE)\n"
          "		return;\n"
          "	send_message(e, entry);\n")],
        killed_at("persistence-service", "commit.after"), {"unheard", "undelivered"}),
    Mutant(
        "no_unique_key",
        "the database has no unique key over (sender, uuid)",
        [("persistence-service/schema/0001-chat.sql", "	UNIQUE KEY by_sender_uuid",
          "	KEY by_sender_uuid")],
        killed_at("persistence-service", "commit.after"), {"duplicates", "split"},
        own_stack=True),
    Mutant(
        "errors_taken_for_saved",
        "persistence treats a failed transaction as committed",
        [("persistence-service/save/saver.c",
          "	if (status != ST_OK) {\n"
          "		persistence_metrics_batch_retried();\n",
          "	if (status != ST_OK) {\n"
          "		batch_clear(s->batch);\n"
          "		persistence_metrics_batch_retried();\n")],
        batch_fails, {"lost"}),
    Mutant(
        "listening_before_positioned",
        "the gateway accepts sockets a moment before it reads events",
        [("websocket-service/deliver/bus.c",
          "	enum status st = bus->reader ? ST_OK : check_topics(bus, why);\n\n"
          "	if (st == ST_OK && !bus->reader)\n"
          "		st = start_reader(bus);\n"
          "	if (st == ST_OK)\n"
          "		st = ask_topic(bus, BEGIN_WAIT_MS);\n",
          "	enum status st;\n\n"
          "	if (bus->watch) {\n"
          "		(void)start_reader(bus);\n"
          "		return;\n"
          "	}\n"
          "	st = check_topics(bus, why);\n"
          "	if (st == ST_OK)\n"
          "		st = ask_topic(bus, BEGIN_WAIT_MS);\n"
          "	(void)uv_timer_start(&bus->begin_later, begin, 6000, 0);\n")],
        killed("websocket-service", 1), {"unheard", "undelivered"}),
    Mutant(
        "backlog_before_welcome",
        "the client reads the backlog when it loses its socket, not after it has reconnected",
        [("tests/ledger/clients/device.c",
          "	device->welcomed = false;\n	device->complete = false;\n",
          "	if (device->welcomed)\n"
          "		backlog_sync(device->backlog, span_of(device->token));\n"
          "	device->welcomed = false;\n"),
         ("tests/ledger/clients/device_frames.c",
          "	device_tick(device);\n"
          "	backlog_sync(device->backlog, span_of(device->token));\n",
          "	if (!device->complete)\n"
          "		backlog_sync(device->backlog, span_of(device->token));\n"
          "	device_tick(device);\n"),
         ("tests/ledger/clients/device.c",
          "	device->complete = device->welcomed;\n",
          "	device->complete = true;\n")],
        saved_while_disconnected, {"undelivered"}),
    Mutant(
        "delivered_to_the_next_user",
        "the gateway delivers an event to the user with the next id, too",
        [("websocket-service/deliver/fanout.c",
          "			add_recipient(fanout, user);\n	}\n	if (key.len)",
          "			add_recipient(fanout, user);\n"
          "		if (connections_has_user(fanout->options.connections, user + 1))\n"
          "			add_recipient(fanout, user + 1);\n	}\n	if (key.len)")],
        nothing, {"misrouted"}),
    Mutant(
        "other_sockets_of_the_sender_skipped",
        "a message goes to its recipient, not to the sender's other sockets",
        [("persistence-service/save/entry_events.c",
          "		send_to(e, header, to, 0);\n"
          "		send_to(e, header, from, 0);\n",
          "		send_to(e, header, to, 0);\n")],
        nothing, {"unheard"}),
    Mutant(
        "seq_with_gaps",
        "persistence skips a seq without saving a message",
        [("persistence-service/save/message/messages.c",
          "		.seq = ++conversation->last_seq,\n",
          "		.seq = conversation->last_seq += 1 + (record->uuid.byte[15] % 32 == 0),\n")],
        nothing, {"gaps"}),
    Mutant(
        "texts_trimmed",
        "the database gets the text without the blanks at both ends",
        [("persistence-service/save/message/message_store.c",
          "	row[5] = sql_bytes(saved->message);\n",
          "	row[5] = sql_bytes(span_trim(saved->message));\n")],
        nothing, {"corrupt"}),
    Mutant(
        "stale_members",
        "persistence does not look up the members of a group again after a join or leave",
        [("persistence-service/save/conversation/roster.c",
          "	    (roster->valid_at_seq == last_seq && roster->large == large))\n",
          "	    (roster->valid_at_seq != UINT64_MAX && roster->large == large))\n"),
         ("persistence-service/save/conversation/roster.c",
          "	HASH_ITER (hh, rosters->entries, entry, next)\n"
          "		entry->roster.valid_at_seq = UINT64_MAX;\n",
          "	HASH_ITER (hh, rosters->entries, entry, next)\n"
          "		;\n")],
        churning, {"unheard", "undelivered", "misrouted", "refused"}, CHURN),
    Mutant(
        "group_skips_a_partition",
        "a message to a group goes to each partition of its members except the first",
        [("persistence-service/save/conversation/roster.c",
          "	for (uint32_t i = 0; i < rosters->partitions; i++) {\n"
          "		struct buf key CLEANUP(buf_free) = BUF(KEYS_MAX);\n\n"
          "		roster_key(roster, i, rosters->partitions, UINT64_MAX, &key);\n",
          "	unsigned held = 0;\n\n"
          "	for (uint32_t i = 0; i < rosters->partitions; i++) {\n"
          "		struct buf key CLEANUP(buf_free) = BUF(KEYS_MAX);\n\n"
          "		roster_key(roster, i, rosters->partitions, UINT64_MAX, &key);\n"
          "		if (key.len && !held++)\n"
          "			continue;\n")],
        nothing, {"unheard", "undelivered"}),
    Mutant(
        "room_skips_partitions",
        "a message to a large conversation goes to every second partition only",
        [("persistence-service/save/conversation/roster.c",
          "	for (uint32_t i = 0; i < rosters->partitions; i++) {\n"
          "		struct buf key CLEANUP(buf_free) = BUF(64);\n",
          "	for (uint32_t i = 0; i < rosters->partitions; i += 2) {\n"
          "		struct buf key CLEANUP(buf_free) = BUF(64);\n")],
        nothing, {"unheard", "undelivered"}, NO_RECEIPTS, ROOMS),
    Mutant(
        "join_not_noted",
        "the gateway does not record that a user joins a room",
        [("websocket-service/deliver/fanout.c",
          "	if (change->sign == '+')\n"
          "		rooms_changed(fanout->options.rooms, partition, change);\n",
          "")],
        churning, {"unheard", "undelivered"}, CHURN | NO_RECEIPTS, ROOMS),
    Mutant(
        "leave_not_noted",
        "the gateway does not record that a user leaves a room",
        [("websocket-service/deliver/fanout.c",
          "	if (change->sign == '-')\n"
          "		rooms_changed(fanout->options.rooms, partition, change);\n",
          "")],
        churning, {"after_end"}, CHURN | NO_RECEIPTS, ROOMS),
    Mutant(
        "events_swapped",
        "persistence produces the events of a batch in the opposite order",
        [("persistence-service/save/publisher.c",
          "		entry_events_send(p->events, &batch->entries[i]);\n",
          "		entry_events_send(p->events, &batch->entries[batch->count - 1 - i]);\n")],
        batch_fails, {"misordered"}),
    Mutant(
        "frames_overtake",
        "a frame does not wait behind an earlier one whose conversation is being looked up",
        [("websocket-service/receive/frame_order.c",
          "	if (wait == WAIT_NONE &&\n"
          "	    !(socket && waits_behind(socket, &frame, NULL))) {\n",
          "	(void)socket;\n	if (wait == WAIT_NONE) {\n")],
        killed("websocket-service", 3), {"misordered"}),
    Mutant(
        "saved_and_refused",
        "persistence saves some messages and tells their senders that they are refused",
        [("persistence-service/save/entry_events.c",
          "	frame_saved(&e->frame, &entry->saved);\n",
          "	if (entry->saved.uuid.byte[15] % 32 == 0)\n"
          "		frame_state_error(&e->frame, &entry->saved.uuid,\n"
          "		                  FRAME_UNKNOWN_CONVERSATION, \"\");\n"
          "	else\n"
          "		frame_saved(&e->frame, &entry->saved);\n")],
        nothing, {"turned"}),
    Mutant(
        "edit_saved_and_refused",
        "persistence saves some edits and tells the users who made them that they are refused",
        [("persistence-service/save/entry_events.c",
          "	frame_change_saved(&e->frame, change);\n",
          "	if (change->uuid.byte[15] % 8 == 0)\n"
          "		frame_state_error(&e->frame, &change->uuid,\n"
          "		                  FRAME_UNKNOWN_MESSAGE, \"\");\n"
          "	else\n"
          "		frame_change_saved(&e->frame, change);\n")],
        nothing, {"turned"}, EDITS),
    Mutant(
        "refusals_not_kept",
        "persistence does not store that it has refused a record, so its successor judges anew",
        [("persistence-service/save/owner/refusals.c",
          "	return sql_bulk_run(r->sql, &insert_rows, r->values, r->fresh_count);\n",
          "	(void)insert_rows;\n	return ST_OK;\n")],
        refused_and_killed, {"turned"}, CHURN | {"blocks": 6}),
    Mutant(
        "edits_dropped",
        "persistence passes over some edits, deletes and reactions",
        [("persistence-service/save/change/changes.c",
          "	return check_and_apply(changes, attempt, entry);\n",
          "	if (entry->record.uuid.byte[15] % 8 == 0) {\n"
          "		entry->outcome = OUTCOME_DONE;\n"
          "		return status;\n"
          "	}\n"
          "	return check_and_apply(changes, attempt, entry);\n")],
        nothing, {"edit_lost"}, EDITS),
    Mutant(
        "edits_applied_twice",
        "the database has no unique keys over (sender, uuid), so nothing tells that an edit was "
        "saved before a crash",
        [("persistence-service/schema/0001-chat.sql", "	UNIQUE KEY by_sender_uuid",
          "	KEY by_sender_uuid"),
         ("persistence-service/schema/0002-conversations.sql",
          "	KEY by_seq (conversation, seq),\n	UNIQUE KEY by_sender_uuid (sender, uuid)",
          "	KEY by_seq (conversation, seq),\n	KEY by_sender_uuid (sender, uuid)")],
        killed_with_a_large_batch("commit.after"), {"revisions"}, EDITS, own_stack=True),
    Mutant(
        "revision_with_gaps",
        "persistence skips a revision without a change",
        [("persistence-service/save/change/changes.c", "		.revision = ref->revision + 1,\n",
          "		.revision = ref->revision + 1 + (record->uuid.byte[15] % 8 == 0),\n")],
        nothing, {"revisions"}, EDITS),
    Mutant(
        "reactions_not_stored",
        "persistence delivers some reactions and does not store them",
        [("persistence-service/save/change/change_store.c", "	enum status status = sql_run(\n"
          "		store->sql, change->remove ? remove_reaction : add_reaction,\n"
          "		values, ARRAY_LEN(values));\n",
          "	enum status status = change->uuid.byte[15] % 4 == 0 ? ST_OK : sql_run(\n"
          "		store->sql, change->remove ? remove_reaction : add_reaction,\n"
          "		values, ARRAY_LEN(values));\n")],
        nothing, {"content"}, EDITS),
    Mutant(
        "deleted_text_comes_back",
        "a delete reaches connected sockets, and histories show the message as before",
        [("persistence-service/save/change/change_store.c",
          "	\"UPDATE messages SET revision = ?, deleted_at = ?, body = ''\"\n",
          "	\"UPDATE messages SET revision = ?, created_at = ?\"\n")],
        nothing, {"content"}, EDITS),
    Mutant(
        "edit_to_the_sender_only",
        "persistence sends an edit to the sockets of the user who made it only",
        [("persistence-service/save/entry_events.c",
          "	if (entry->roster && !replaced)\n",
          "	if (entry->roster && !replaced && change->kind != CLIENT_EDIT)\n")],
        nothing, {"edit_unheard"}, EDITS),
    Mutant(
        "block_bypassed",
        "a blocked user's message is saved when it named the conversation, as the ledger's even "
        "ones do",
        [("persistence-service/save/message/messages.c",
          "	uint64_t sender = message->entry->record.sender;\n\n"
          "	if (block_store_is_blocked(",
          "	uint64_t sender = message->entry->record.sender;\n\n"
          "	if (message->entry->record.uuid.byte[15] % 2 == 0)\n"
          "		return false;\n"
          "	if (block_store_is_blocked(")],
        churning, {"blocks"}, {"blocks": 4}),
    Mutant(
        "block_not_noted",
        "persistence keeps the cached blocks of a pair when one of them blocks the other",
        [("persistence-service/save/message/messages.c",
          "	conversation_cache_evict_pair(m->cache, user, other);\n",
          "	(void)m;\n	(void)user;\n	(void)other;\n")],
        churning, {"blocks"}, {"blocks": 4}),
    Mutant(
        "edits_through_a_block",
        "a blocked user's edits and reactions are saved",
        [("persistence-service/save/change/changes.c",
          "	if (writes && ref->direct && ref->is_blocked)\n",
          "	if (writes && !ref->direct && ref->is_blocked)\n")],
        churning, {"blocks"}, {"blocks": 4} | EDITS),
    Mutant(
        "presence_through_a_block",
        "the gateway tells subscribers that users who block them are online",
        [("websocket-service/deliver/rooms.c",
          "	return user && blockers_have(&user->blockers, by);\n",
          "	(void)blockers_have;\n	return user && by == 0;\n")],
        nothing, {"presence"}, {"calm": 30, "blocks": 4}),
    Mutant(
        "typing_to_a_stranger",
        "persistence names the user after each recipient when a gateway asks for the recipients "
        "of typing",
        [("persistence-service/save/conversation/query_handler.c",
          "		buf_number(&handler->answer, row.number);\n		first = false;\n",
          "		buf_number(&handler->answer, row.number + 1);\n		first = false;\n")],
        nothing, {"typing"}, {"typing": 50}),
    Mutant(
        "typing_through_a_block",
        "persistence ignores blocks when a gateway asks for the recipients of typing",
        [("persistence-service/save/conversation/query_handler.c",
          "	\" AND c.deleted_at IS NULL AND b.user IS NULL AND s.user IS NULL\"\n",
          "	\" AND c.deleted_at IS NULL\"\n")],
        churning, {"typing"}, {"typing": 50, "blocks": 4}),
    Mutant(
        "presence_stuck",
        "the gateway does not tell subscribers that a user has gone offline",
        [("websocket-service/presence/presence_subscriptions.c",
          "	                           set->grace_until_ms) ||\n"
          "	    !target->subscriptions)\n",
          "	                           set->grace_until_ms) ||\n"
          "	    !target->subscriptions || !target->state.online)\n")],
        nothing, {"presence"}, {"calm": 30}),
    Mutant(
        "closed_without_a_code",
        "a gateway that shuts down cuts its sockets without a close frame",
        [("websocket-service/socket/connection.c",
          "	connection_queue_control(connection, buf_span(&frame));\n"
          "	metric_count(&gateway_metrics.sockets_closed, 1);\n",
          "	metric_count(&gateway_metrics.sockets_closed, 1);\n")],
        restarted("websocket-service"), {"cut"}, {"cuts": 0}),
    Mutant(
        "membership_change_not_announced",
        "persistence saves a membership change and loses its record of message_events",
        [("persistence-service/save/publisher.c",
          "	if (outbox_records_each(p->settings, &event->row, send_pending_record,\n"
          "	                        p) != ST_OK)\n",
          "	(void)send_pending_record;\n"
          "	if (!event->seq)\n")],
        churning, {"unheard", "undelivered", "misrouted"}, CHURN | NO_RECEIPTS, ROOMS),
    Mutant(
        "membership_change_late",
        "persistence sends a membership change after the messages that follow it in a batch",
        [("persistence-service/save/batch/batch.c",
          "	unsigned place = batch->count;\n\n",
          "	unsigned place = batch->count;\n\n"
          "	if (event->seq)\n"
          "		return place;\n")],
        churning, {"misordered"}, CHURN),
    Mutant(
        "membership_change_early",
        "persistence publishes a membership change as soon as REST has made it",
        [("persistence-service/outbox.c",
          "WHERE conversation = 0 ORDER BY id LIMIT ?",
          "WHERE 1 = 1 ORDER BY id LIMIT ?"),
         ("persistence-service/outbox.c",
          "	               \" FROM outbox FORCE INDEX (by_conversation)\"\n",
          "	               \" FROM outbox\"\n"),
         ("persistence-service/outbox_publisher.c",
          "	case TASK_ANNOUNCE:\n",
          "	case TASK_ANNOUNCE:\n"
          "		p->rows_wait = true;\n"),
         # The messages before it are late, so that it does overtake them.
         ("persistence-service/save/saver.c",
          "	FAULT_POINT(\"events.before\");\n",
          "	FAULT_POINT(\"events.before\");\n"
          "	poll(NULL, 0, 20);\n")],
        churning, {"misordered"}, CHURN),
    Mutant(
        "receipts_not_stored",
        "persistence delivers a receipt and does not store it",
        [("persistence-service/save/receipt/receipts.c", "	status = write_receipts(receipts);\n",
          "	status = ST_OK;\n	(void)write_receipts;\n")],
        nothing, {"receipts"}, {"receipts": 500}),
]
