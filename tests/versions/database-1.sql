CREATE TABLE "records" (
   "record_id" TEXT PRIMARY KEY NOT NULL,
   "node_id" INTEGER,
   "title" TEXT,
   "submitted_by" TEXT,
   "submitted_at" TEXT,
   "reference" TEXT,
   "short_name" TEXT,
   "tta_title" TEXT,
   "description" TEXT,
   "status" TEXT,
   "status_changed_at" TEXT,
   "agency_types" TEXT,
   "point_of_contact" TEXT,
   "ttar_source" TEXT,
   "category" TEXT,
   "provider_reference" TEXT,
   "special_populations" TEXT,
   "evidence_based" INTEGER,
   "emerging_need" INTEGER,
   "target_audience" TEXT,
   "county" TEXT,
   "program_areas" TEXT,
   "program_area_subtopics" TEXT,
   "other_program_area" TEXT,
   "tta_source" TEXT,
   "demographic_gender" TEXT,
   "demographic_age" TEXT,
   "demographic_race" TEXT,
   "demographic_ethnicity" TEXT,
   "demographic_other" TEXT,
   "estimated_cost" TEXT,
   "estimated_cost_lower" REAL,
   "estimated_cost_upper" REAL,
   "bja_grant_manager" TEXT,
   "recipient_agency_scope" INTEGER,
   "recipient_agency_name" TEXT,
   "event_start" TEXT,
   "event_end" TEXT,
   "in_public_catalog" INTEGER,
   "agreed" INTEGER,
   "archived" INTEGER,
   "longitude" REAL,
   "latitude" REAL,
   "remote_ttac_id" INTEGER,
   "url" TEXT,
   "first_captured_at" TEXT,
   "last_captured_at" TEXT,
   "captures" INTEGER NOT NULL
) STRICT;
INSERT INTO "records" VALUES ('1', 1, '20250129-145639-07', 'Hope Fiori', NULL, '20250129-145639-07', NULL, NULL, 'Help for a county.', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'Essex County', NULL, NULL, NULL, 'TTA Provider', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL, NULL, 'https://bjatta.bja.ojp.gov/node/1', '2025-01-02T12:00:00Z', '2025-01-10T12:00:00Z', 2);
INSERT INTO "records" VALUES ('2', 2, '20250130-101112-1', 'Hope Fiori', NULL, '20250130-101112-1', NULL, NULL, 'Help for a county.', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'Kent County', NULL, NULL, NULL, 'TTA Provider', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL, NULL, 'https://bjatta.bja.ojp.gov/node/2', '2025-01-04T12:00:00Z', '2025-01-04T12:00:00Z', 1);
CREATE TABLE "captures" (
   "capture_id" TEXT PRIMARY KEY NOT NULL,
   "record_id" TEXT REFERENCES "records"("record_id"),
   "url" TEXT,
   "node_id" INTEGER,
   "captured_at" TEXT,
   "source" TEXT NOT NULL,
   "http_status" INTEGER,
   "kind" TEXT NOT NULL,
   "reason" TEXT,
   "form" TEXT,
   "sha256" TEXT,
   "reference" TEXT,
   "address" TEXT,
   "original_id" TEXT,
   "warc_type" TEXT NOT NULL,
   "truncated" TEXT,
   "shape" TEXT,
   "flags" TEXT,
   "warc_file" TEXT NOT NULL,
   "warc_offset" INTEGER NOT NULL
) STRICT;
INSERT INTO "captures" VALUES ('99fbba79e52bc1b9976a', '1', 'https://bjatta.bja.ojp.gov/node/1', 1, '2025-01-02T12:00:00Z', 'wayback', 200, 'record', 'its fields are a TTA record''s', 'html', '0f4137caceec89fef0e05477028d1176ad4c80e0d270bb39f19f2d5eac6fa3e6', '20250129-145639-07', 'bjatta.bja.ojp.gov/node/1', NULL, 'response', NULL, 'a0d6e0296bbf', NULL, 'tta-000001.warc.gz', 0);
INSERT INTO "captures" VALUES ('b1e65bb29f4f0542ea50', '1', 'https://bjatta.bja.ojp.gov/node/1', 1, '2025-01-10T12:00:00Z', 'wayback', 200, 'record', 'its fields are a TTA record''s', 'html', 'e886b475faa0644f76e2af967c4f1d90aeff582d4d3ddfa090d13159820697a8', '20250129-145639-07', 'bjatta.bja.ojp.gov/node/1', NULL, 'response', NULL, 'a0d6e0296bbf', NULL, 'tta-000001.warc.gz', 720);
INSERT INTO "captures" VALUES ('c9d7b384de6f0e8f56b2', '2', 'https://bjatta.bja.ojp.gov/node/2', 2, '2025-01-04T12:00:00Z', 'wayback', 200, 'record', 'its fields are a TTA record''s', 'html', '4cd605484e6781b533f3492211898ac84a1ceea91f886f256e6aecba32ac6191', '20250130-101112-1', 'bjatta.bja.ojp.gov/node/2', NULL, 'response', NULL, 'a0d6e0296bbf', NULL, 'tta-000001.warc.gz', 1438);
CREATE TABLE "fields" (
   "record_id" TEXT NOT NULL REFERENCES "records"("record_id"),
   "position" INTEGER NOT NULL,
   "section" TEXT,
   "label" TEXT,
   "name" TEXT,
   "item" TEXT,
   "value" TEXT,
   "state" TEXT NOT NULL,
   "href" TEXT,
   "datetime" TEXT,
   "capture_id" TEXT NOT NULL REFERENCES "captures"("capture_id"),
   PRIMARY KEY ("record_id", "position")
) STRICT;
INSERT INTO "fields" VALUES ('1', 1, NULL, NULL, 'body', NULL, 'Help for a county.', 'value', NULL, NULL, 'b1e65bb29f4f0542ea50');
INSERT INTO "fields" VALUES ('1', 2, NULL, 'TTA Source', 'field_tta_source', NULL, 'TTA Provider', 'value', NULL, NULL, 'b1e65bb29f4f0542ea50');
INSERT INTO "fields" VALUES ('1', 3, NULL, 'I Agree', 'field_i_agree', NULL, 'On', 'value', NULL, NULL, 'b1e65bb29f4f0542ea50');
INSERT INTO "fields" VALUES ('1', 4, NULL, 'Archived', 'field_archived', NULL, 'Off', 'value', NULL, NULL, 'b1e65bb29f4f0542ea50');
INSERT INTO "fields" VALUES ('1', 5, NULL, 'County', 'field_county', NULL, 'Essex County', 'value', NULL, NULL, 'b1e65bb29f4f0542ea50');
INSERT INTO "fields" VALUES ('2', 1, NULL, NULL, 'body', NULL, 'Help for a county.', 'value', NULL, NULL, 'c9d7b384de6f0e8f56b2');
INSERT INTO "fields" VALUES ('2', 2, NULL, 'TTA Source', 'field_tta_source', NULL, 'TTA Provider', 'value', NULL, NULL, 'c9d7b384de6f0e8f56b2');
INSERT INTO "fields" VALUES ('2', 3, NULL, 'I Agree', 'field_i_agree', NULL, 'On', 'value', NULL, NULL, 'c9d7b384de6f0e8f56b2');
INSERT INTO "fields" VALUES ('2', 4, NULL, 'Archived', 'field_archived', NULL, 'Off', 'value', NULL, NULL, 'c9d7b384de6f0e8f56b2');
INSERT INTO "fields" VALUES ('2', 5, NULL, 'County', 'field_county', NULL, 'Kent County', 'value', NULL, NULL, 'c9d7b384de6f0e8f56b2');
CREATE TABLE "sections" (
   "record_id" TEXT NOT NULL REFERENCES "records"("record_id"),
   "position" INTEGER NOT NULL,
   "label" TEXT NOT NULL,
   "text" TEXT,
   "capture_id" TEXT NOT NULL REFERENCES "captures"("capture_id"),
   PRIMARY KEY ("record_id", "position")
) STRICT;
CREATE TABLE "milestones" (
   "record_id" TEXT NOT NULL REFERENCES "records"("record_id"),
   "position" INTEGER NOT NULL,
   "title" TEXT,
   "date" TEXT,
   "notes" TEXT,
   "details" TEXT,
   PRIMARY KEY ("record_id", "position")
) STRICT;
CREATE TABLE "performance_metrics" (
   "record_id" TEXT NOT NULL REFERENCES "records"("record_id"),
   "position" INTEGER NOT NULL,
   "question" TEXT,
   "answer" TEXT,
   PRIMARY KEY ("record_id", "position")
) STRICT;
CREATE TABLE "changes" (
   "record_id" TEXT NOT NULL REFERENCES "records"("record_id"),
   "field" TEXT NOT NULL,
   "old_value" TEXT,
   "new_value" TEXT,
   "seen_after" TEXT NOT NULL,
   "seen_by" TEXT NOT NULL
) STRICT;
INSERT INTO "changes" VALUES ('1', 'county', 'Suffolk County', 'Essex County', '2025-01-02T12:00:00Z', '2025-01-10T12:00:00Z');
CREATE TABLE "runs" (
   "run_id" INTEGER PRIMARY KEY NOT NULL,
   "started_at" TEXT NOT NULL,
   "ended_at" TEXT,
   "status" INTEGER,
   "outcome" TEXT,
   "captures" INTEGER,
   "records" INTEGER,
   "message" TEXT
) STRICT;
INSERT INTO "runs" VALUES (1, '2026-11-01T03:17:00Z', '2026-11-01T03:21:40Z', 0, 'committed', 3, 2, NULL);
INSERT INTO "runs" VALUES (2, '2026-11-02T03:17:00Z', '2026-11-02T03:17:09Z', 3, 'rolled back', 3, 2, 'county is filled in 10 % of the records, it was 90 %');
CREATE TABLE "run_checks" (
   "run_id" INTEGER NOT NULL REFERENCES "runs"("run_id"),
   "position" INTEGER NOT NULL,
   "name" TEXT NOT NULL,
   "subject" TEXT,
   "figure" REAL,
   "threshold" REAL,
   "passed" INTEGER NOT NULL,
   "message" TEXT,
   PRIMARY KEY ("run_id", "position")
) STRICT;
INSERT INTO "run_checks" VALUES (1, 1, 'filled', 'county', 0.9, 0.85, 1, NULL);
INSERT INTO "run_checks" VALUES (2, 1, 'filled', 'county', 0.1, 0.85, 0, 'look at county');
CREATE TABLE "dictionary" (
   "table" TEXT NOT NULL,
   "column" TEXT NOT NULL,
   "description" TEXT NOT NULL,
   "label" TEXT,
   "unit" TEXT,
   PRIMARY KEY ("table", "column")
) STRICT;
INSERT INTO "dictionary" VALUES ('records', 'record_id', 'the record: its node number, or what stands for it where no node number is known', NULL, NULL);
INSERT INTO "dictionary" VALUES ('records', 'node_id', 'Drupal''s node number, the record''s identity', NULL, NULL);
INSERT INTO "dictionary" VALUES ('records', 'title', 'title of the page, mostly the record''s reference', NULL, NULL);
INSERT INTO "dictionary" VALUES ('records', 'submitted_by', 'who submitted the record, as printed (may be cut to 15 characters)', NULL, NULL);
INSERT INTO "dictionary" VALUES ('records', 'submitted_at', 'when the record was submitted', NULL, 'ISO 8601, UTC where the page tells the zone');
INSERT INTO "dictionary" VALUES ('records', 'reference', 'the record''s own reference, YYYYMMDD-time-serial', NULL, NULL);
INSERT INTO "dictionary" VALUES ('records', 'short_name', 'short name of the TTA', 'TTA Short Name', NULL);
INSERT INTO "dictionary" VALUES ('records', 'tta_title', 'title of the TTA', 'TTA Title', NULL);
INSERT INTO "dictionary" VALUES ('records', 'description', 'the body of the page; bullets and line breaks kept', NULL, NULL);
INSERT INTO "dictionary" VALUES ('records', 'status', 'status of the deliverable', 'Status of Deliverable', NULL);
INSERT INTO "dictionary" VALUES ('records', 'status_changed_at', 'when the status last changed', 'Status Changed', 'ISO 8601');
INSERT INTO "dictionary" VALUES ('records', 'agency_types', 'types of the agencies that were helped; a JSON array', 'Type of Agency', NULL);
INSERT INTO "dictionary" VALUES ('records', 'point_of_contact', 'who is responsible for the TTA; a JSON array', 'TTA Point of Contact', NULL);
INSERT INTO "dictionary" VALUES ('records', 'ttar_source', 'where the request for the TTA came from', 'TTAR Source', NULL);
INSERT INTO "dictionary" VALUES ('records', 'category', 'kind of page on the portal', 'Category', NULL);
INSERT INTO "dictionary" VALUES ('records', 'provider_reference', 'the organisation that gave the help', 'Provider Reference', NULL);
INSERT INTO "dictionary" VALUES ('records', 'special_populations', 'special populations the TTA is about; a JSON array', 'Special Populations', NULL);
INSERT INTO "dictionary" VALUES ('records', 'evidence_based', 'whether the TTA supports an evidence-based or promising practice; 1 yes, 0 no', 'Is this TTA in support of implementing or maintaining an evidence-based or promising practice?', NULL);
INSERT INTO "dictionary" VALUES ('records', 'emerging_need', 'whether the TTA answers an emerging public safety need; 1 yes, 0 no', 'Is this TTA in response to emerging public safety needs?', NULL);
INSERT INTO "dictionary" VALUES ('records', 'target_audience', 'audiences the TTA is for; a JSON array', 'Target Audience', NULL);
INSERT INTO "dictionary" VALUES ('records', 'county', 'county as printed on the page', 'County', NULL);
INSERT INTO "dictionary" VALUES ('records', 'program_areas', 'program areas of the TTA; a JSON array', 'TTA Program Area', NULL);
INSERT INTO "dictionary" VALUES ('records', 'program_area_subtopics', 'sub-topics of the program areas; a JSON array', 'Program Area - Sub Topics', NULL);
INSERT INTO "dictionary" VALUES ('records', 'other_program_area', 'other program areas, a comma list as printed', 'If your program area sub-topic is one of the ''Other Program Areas'', please describe below', NULL);
INSERT INTO "dictionary" VALUES ('records', 'tta_source', 'source of the TTA', 'TTA Source', NULL);
INSERT INTO "dictionary" VALUES ('records', 'demographic_gender', 'genders the TTA is about; a JSON array', 'Demographic - Gender', NULL);
INSERT INTO "dictionary" VALUES ('records', 'demographic_age', 'ages the TTA is about; a JSON array', 'Demographic - Age', NULL);
INSERT INTO "dictionary" VALUES ('records', 'demographic_race', 'races the TTA is about; a JSON array', 'Demographic - Race', NULL);
INSERT INTO "dictionary" VALUES ('records', 'demographic_ethnicity', 'ethnicities the TTA is about; a JSON array', 'Demographic - Ethnicity', NULL);
INSERT INTO "dictionary" VALUES ('records', 'demographic_other', 'other groups the TTA is about; a JSON array', 'Demographic - Other', NULL);
INSERT INTO "dictionary" VALUES ('records', 'estimated_cost', 'estimated cost as printed, mostly a range', 'TTA Estimated Costs', 'US dollars');
INSERT INTO "dictionary" VALUES ('records', 'estimated_cost_lower', 'lower bound of the estimated cost, derived', NULL, 'US dollars');
INSERT INTO "dictionary" VALUES ('records', 'estimated_cost_upper', 'upper bound of the estimated cost, derived; NULL where open', NULL, 'US dollars');
INSERT INTO "dictionary" VALUES ('records', 'bja_grant_manager', 'the Bureau''s grant manager', 'BJA Grant Manager', NULL);
INSERT INTO "dictionary" VALUES ('records', 'recipient_agency_scope', 'the recipient agency''s scope; 1 yes, 0 no', 'Recipient Agency Scope', NULL);
INSERT INTO "dictionary" VALUES ('records', 'recipient_agency_name', 'the agency that was helped, as printed', 'Primary Recipient Agency Name', NULL);
INSERT INTO "dictionary" VALUES ('records', 'event_start', 'start of the event', 'TTA Event Date', 'ISO 8601');
INSERT INTO "dictionary" VALUES ('records', 'event_end', 'end of the event; equal to its start where one time is printed', 'TTA Event Date', 'ISO 8601');
INSERT INTO "dictionary" VALUES ('records', 'in_public_catalog', 'whether the event was shown in the public catalog; 1 yes, 0 no', 'Display event on public TTA Catalog', NULL);
INSERT INTO "dictionary" VALUES ('records', 'agreed', 'whether the agreement was ticked; 1 on, 0 off', 'I Agree', NULL);
INSERT INTO "dictionary" VALUES ('records', 'archived', 'whether the record was archived on the portal; 1 on, 0 off', 'Archived', NULL);
INSERT INTO "dictionary" VALUES ('records', 'longitude', 'longitude of the first sound point', 'Event Location Geo', 'degrees east, WGS 84');
INSERT INTO "dictionary" VALUES ('records', 'latitude', 'latitude of the first sound point', 'Event Location Geo', 'degrees north, WGS 84');
INSERT INTO "dictionary" VALUES ('records', 'remote_ttac_id', 'number of the record in a remote TTAC''s system', 'Remote TTAC ID', NULL);
INSERT INTO "dictionary" VALUES ('records', 'url', 'address of the record in its latest capture that has one', NULL, NULL);
INSERT INTO "dictionary" VALUES ('records', 'first_captured_at', 'time of the earliest capture; NULL where no capture''s time is known', NULL, 'ISO 8601, UTC');
INSERT INTO "dictionary" VALUES ('records', 'last_captured_at', 'time of the latest capture; NULL where no capture''s time is known', NULL, 'ISO 8601, UTC');
INSERT INTO "dictionary" VALUES ('records', 'captures', 'how many captures show the record', NULL, 'captures');
INSERT INTO "dictionary" VALUES ('captures', 'capture_id', 'identity of the capture: a digest of its address, time, status and body', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'record_id', 'the record it shows; NULL where it shows none', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'url', 'address as captured', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'node_id', 'node number, where the address or the page tells it', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'captured_at', 'when it was captured; NULL is not known', NULL, 'ISO 8601, UTC');
INSERT INTO "dictionary" VALUES ('captures', 'source', 'where the capture came from: wayback, commoncrawl, endofterm, live, files, ...', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'http_status', 'HTTP status, where the capture has one', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'kind', 'what the capture shows: record, other, blocked, error, redirect, revisit, not_html, unreadable', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'reason', 'why it was taken for that kind of page', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'form', 'html or text: form of the record page; NULL where it shows no record', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'sha256', 'digest of the body, decoded; of the original''s body for a revisit', NULL, 'hex');
INSERT INTO "dictionary" VALUES ('captures', 'reference', 'the reference it shows', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'address', 'address without scheme, www, last slash and fragment: two captures with one address show one page', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'original_id', 'the capture whose body a revisit record of the archive repeats', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'warc_type', 'response, resource, conversion or revisit: how the archive keeps it', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'truncated', 'why its body is known to be cut, as the archive says', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'shape', 'fingerprint of the page''s structure', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'flags', 'what looks wrong in its values; a JSON array', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'warc_file', 'file in the archive folder that holds it', NULL, NULL);
INSERT INTO "dictionary" VALUES ('captures', 'warc_offset', 'where in that file it begins', NULL, 'bytes');
INSERT INTO "dictionary" VALUES ('fields', 'record_id', 'the record: its node number, or what stands for it where no node number is known', NULL, NULL);
INSERT INTO "dictionary" VALUES ('fields', 'position', 'place on the page, from 1', NULL, 'rows');
INSERT INTO "dictionary" VALUES ('fields', 'section', 'label of the instruction field that precedes it', NULL, NULL);
INSERT INTO "dictionary" VALUES ('fields', 'label', 'label as printed, also where visually hidden; NULL where the page prints none', NULL, NULL);
INSERT INTO "dictionary" VALUES ('fields', 'name', 'Drupal''s machine name, where the page''s classes tell it', NULL, NULL);
INSERT INTO "dictionary" VALUES ('fields', 'item', 'group and number, such as ''Milestone 2'', for a field nested in a group', NULL, NULL);
INSERT INTO "dictionary" VALUES ('fields', 'value', 'value as printed; line breaks kept', NULL, NULL);
INSERT INTO "dictionary" VALUES ('fields', 'state', 'value, empty (printed without a value) or not_captured (lost on the way into the capture)', NULL, NULL);
INSERT INTO "dictionary" VALUES ('fields', 'href', 'address the value links to, absolute, without an archive''s prefix', NULL, NULL);
INSERT INTO "dictionary" VALUES ('fields', 'datetime', 'time as in the page''s attribute; a range as start/end', NULL, NULL);
INSERT INTO "dictionary" VALUES ('fields', 'capture_id', 'the capture this was read from', NULL, NULL);
INSERT INTO "dictionary" VALUES ('sections', 'record_id', 'the record: its node number, or what stands for it where no node number is known', NULL, NULL);
INSERT INTO "dictionary" VALUES ('sections', 'position', 'place among the page''s sections, from 1', NULL, NULL);
INSERT INTO "dictionary" VALUES ('sections', 'label', 'label of the instruction field', NULL, NULL);
INSERT INTO "dictionary" VALUES ('sections', 'text', 'the instructions as printed', NULL, NULL);
INSERT INTO "dictionary" VALUES ('sections', 'capture_id', 'the capture this was read from', NULL, NULL);
INSERT INTO "dictionary" VALUES ('milestones', 'record_id', 'the record: its node number, or what stands for it where no node number is known', NULL, NULL);
INSERT INTO "dictionary" VALUES ('milestones', 'position', 'place among the record''s milestones, from 1', NULL, NULL);
INSERT INTO "dictionary" VALUES ('milestones', 'title', 'the milestone''s title, or its text where the page prints it as a plain line', NULL, NULL);
INSERT INTO "dictionary" VALUES ('milestones', 'date', 'the first date printed in the milestone', NULL, 'ISO 8601');
INSERT INTO "dictionary" VALUES ('milestones', 'notes', 'the milestone''s notes or description', NULL, NULL);
INSERT INTO "dictionary" VALUES ('milestones', 'details', 'every filled field of the milestone, a line each: label, colon, value', NULL, NULL);
INSERT INTO "dictionary" VALUES ('performance_metrics', 'record_id', 'the record: its node number, or what stands for it where no node number is known', NULL, NULL);
INSERT INTO "dictionary" VALUES ('performance_metrics', 'position', 'place among the record''s performance metrics, from 1', NULL, NULL);
INSERT INTO "dictionary" VALUES ('performance_metrics', 'question', 'the question or the metric''s name, where the page prints one', NULL, NULL);
INSERT INTO "dictionary" VALUES ('performance_metrics', 'answer', 'the answer as printed', NULL, NULL);
INSERT INTO "dictionary" VALUES ('changes', 'record_id', 'the record: its node number, or what stands for it where no node number is known', NULL, NULL);
INSERT INTO "dictionary" VALUES ('changes', 'field', 'the column that changed, or the label where it feeds no column', NULL, NULL);
INSERT INTO "dictionary" VALUES ('changes', 'old_value', 'value before; several joined with ''; ''; NULL is empty', NULL, NULL);
INSERT INTO "dictionary" VALUES ('changes', 'new_value', 'value after; several joined with ''; ''; NULL is empty', NULL, NULL);
INSERT INTO "dictionary" VALUES ('changes', 'seen_after', 'the last capture that shows the old value', NULL, 'ISO 8601, UTC');
INSERT INTO "dictionary" VALUES ('changes', 'seen_by', 'the first capture that shows the new value', NULL, 'ISO 8601, UTC');
INSERT INTO "dictionary" VALUES ('runs', 'run_id', 'number of the run, from 1', NULL, NULL);
INSERT INTO "dictionary" VALUES ('runs', 'started_at', 'when it began', NULL, 'ISO 8601, UTC');
INSERT INTO "dictionary" VALUES ('runs', 'ended_at', 'when it ended', NULL, 'ISO 8601, UTC');
INSERT INTO "dictionary" VALUES ('runs', 'status', 'its exit status', NULL, NULL);
INSERT INTO "dictionary" VALUES ('runs', 'outcome', 'committed, rolled back or failed', NULL, NULL);
INSERT INTO "dictionary" VALUES ('runs', 'captures', 'captures known after it', NULL, 'captures');
INSERT INTO "dictionary" VALUES ('runs', 'records', 'records known after it', NULL, 'records');
INSERT INTO "dictionary" VALUES ('runs', 'message', 'what to look at, in a line', NULL, NULL);
INSERT INTO "dictionary" VALUES ('run_checks', 'run_id', 'the run that made the check', NULL, NULL);
INSERT INTO "dictionary" VALUES ('run_checks', 'position', 'place among the run''s checks, from 1', NULL, NULL);
INSERT INTO "dictionary" VALUES ('run_checks', 'name', 'name of the check', NULL, NULL);
INSERT INTO "dictionary" VALUES ('run_checks', 'subject', 'what was checked, such as a column or a source', NULL, NULL);
INSERT INTO "dictionary" VALUES ('run_checks', 'figure', 'what was measured', NULL, NULL);
INSERT INTO "dictionary" VALUES ('run_checks', 'threshold', 'what it was held against', NULL, NULL);
INSERT INTO "dictionary" VALUES ('run_checks', 'passed', 'whether it passed; 1 yes, 0 no', NULL, NULL);
INSERT INTO "dictionary" VALUES ('run_checks', 'message', 'what to look at, in a line', NULL, NULL);
INSERT INTO "dictionary" VALUES ('dictionary', 'table', 'table of the database', NULL, NULL);
INSERT INTO "dictionary" VALUES ('dictionary', 'column', 'column of the table', NULL, NULL);
INSERT INTO "dictionary" VALUES ('dictionary', 'description', 'what it holds', NULL, NULL);
INSERT INTO "dictionary" VALUES ('dictionary', 'label', 'label on the record page that it is read from', NULL, NULL);
INSERT INTO "dictionary" VALUES ('dictionary', 'unit', 'unit or format of its values', NULL, NULL);
CREATE VIRTUAL TABLE "records_fts" USING FTS5 (
    "title", "tta_title", "short_name", "description", "provider_reference", "other_program_area", "point_of_contact", "agency_types", "target_audience", "program_areas", "program_area_subtopics", "special_populations", "county", "recipient_agency_name", "submitted_by",
    tokenize='porter',
    content="records"
);
INSERT INTO records_fts (records_fts) VALUES ('rebuild');
CREATE INDEX "idx_captures_record_id"
    ON "captures" ("record_id");
