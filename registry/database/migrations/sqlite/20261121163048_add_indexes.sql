-- Create "index_data" table
CREATE TABLE `index_data` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `owner_id` integer NOT NULL, `source_id` integer NOT NULL DEFAULT (0), `encoding` text NOT NULL, `content` blob NOT NULL, `size` integer NOT NULL, `created_at` datetime NOT NULL);
-- Set sequence for "index_data" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("index_data", 64424509440);
-- Create index "indexdata_owner_id" to table: "index_data"
CREATE INDEX `indexdata_owner_id` ON `index_data` (`owner_id`);
-- Create index "indexdata_source_id_encoding" to table: "index_data"
CREATE INDEX `indexdata_source_id_encoding` ON `index_data` (`source_id`, `encoding`);
-- Create "index_fragments" table
CREATE TABLE `index_fragments` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `root_id` integer NOT NULL, `stream_id` integer NOT NULL, `file_id` integer NOT NULL, `name` text NOT NULL DEFAULT (''), `rank` text NOT NULL DEFAULT (''), `sort` text NOT NULL DEFAULT (''), `listed` bool NOT NULL DEFAULT (true), `gone` bool NOT NULL DEFAULT (false), `dirty` bool NOT NULL DEFAULT (true), `chunk` integer NOT NULL DEFAULT (0), `position` integer NOT NULL DEFAULT (0), `length` integer NOT NULL DEFAULT (0));
-- Set sequence for "index_fragments" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("index_fragments", 68719476736);
-- Create index "indexfragment_file_id" to table: "index_fragments"
CREATE INDEX `indexfragment_file_id` ON `index_fragments` (`file_id`);
-- Create index "indexfragment_root_id_dirty" to table: "index_fragments"
CREATE INDEX `indexfragment_root_id_dirty` ON `index_fragments` (`root_id`, `dirty`);
-- Create index "indexfragment_stream_id_chunk" to table: "index_fragments"
CREATE INDEX `indexfragment_stream_id_chunk` ON `index_fragments` (`stream_id`, `chunk`);
-- Create index "indexfragment_stream_id_name" to table: "index_fragments"
CREATE INDEX `indexfragment_stream_id_name` ON `index_fragments` (`stream_id`, `name`);
-- Create "index_objects" table
CREATE TABLE `index_objects` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `root_id` integer NOT NULL, `path` text NOT NULL, `sha256` text NOT NULL, `size` integer NOT NULL, `content_type` text NOT NULL, `recipe` blob NOT NULL, `ladder` blob NULL, `created_at` datetime NOT NULL);
-- Set sequence for "index_objects" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("index_objects", 73014444032);
-- Create index "indexobject_root_id_sha256" to table: "index_objects"
CREATE INDEX `indexobject_root_id_sha256` ON `index_objects` (`root_id`, `sha256`);
-- Create "index_roots" table
CREATE TABLE `index_roots` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `owner_id` integer NOT NULL, `type` text NOT NULL, `family` text NOT NULL, `member` text NOT NULL DEFAULT (''), `view` text NOT NULL DEFAULT ('MEMBERS'), `settings` json NULL, `generation` integer NOT NULL DEFAULT (0), `built` integer NOT NULL DEFAULT (0), `snapshot_id` integer NULL, `modified_at` datetime NULL, `dirty_since` datetime NULL, `token` integer NOT NULL DEFAULT (0), `leased_until` datetime NULL, `created_at` datetime NOT NULL);
-- Set sequence for "index_roots" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("index_roots", 77309411328);
-- Create index "indexroot_owner_id_type_family_member_view" to table: "index_roots"
CREATE UNIQUE INDEX `indexroot_owner_id_type_family_member_view` ON `index_roots` (`owner_id`, `type`, `family`, `member`, `view`);
-- Create index "indexroot_dirty_since" to table: "index_roots"
CREATE INDEX `indexroot_dirty_since` ON `index_roots` (`dirty_since`);
-- Create "index_snapshots" table
CREATE TABLE `index_snapshots` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `root_id` integer NOT NULL, `generation` integer NOT NULL, `modified_at` datetime NOT NULL, `objects` json NOT NULL, `created_at` datetime NOT NULL, `retired_at` datetime NULL);
-- Set sequence for "index_snapshots" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("index_snapshots", 81604378624);
-- Create index "indexsnapshot_root_id_created_at" to table: "index_snapshots"
CREATE INDEX `indexsnapshot_root_id_created_at` ON `index_snapshots` (`root_id`, `created_at`);
-- Create index "indexsnapshot_retired_at" to table: "index_snapshots"
CREATE INDEX `indexsnapshot_retired_at` ON `index_snapshots` (`retired_at`);
-- Create "index_streams" table
CREATE TABLE `index_streams` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `root_id` integer NOT NULL, `name` text NOT NULL, `format` integer NOT NULL DEFAULT (0), `chunks` json NULL, `next_chunk` integer NOT NULL DEFAULT (1), `next_position` integer NOT NULL DEFAULT (1), `entries` integer NOT NULL DEFAULT (0));
-- Set sequence for "index_streams" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("index_streams", 85899345920);
-- Create index "indexstream_root_id_name" to table: "index_streams"
CREATE UNIQUE INDEX `indexstream_root_id_name` ON `index_streams` (`root_id`, `name`);
-- Create "signing_keys" table
CREATE TABLE `signing_keys` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `owner_id` integer NOT NULL, `type` text NOT NULL, `form` text NOT NULL, `algorithm` text NOT NULL, `fingerprint` text NOT NULL, `identity` text NOT NULL DEFAULT (''), `public` blob NOT NULL, `private` blob NOT NULL, `current` bool NOT NULL DEFAULT (true), `signs_until` datetime NULL, `expires_at` datetime NULL, `created_at` datetime NOT NULL);
-- Set sequence for "signing_keys" table
INSERT INTO sqlite_sequence (name, seq) VALUES ("signing_keys", 90194313216);
-- Create index "signingkey_owner_id_type" to table: "signing_keys"
CREATE UNIQUE INDEX `signingkey_owner_id_type` ON `signing_keys` (`owner_id`, `type`) WHERE current;
-- Create index "signingkey_owner_id_type_created_at" to table: "signing_keys"
CREATE INDEX `signingkey_owner_id_type_created_at` ON `signing_keys` (`owner_id`, `type`, `created_at`);
