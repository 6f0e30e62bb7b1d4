-- Sessions that have expired are deleted. The statement may be run again after a crash.
-- Without a copy of the table, but it reads all of it: a second for a million sessions.
ALTER TABLE sessions ADD KEY sessions_expires_at (expires_at);
