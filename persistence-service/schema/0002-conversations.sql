-- Groups and channels, receipts, changes of messages, blocks. The statements may run
-- again after a crash halfway: a column that exists already is skipped. Adding the
-- columns takes a moment, however large a table is: no statement reads a whole table.

-- kind: 1 direct, 2 group, 3 channel. ckey of a group or channel is c:<id>.
-- history: 1 all, 2 from joining. large: had more than FANOUT_LIST_MAX members once.
-- revision: the last change of a message.
ALTER TABLE conversations
	ADD COLUMN history TINYINT UNSIGNED NOT NULL DEFAULT 1,
	ADD COLUMN member_count INT UNSIGNED NOT NULL DEFAULT 0,
	ADD COLUMN large TINYINT UNSIGNED NOT NULL DEFAULT 0,
	ADD COLUMN revision BIGINT UNSIGNED NOT NULL DEFAULT 0,
	ADD COLUMN deleted_at DATETIME(3) NULL;

-- role: 1 member, 2 admin, 3 owner. from_seq: the last entry that the member does not see.
ALTER TABLE members
	ADD COLUMN from_seq BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- Former members: GET /sync reports the conversation as gone.
CREATE TABLE IF NOT EXISTS departures (
	user BIGINT UNSIGNED NOT NULL,
	conversation BIGINT UNSIGNED NOT NULL,
	seq BIGINT UNSIGNED NOT NULL,
	PRIMARY KEY (user, conversation)
) ENGINE=InnoDB;

-- Members of large conversations, for the queries of gateways: most users are in few.
CREATE TABLE IF NOT EXISTS large_members (
	user BIGINT UNSIGNED NOT NULL,
	conversation BIGINT UNSIGNED NOT NULL,
	PRIMARY KEY (user, conversation)
) ENGINE=InnoDB;

-- The unique name of a channel: its name with the case folded.
CREATE TABLE IF NOT EXISTS channels (
	conversation BIGINT UNSIGNED NOT NULL PRIMARY KEY,
	name_key VARBINARY(768) NOT NULL,
	UNIQUE KEY by_name_key (name_key)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The name of a channel from each of its words on, for the search by the beginning of
-- any word: "general chat" and "chat". The collation ignores case and accents.
CREATE TABLE IF NOT EXISTS channel_words (
	words VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL,
	conversation BIGINT UNSIGNED NOT NULL,
	place TINYINT UNSIGNED NOT NULL COMMENT 'of the word, from 0',
	PRIMARY KEY (conversation, place),
	KEY by_words (words, conversation, place)
) ENGINE=InnoDB;

-- kind: 1 message, 2 membership change (body: JSON).
-- reply_to: a seq, or 0. revision: of the message's last change, or 0.
ALTER TABLE messages
	ADD COLUMN kind TINYINT UNSIGNED NOT NULL DEFAULT 1,
	ADD COLUMN reply_to BIGINT UNSIGNED NOT NULL DEFAULT 0,
	ADD COLUMN revision BIGINT UNSIGNED NOT NULL DEFAULT 0,
	ADD COLUMN edited_at DATETIME(3) NULL,
	ADD COLUMN deleted_at DATETIME(3) NULL;

-- The changes of messages with their uuids, in the order of the conversation's
-- revisions.
CREATE TABLE IF NOT EXISTS revisions (
	conversation BIGINT UNSIGNED NOT NULL,
	revision BIGINT UNSIGNED NOT NULL,
	seq BIGINT UNSIGNED NOT NULL,
	kind TINYINT UNSIGNED NOT NULL COMMENT '1 edit, 2 delete, 3 react',
	sender BIGINT UNSIGNED NOT NULL,
	uuid BINARY(16) NOT NULL,
	reaction VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
	removed TINYINT UNSIGNED NOT NULL DEFAULT 0,
	created_at DATETIME(3) NOT NULL,
	PRIMARY KEY (conversation, revision),
	KEY by_seq (conversation, seq),
	UNIQUE KEY by_sender_uuid (sender, uuid)
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS reactions (
	conversation BIGINT UNSIGNED NOT NULL,
	seq BIGINT UNSIGNED NOT NULL,
	reaction VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	user BIGINT UNSIGNED NOT NULL,
	PRIMARY KEY (conversation, seq, reaction, user)
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS blocks (
	user BIGINT UNSIGNED NOT NULL,
	blocked BIGINT UNSIGNED NOT NULL,
	created_at DATETIME(3) NOT NULL,
	PRIMARY KEY (user, blocked),
	KEY by_blocked (blocked, user)
) ENGINE=InnoDB;

-- Records for Kafka: written in the transaction whose change they announce, removed
-- once Kafka has confirmed them. kind: 1 an event, 2 a record of message_save.
-- target: user ids separated by commas, or a key as c:17. conversation: the one that
-- the event belongs to, or 0.
CREATE TABLE IF NOT EXISTS outbox (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	kind TINYINT UNSIGNED NOT NULL,
	conversation BIGINT UNSIGNED NOT NULL DEFAULT 0,
	target TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	room TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	body MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	KEY by_conversation (conversation, id)
) ENGINE=InnoDB;
