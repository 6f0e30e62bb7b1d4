-- How far this service has read the list of deleted users of identity-service: the
-- users before the cursor have left their groups and channels. One row.
CREATE TABLE IF NOT EXISTS deleted_users_cursor (
	id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
	position VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE=InnoDB;