CREATE INDEX "idx_captures_node_id"
    ON "captures" ("node_id");
CREATE INDEX "idx_captures_captured_at"
    ON "captures" ("captured_at");
CREATE INDEX "idx_captures_kind"
    ON "captures" ("kind");
CREATE INDEX "idx_captures_reference"
    ON "captures" ("reference");
CREATE INDEX "idx_captures_address"
    ON "captures" ("address");
CREATE INDEX "idx_captures_original_id"
    ON "captures" ("original_id");
CREATE INDEX "idx_records_node_id"
    ON "records" ("node_id");
CREATE INDEX "idx_records_reference"
    ON "records" ("reference");
CREATE INDEX "idx_records_title"
    ON "records" ("title");
CREATE INDEX "idx_records_status"
    ON "records" ("status");
CREATE INDEX "idx_records_category"
    ON "records" ("category");
CREATE INDEX "idx_records_provider_reference"
    ON "records" ("provider_reference");
CREATE INDEX "idx_records_county"
    ON "records" ("county");
CREATE INDEX "idx_records_event_start"
    ON "records" ("event_start");
CREATE INDEX "idx_records_submitted_at"
    ON "records" ("submitted_at");
CREATE INDEX "idx_records_last_captured_at"
    ON "records" ("last_captured_at");
