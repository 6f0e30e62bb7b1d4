-- A row for each user who was added to a group or channel, or who blocked a user.
-- A transaction that adds to something with a maximum per user locks the row first,
-- counts, and then adds: parallel requests of a user cannot exceed the maximum.
CREATE TABLE IF NOT EXISTS user_locks (
	user BIGINT UNSIGNED NOT NULL PRIMARY KEY
) ENGINE=InnoDB;
