-- Profiles, and accounts that their users delete. Statements may be run again after a
-- crash halfway. The last one copies the table: a second for a million users.

ALTER TABLE users
	-- What users say of themselves; NULL: nothing.
	ADD COLUMN display_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
	ADD COLUMN about VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
	ADD COLUMN avatar_url VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
	-- E.164: "+" and at most 15 digits.
	ADD COLUMN phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
	-- The row of a deleted account stays, because messages name its id.
	ADD COLUMN deleted_at DATETIME(3) NULL,
	-- Until then no other account may take the name of a deleted one.
	ADD COLUMN name_free_at DATETIME(3) NULL;

ALTER TABLE users
	ADD UNIQUE KEY users_phone (phone),
	ADD KEY users_deleted_at (deleted_at, id),
	ADD KEY users_name_free_at (name_free_at);

-- NULL: the name of a deleted account, which is free again.
ALTER TABLE users MODIFY COLUMN name_key VARBINARY(2112) NULL;
