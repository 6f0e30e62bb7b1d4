-- Records of message_save that were refused for good: until its offset is committed a
-- record may be read again, and is then refused again, whatever has changed meanwhile.
-- Old rows below the committed offset are deleted. code: as in a state frame.
CREATE TABLE IF NOT EXISTS refusals (
	topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	kafka_partition INT UNSIGNED NOT NULL,
	kafka_offset BIGINT UNSIGNED NOT NULL,
	sender BIGINT UNSIGNED NOT NULL,
	uuid BINARY(16) NOT NULL,
	code VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	refused_at_ms BIGINT UNSIGNED NOT NULL COMMENT 'unix',
	PRIMARY KEY (topic, kafka_partition, kafka_offset)
) ENGINE=InnoDB;

-- The process that saves the records of a partition raises epoch when it begins. A process
-- that was stopped meanwhile finds another epoch and saves nothing.
CREATE TABLE IF NOT EXISTS save_owners (
	topic VARCHAR(249) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	kafka_partition INT UNSIGNED NOT NULL,
	epoch BIGINT UNSIGNED NOT NULL,
	PRIMARY KEY (topic, kafka_partition)
) ENGINE=InnoDB
