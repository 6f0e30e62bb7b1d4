-- Signing keys rotate, and their private halves are encrypted: identity-service/keys/.
-- A version from before goes on with the keys that it has in memory.

-- The key in the clear: of an older version, until a start encrypts it.
ALTER TABLE signing_keys
	MODIFY COLUMN private_pem TEXT CHARACTER SET ascii COLLATE ascii_bin NULL;

ALTER TABLE signing_keys
	-- common/io/seal.h, with the kid as the associated text.
	ADD COLUMN private_sealed VARBINARY(8300) NULL,
	-- The newest key whose time has come signs. Keys of an older version count as new,
	-- so that none is made while instances of that version run.
	ADD COLUMN signs_from DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	-- No token that the key signed lives longer.
	ADD COLUMN verifies_until DATETIME(3) NULL;

UPDATE signing_keys
	SET verifies_until = (SELECT GREATEST(NOW(3), COALESCE(MAX(expires_at), NOW(3))) FROM sessions)
	WHERE verifies_until IS NULL AND private_pem IS NOT NULL;