CREATE INDEX "idx_records_tta_source"
    ON "records" ("tta_source");
CREATE INDEX "idx_records_ttar_source"
    ON "records" ("ttar_source");
CREATE INDEX "idx_records_estimated_cost"
    ON "records" ("estimated_cost");
CREATE INDEX "idx_records_bja_grant_manager"
    ON "records" ("bja_grant_manager");
CREATE INDEX "idx_fields_label"
    ON "fields" ("label");
CREATE INDEX "idx_fields_capture_id"
    ON "fields" ("capture_id");
CREATE INDEX "idx_sections_label"
    ON "sections" ("label");
CREATE INDEX "idx_milestones_date"
    ON "milestones" ("date");
CREATE INDEX "idx_changes_record_id"
    ON "changes" ("record_id");
CREATE INDEX "idx_changes_field"
    ON "changes" ("field");
CREATE INDEX "idx_changes_seen_by"
    ON "changes" ("seen_by");
CREATE TRIGGER "records_ai" AFTER INSERT ON "records" BEGIN
  INSERT INTO "records_fts" (rowid, "title", "tta_title", "short_name", "description", "provider_reference", "other_program_area", "point_of_contact", "agency_types", "target_audience", "program_areas", "program_area_subtopics", "special_populations", "county", "recipient_agency_name", "submitted_by") VALUES (new.rowid, new."title", new."tta_title", new."short_name", new."description", new."provider_reference", new."other_program_area", new."point_of_contact", new."agency_types", new."target_audience", new."program_areas", new."program_area_subtopics", new."special_populations", new."county", new."recipient_agency_name", new."submitted_by");
