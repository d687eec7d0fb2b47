-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_events" table
CREATE TABLE `new_events` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `kind` text NOT NULL, `owner_id` integer NULL, `actor_id` integer NULL, `package_id` integer NULL, `tag` text NULL, `details` json NULL, `created_at` datetime NOT NULL);
-- Set sequence for "new_events" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("new_events", 4294967296);
-- Copy rows from old table "events" to new temporary table "new_events"
INSERT INTO `new_events` (`id`, `kind`, `owner_id`, `actor_id`, `package_id`, `details`, `created_at`) SELECT `id`, `kind`, `owner_id`, `actor_id`, `package_id`, `details`, `created_at` FROM `events`;
-- Drop "events" table after copying rows
DROP TABLE `events`;
-- Rename temporary table "new_events" to "events"
ALTER TABLE `new_events` RENAME TO `events`;
-- Create index "event_owner_id_created_at" to table: "events"
CREATE INDEX `event_owner_id_created_at` ON `events` (`owner_id`, `created_at`);
-- Create index "event_package_id_created_at" to table: "events"
CREATE INDEX `event_package_id_created_at` ON `events` (`package_id`, `created_at`);
-- Create index "event_package_id_tag" to table: "events"
CREATE INDEX `event_package_id_tag` ON `events` (`package_id`, `tag`) WHERE tag IS NOT NULL;
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
