-- Codes that were sent to phones. The statement may be run again after a crash.
CREATE TABLE IF NOT EXISTS phone_codes (
	-- E.164; also of phones that belong to no user.
	phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
	-- Of the request that sent the code.
	id BINARY(16) NOT NULL,
	-- HMAC-SHA-256 of phone and code; NULL: the SMS provider checks the code.
	digest BINARY(32) NULL,
	tries INT UNSIGNED NOT NULL,
	sent_at DATETIME(3) NOT NULL,
	expires_at DATETIME(3) NOT NULL,
	-- The request that used the code up.
	used_by BINARY(16) NULL,
	KEY phone_codes_expires_at (expires_at)
) ENGINE=InnoDB;
