-- Conversations. ckey is the record key of topic message_save, so a pair of users
-- has one conversation, whichever of them wrote first.
CREATE TABLE conversations (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	kind TINYINT UNSIGNED NOT NULL COMMENT '1 direct',
	ckey VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	name VARCHAR(256) NULL,
	last_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
	last_message_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
	created_by BIGINT UNSIGNED NOT NULL,
	created_at DATETIME(3) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY by_ckey (ckey)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Clustered by user: "my conversations" is one range scan.
CREATE TABLE members (
	user BIGINT UNSIGNED NOT NULL,
	conversation BIGINT UNSIGNED NOT NULL,
	role TINYINT UNSIGNED NOT NULL DEFAULT 1 COMMENT '1 member',
	joined_at DATETIME(3) NOT NULL,
	delivered_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
	read_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
	PRIMARY KEY (user, conversation),
	KEY by_conversation (conversation)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Clustered by (conversation, seq): a page of history is one range scan.
CREATE TABLE messages (
	conversation BIGINT UNSIGNED NOT NULL,
	seq BIGINT UNSIGNED NOT NULL,
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	sender BIGINT UNSIGNED NOT NULL,
	uuid BINARY(16) NOT NULL,
	created_at DATETIME(3) NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (conversation, seq),
	UNIQUE KEY by_id (id),
	UNIQUE KEY by_sender_uuid (sender, uuid)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
