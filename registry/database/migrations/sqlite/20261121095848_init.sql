-- Create "blob_uploads" table
CREATE TABLE `blob_uploads` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `session` text NOT NULL, `owner_id` integer NOT NULL, `package_type` text NOT NULL, `package_name` text NOT NULL, `user_id` integer NOT NULL, `received` integer NOT NULL DEFAULT (0), `parts` json NULL, `hash_state` blob NULL, `revision` integer NOT NULL DEFAULT (0), `claimed_until` datetime NULL, `created_at` datetime NOT NULL, `expires_at` datetime NOT NULL);
-- Create index "blobupload_session" to table: "blob_uploads"
CREATE UNIQUE INDEX `blobupload_session` ON `blob_uploads` (`session`);
-- Create index "blobupload_expires_at" to table: "blob_uploads"
CREATE INDEX `blobupload_expires_at` ON `blob_uploads` (`expires_at`);
-- Create index "blobupload_owner_id" to table: "blob_uploads"
CREATE INDEX `blobupload_owner_id` ON `blob_uploads` (`owner_id`);
-- Create "events" table
CREATE TABLE `events` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `kind` text NOT NULL, `owner_id` integer NULL, `actor_id` integer NULL, `package_id` integer NULL, `details` json NULL, `created_at` datetime NOT NULL);
-- Set sequence for "events" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("events", 4294967296);
-- Create index "event_owner_id_created_at" to table: "events"
CREATE INDEX `event_owner_id_created_at` ON `events` (`owner_id`, `created_at`);
-- Create index "event_package_id_created_at" to table: "events"
CREATE INDEX `event_package_id_created_at` ON `events` (`package_id`, `created_at`);
-- Create "key_leases" table
CREATE TABLE `key_leases` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `prefix` text NOT NULL, `size` integer NOT NULL, `created_at` datetime NOT NULL, `expires_at` datetime NOT NULL);
-- Set sequence for "key_leases" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("key_leases", 8589934592);
-- Create index "keylease_prefix" to table: "key_leases"
CREATE UNIQUE INDEX `keylease_prefix` ON `key_leases` (`prefix`);
-- Create index "keylease_expires_at" to table: "key_leases"
CREATE INDEX `keylease_expires_at` ON `key_leases` (`expires_at`);
-- Create "memberships" table
CREATE TABLE `memberships` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `role` text NOT NULL, `created_at` datetime NOT NULL, `owner_id` integer NOT NULL, `user_id` integer NOT NULL, CONSTRAINT `memberships_owners_memberships` FOREIGN KEY (`owner_id`) REFERENCES `owners` (`id`) ON DELETE NO ACTION, CONSTRAINT `memberships_users_memberships` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- Set sequence for "memberships" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("memberships", 12884901888);
-- Create index "membership_owner_id_user_id" to table: "memberships"
CREATE UNIQUE INDEX `membership_owner_id_user_id` ON `memberships` (`owner_id`, `user_id`);
-- Create index "membership_user_id" to table: "memberships"
CREATE INDEX `membership_user_id` ON `memberships` (`user_id`);
-- Create "owners" table
CREATE TABLE `owners` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `normalized_name` text NOT NULL, `kind` text NOT NULL, `visibility` text NOT NULL DEFAULT ('PUBLIC'), `display_name` text NOT NULL DEFAULT (''), `description` text NOT NULL DEFAULT (''), `settings` json NOT NULL, `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL);
-- Set sequence for "owners" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("owners", 17179869184);
-- Create index "owner_normalized_name" to table: "owners"
CREATE UNIQUE INDEX `owner_normalized_name` ON `owners` (`normalized_name`);
-- Create "package_blobs" table
CREATE TABLE `package_blobs` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `size` integer NOT NULL, `sha256` text NOT NULL, `sha512` text NULL, `sha1` text NULL, `md5` text NULL, `blake2b` text NULL, `storage_key` text NOT NULL, `remote` text NOT NULL DEFAULT (''), `state` text NOT NULL DEFAULT ('LIVE'), `unreferenced_at` datetime NULL, `created_at` datetime NOT NULL);
-- Set sequence for "package_blobs" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("package_blobs", 21474836480);
-- Create index "packageblob_sha256" to table: "package_blobs"
CREATE UNIQUE INDEX `packageblob_sha256` ON `package_blobs` (`sha256`) WHERE state = 'LIVE';
-- Create index "packageblob_storage_key" to table: "package_blobs"
CREATE UNIQUE INDEX `packageblob_storage_key` ON `package_blobs` (`storage_key`);
-- Create index "packageblob_sha512" to table: "package_blobs"
CREATE INDEX `packageblob_sha512` ON `package_blobs` (`sha512`);
-- Create index "packageblob_state_unreferenced_at" to table: "package_blobs"
CREATE INDEX `packageblob_state_unreferenced_at` ON `package_blobs` (`state`, `unreferenced_at`);
-- Create "package_files" table
CREATE TABLE `package_files` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `normalized_name` text NOT NULL, `composite_key` text NOT NULL DEFAULT (''), `media_type` text NOT NULL DEFAULT (''), `lead` bool NOT NULL DEFAULT (false), `fragment` blob NULL, `downloads` integer NOT NULL DEFAULT (0), `created_at` datetime NOT NULL, `blob_id` integer NOT NULL, `version_id` integer NOT NULL, CONSTRAINT `package_files_package_blobs_files` FOREIGN KEY (`blob_id`) REFERENCES `package_blobs` (`id`) ON DELETE RESTRICT, CONSTRAINT `package_files_package_versions_files` FOREIGN KEY (`version_id`) REFERENCES `package_versions` (`id`) ON DELETE CASCADE);
-- Set sequence for "package_files" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("package_files", 25769803776);
-- Create index "packagefile_version_id_normalized_name_composite_key" to table: "package_files"
CREATE UNIQUE INDEX `packagefile_version_id_normalized_name_composite_key` ON `package_files` (`version_id`, `normalized_name`, `composite_key`);
-- Create index "packagefile_blob_id" to table: "package_files"
CREATE INDEX `packagefile_blob_id` ON `package_files` (`blob_id`);
-- Create "package_versions" table
CREATE TABLE `package_versions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `version` text NOT NULL, `normalized_version` text NOT NULL, `sort_key` text NOT NULL, `prerelease` bool NOT NULL DEFAULT (false), `internal` bool NOT NULL DEFAULT (false), `metadata` json NULL, `summary` text NOT NULL DEFAULT (''), `readme` text NOT NULL DEFAULT (''), `license` text NOT NULL DEFAULT (''), `homepage` text NOT NULL DEFAULT (''), `repository_url` text NOT NULL DEFAULT (''), `authors` json NULL, `keywords` json NULL, `dependencies` json NULL, `yanked` bool NOT NULL DEFAULT (false), `deprecated` bool NOT NULL DEFAULT (false), `status_reason` text NOT NULL DEFAULT (''), `downloads` integer NOT NULL DEFAULT (0), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `creator_id` integer NULL, `package_id` integer NOT NULL, CONSTRAINT `package_versions_users_creator` FOREIGN KEY (`creator_id`) REFERENCES `users` (`id`) ON DELETE SET NULL, CONSTRAINT `package_versions_packages_versions` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE CASCADE);
-- Set sequence for "package_versions" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("package_versions", 30064771072);
-- Create index "packageversion_package_id_normalized_version" to table: "package_versions"
CREATE UNIQUE INDEX `packageversion_package_id_normalized_version` ON `package_versions` (`package_id`, `normalized_version`);
-- Create index "packageversion_package_id_internal_prerelease_sort_key" to table: "package_versions"
CREATE INDEX `packageversion_package_id_internal_prerelease_sort_key` ON `package_versions` (`package_id`, `internal`, `prerelease`, `sort_key`);
-- Create index "packageversion_package_id_internal_created_at" to table: "package_versions"
CREATE INDEX `packageversion_package_id_internal_created_at` ON `package_versions` (`package_id`, `internal`, `created_at`);
-- Create index "packageversion_creator_id" to table: "package_versions"
CREATE INDEX `packageversion_creator_id` ON `package_versions` (`creator_id`);
-- Create "packages" table
CREATE TABLE `packages` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `type` text NOT NULL, `name` text NOT NULL, `normalized_name` text NOT NULL, `visibility` text NOT NULL DEFAULT ('INHERIT'), `summary` text NOT NULL DEFAULT (''), `search_text` text NOT NULL DEFAULT (''), `repository_url` text NOT NULL DEFAULT (''), `generation` integer NOT NULL DEFAULT (0), `version_count` integer NOT NULL DEFAULT (0), `downloads` integer NOT NULL DEFAULT (0), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `owner_id` integer NOT NULL, `latest_id` integer NULL, CONSTRAINT `packages_owners_packages` FOREIGN KEY (`owner_id`) REFERENCES `owners` (`id`) ON DELETE NO ACTION, CONSTRAINT `packages_package_versions_latest` FOREIGN KEY (`latest_id`) REFERENCES `package_versions` (`id`) ON DELETE SET NULL);
-- Set sequence for "packages" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("packages", 34359738368);
-- Create index "pkg_owner_id_type_normalized_name" to table: "packages"
CREATE UNIQUE INDEX `pkg_owner_id_type_normalized_name` ON `packages` (`owner_id`, `type`, `normalized_name`);
-- Create index "pkg_type_normalized_name" to table: "packages"
CREATE INDEX `pkg_type_normalized_name` ON `packages` (`type`, `normalized_name`);
-- Create index "pkg_updated_at" to table: "packages"
CREATE INDEX `pkg_updated_at` ON `packages` (`updated_at`);
-- Create index "pkg_latest_id" to table: "packages"
CREATE INDEX `pkg_latest_id` ON `packages` (`latest_id`);
-- Create "properties" table
CREATE TABLE `properties` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `ref_type` text NOT NULL, `ref_id` integer NOT NULL, `name` text NOT NULL, `value` text NOT NULL);
-- Set sequence for "properties" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("properties", 38654705664);
-- Create index "property_ref_type_ref_id_name" to table: "properties"
CREATE INDEX `property_ref_type_ref_id_name` ON `properties` (`ref_type`, `ref_id`, `name`);
-- Create index "property_name_value" to table: "properties"
CREATE INDEX `property_name_value` ON `properties` (`name`, `value`);
-- Create "secrets" table
CREATE TABLE `secrets` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `value` blob NOT NULL, `created_at` datetime NOT NULL);
-- Set sequence for "secrets" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("secrets", 42949672960);
-- Create index "secret_name" to table: "secrets"
CREATE UNIQUE INDEX `secret_name` ON `secrets` (`name`);
-- Create "sessions" table
CREATE TABLE `sessions` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `token` text NOT NULL, `data` blob NOT NULL, `expires_at` datetime NOT NULL);
-- Set sequence for "sessions" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("sessions", 47244640256);
-- Create index "session_token" to table: "sessions"
CREATE UNIQUE INDEX `session_token` ON `sessions` (`token`);
-- Create index "session_expires_at" to table: "sessions"
CREATE INDEX `session_expires_at` ON `sessions` (`expires_at`);
-- Create "tags" table
CREATE TABLE `tags` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `sort_key` text NOT NULL, `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `version_id` integer NOT NULL, `package_id` integer NOT NULL, CONSTRAINT `tags_package_versions_tags` FOREIGN KEY (`version_id`) REFERENCES `package_versions` (`id`) ON DELETE CASCADE, CONSTRAINT `tags_packages_tags` FOREIGN KEY (`package_id`) REFERENCES `packages` (`id`) ON DELETE CASCADE);
-- Set sequence for "tags" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("tags", 51539607552);
-- Create index "tag_package_id_sort_key" to table: "tags"
CREATE UNIQUE INDEX `tag_package_id_sort_key` ON `tags` (`package_id`, `sort_key`);
-- Create index "tag_version_id" to table: "tags"
CREATE INDEX `tag_version_id` ON `tags` (`version_id`);
-- Create "tokens" table
CREATE TABLE `tokens` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `secret_hash` blob NOT NULL, `scopes` json NOT NULL, `expires_at` datetime NULL, `last_used_at` datetime NULL, `created_at` datetime NOT NULL, `user_id` integer NOT NULL, CONSTRAINT `tokens_users_tokens` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- Set sequence for "tokens" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("tokens", 55834574848);
-- Create index "token_secret_hash" to table: "tokens"
CREATE UNIQUE INDEX `token_secret_hash` ON `tokens` (`secret_hash`);
-- Create index "token_user_id" to table: "tokens"
CREATE INDEX `token_user_id` ON `tokens` (`user_id`);
-- Create "users" table
CREATE TABLE `users` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `login` text NOT NULL, `normalized_login` text NOT NULL, `full_name` text NOT NULL DEFAULT (''), `email` text NOT NULL, `normalized_email` text NOT NULL, `password_hash` text NOT NULL, `admin` bool NOT NULL DEFAULT (false), `disabled` bool NOT NULL DEFAULT (false), `created_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `owner_id` integer NOT NULL, CONSTRAINT `users_owners_user` FOREIGN KEY (`owner_id`) REFERENCES `owners` (`id`) ON DELETE NO ACTION);
-- Set sequence for "users" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("users", 60129542144);
-- Create index "users_owner_id_key" to table: "users"
CREATE UNIQUE INDEX `users_owner_id_key` ON `users` (`owner_id`);
-- Create index "user_normalized_login" to table: "users"
CREATE UNIQUE INDEX `user_normalized_login` ON `users` (`normalized_login`);
-- Create index "user_normalized_email" to table: "users"
CREATE UNIQUE INDEX `user_normalized_email` ON `users` (`normalized_email`);
