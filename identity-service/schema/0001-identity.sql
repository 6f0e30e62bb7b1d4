-- Users, their sessions, and the keys that sign tokens.
-- Times are UTC. Statements may be run again after a crash halfway.

CREATE TABLE IF NOT EXISTS users (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	-- The name with its case folded (Unicode, in UTF-8): what is unique.
	name_key VARBINARY(768) NOT NULL,
	password_hash VARCHAR(127) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	UNIQUE KEY users_name_key (name_key)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS sessions (
	-- The sid claim: a UUID of version 7.
	id BINARY(16) NOT NULL PRIMARY KEY,
	user BIGINT UNSIGNED NOT NULL,
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	expires_at DATETIME(3) NOT NULL,
	-- Once set, the tokens of this session are dead.
	revoked_at DATETIME(3) NULL,
	KEY sessions_user (user),
	KEY sessions_revoked_at (revoked_at),
	CONSTRAINT sessions_user_exists FOREIGN KEY (user) REFERENCES users (id)
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS signing_keys (
	kid VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
	private_pem TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	-- Once set, nothing that this key signed is believed.
	retired_at DATETIME(3) NULL
) ENGINE=InnoDB;
