-- Add column "downloaded_at" to table: "package_versions"
ALTER TABLE `package_versions` ADD COLUMN `downloaded_at` datetime NULL;
-- Add column "pinned" to table: "package_versions"
ALTER TABLE `package_versions` ADD COLUMN `pinned` bool NULL;
-- Add column "agent" to table: "events"
ALTER TABLE `events` ADD COLUMN `agent` text NULL;
-- Create "cleanup_rules" table
CREATE TABLE `cleanup_rules` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `owner_id` integer NOT NULL, `name` text NOT NULL, `enabled` bool NOT NULL DEFAULT (true), `spec` json NOT NULL, `schedule` text NOT NULL DEFAULT (''), `next_run_at` datetime NULL, `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL);
-- Set sequence for "cleanup_rules" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("cleanup_rules", 94489280512);
-- Create index "cleanuprule_owner_id_name" to table: "cleanup_rules"
CREATE UNIQUE INDEX `cleanuprule_owner_id_name` ON `cleanup_rules` (`owner_id`, `name`);
-- Create index "cleanuprule_enabled_next_run_at" to table: "cleanup_rules"
CREATE INDEX `cleanuprule_enabled_next_run_at` ON `cleanup_rules` (`enabled`, `next_run_at`);
-- Create "cleanup_runs" table
CREATE TABLE `cleanup_runs` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `owner_id` integer NOT NULL, `actor_id` integer NULL, `rules` json NULL, `removed` integer NOT NULL DEFAULT (0), `held` integer NOT NULL DEFAULT (0), `bytes` integer NOT NULL DEFAULT (0), `error` text NOT NULL DEFAULT (''), `decisions` json NULL, `started_at` datetime NOT NULL, `finished_at` datetime NULL);
-- Set sequence for "cleanup_runs" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("cleanup_runs", 98784247808);
-- Create index "cleanuprun_owner_id_started_at" to table: "cleanup_runs"
CREATE INDEX `cleanuprun_owner_id_started_at` ON `cleanup_runs` (`owner_id`, `started_at`);
