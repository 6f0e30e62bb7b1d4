-- Refresh tokens of sessions, and what a user sees of a session.
-- identity-service/session/refresh_token.h. Sessions from before have none.

ALTER TABLE sessions
	-- Digests (SHA-256): of what all refresh tokens of the session share, of
	-- the newest token, and of the one before.
	ADD COLUMN refresh_family BINARY(32) NULL,
	ADD COLUMN refresh_current BINARY(32) NULL,
	ADD COLUMN refresh_previous BINARY(32) NULL,
	-- What made the newest token of the one before.
	ADD COLUMN refresh_salt BINARY(32) NULL,
	-- The newest token is good until then, and no later one beyond ends_at.
	ADD COLUMN refresh_expires_at DATETIME(3) NULL,
	ADD COLUMN ends_at DATETIME(3) NULL,
	ADD COLUMN last_used_at DATETIME(3) NULL,
	-- The OAuth 2 client that signed in, if it said so.
	ADD COLUMN client_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
	ADD COLUMN user_agent VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
	ADD COLUMN address BINARY(16) NULL;

ALTER TABLE sessions
	ADD UNIQUE KEY sessions_refresh_family (refresh_family),
	ADD KEY sessions_refresh_expires_at (refresh_expires_at, expires_at);
