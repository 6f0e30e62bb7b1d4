-- Keys of normalised names, and the limits on guessing. Statements may be run again
-- after a crash halfway; none reads a whole table.

-- NFKC_Casefold of the name: common/io/unicode.h. 64 code points make up to 2112 bytes.
-- An account from before may keep the folded name, if another account has the key.
ALTER TABLE users MODIFY COLUMN name_key VARBINARY(2112) NOT NULL;

-- How far a change of old rows has come: rows up to this id are done.
CREATE TABLE IF NOT EXISTS backfills (
	name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
	done_id BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB;

-- Failed attempts to sign in. subject: a digest of a name or of an address.
-- state: identity-service/guess/guess_window.h
CREATE TABLE IF NOT EXISTS guess_limits (
	subject BINARY(16) NOT NULL PRIMARY KEY,
	state VARBINARY(256) NOT NULL,
	expires_at DATETIME(3) NOT NULL,
	KEY guess_limits_expires_at (expires_at)
) ENGINE=InnoDB;

-- Addresses (of IPv6: the /64) from which users signed in, for IDENTITY_GUESS_KNOWN_TTL.
CREATE TABLE IF NOT EXISTS known_addresses (
	user BIGINT UNSIGNED NOT NULL,
	address BINARY(16) NOT NULL,
	seen_at DATETIME(3) NOT NULL,
	PRIMARY KEY (user, address),
	KEY known_addresses_seen_at (seen_at)
) ENGINE=InnoDB;
