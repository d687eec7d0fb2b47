-- Modify "events" table
ALTER TABLE "events" ADD COLUMN "tag" character varying NULL;
-- Create index "event_package_id_tag" to table: "events"
CREATE INDEX "event_package_id_tag" ON "events" ("package_id", "tag") WHERE (tag IS NOT NULL);
