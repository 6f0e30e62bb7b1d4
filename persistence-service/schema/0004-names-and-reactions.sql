-- Keys of normalised names, a search by these keys, and longer reactions. Statements
-- may be run again after a crash halfway. The last two copy their tables: about a
-- minute for ten million reactions.

-- name_key: NFKC_Casefold of the name (common/io/unicode.h); 64 code points make up to
-- 2112 bytes. A channel from before may keep the folded name, if another channel has
-- the key. searched_key: the name_key for which channel_search has its rows; another
-- value, or NULL, comes from an older version: the rows are made at the next start.
ALTER TABLE channels MODIFY COLUMN name_key VARBINARY(2112) NOT NULL;
ALTER TABLE channels ADD COLUMN searched_key VARBINARY(2112) NULL;

-- The name of a channel from each of its words on, as unicode_search_key() makes it.
-- Replaces channel_words, which a version that still runs may use.
CREATE TABLE IF NOT EXISTS channel_search (
	words VARBINARY(2112) NOT NULL,
	conversation BIGINT UNSIGNED NOT NULL,
	place TINYINT UNSIGNED NOT NULL COMMENT 'of the word, from 0',
	PRIMARY KEY (conversation, place),
	KEY by_words (words, conversation, place)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- REACTION_MAX bytes in common/wire/reaction.h: at most as many characters.
ALTER TABLE revisions
	MODIFY COLUMN reaction VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '';
ALTER TABLE reactions
	MODIFY COLUMN reaction VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;