END;
CREATE TRIGGER "records_ad" AFTER DELETE ON "records" BEGIN
  INSERT INTO "records_fts" ("records_fts", rowid, "title", "tta_title", "short_name", "description", "provider_reference", "other_program_area", "point_of_contact", "agency_types", "target_audience", "program_areas", "program_area_subtopics", "special_populations", "county", "recipient_agency_name", "submitted_by") VALUES('delete', old.rowid, old."title", old."tta_title", old."short_name", old."description", old."provider_reference", old."other_program_area", old."point_of_contact", old."agency_types", old."target_audience", old."program_areas", old."program_area_subtopics", old."special_populations", old."county", old."recipient_agency_name", old."submitted_by");
END;
CREATE TRIGGER "records_au" AFTER UPDATE ON "records" BEGIN
  INSERT INTO "records_fts" ("records_fts", rowid, "title", "tta_title", "short_name", "description", "provider_reference", "other_program_area", "point_of_contact", "agency_types", "target_audience", "program_areas", "program_area_subtopics", "special_populations", "county", "recipient_agency_name", "submitted_by") VALUES('delete', old.rowid, old."title", old."tta_title", old."short_name", old."description", old."provider_reference", old."other_program_area", old."point_of_contact", old."agency_types", old."target_audience", old."program_areas", old."program_area_subtopics", old."special_populations", old."county", old."recipient_agency_name", old."submitted_by");
  INSERT INTO "records_fts" (rowid, "title", "tta_title", "short_name", "description", "provider_reference", "other_program_area", "point_of_contact", "agency_types", "target_audience", "program_areas", "program_area_subtopics", "special_populations", "county", "recipient_agency_name", "submitted_by") VALUES (new.rowid, new."title", new."tta_title", new."short_name", new."description", new."provider_reference", new."other_program_area", new."point_of_contact", new."agency_types", new."target_audience", new."program_areas", new."program_area_subtopics", new."special_populations", new."county", new."recipient_agency_name", new."submitted_by");
END;
PRAGMA application_id = 1953784113;
PRAGMA user_version = 1;
