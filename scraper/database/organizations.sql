-- Resolves the mentions to organizations. Each statement is run by `organizations.assign`; `aliases` has ids that stand for another.

-- fields
SELECT f.record_id, f.label, f.name, f.value, f.href, f.contact, c.captured_at FROM fields f
LEFT JOIN captures c ON c.capture_id = f.capture_id
WHERE f.record_id IN (SELECT record_id FROM temp.affected) AND f.value IS NOT NULL AND f.item IS NULL
AND (f.contact OR coalesce(f.label, f.name) LIKE '%provider%' OR coalesce(f.label, f.name) LIKE '%agency%')
ORDER BY f.record_id, f.position

-- heads
SELECT record_id, tta_title, short_name, title, last_captured_at, place_state_code, place_county_code, fiscal_year
FROM records WHERE record_id IN (SELECT record_id FROM temp.affected) ORDER BY record_id

-- forget
INSERT OR IGNORE INTO temp.renewed SELECT organization_id FROM organization_mentions
WHERE record_id IN (SELECT record_id FROM temp.affected);

DELETE FROM organization_mentions WHERE record_id IN (SELECT record_id FROM temp.affected)

-- rules
-- A name without a number is the only numbered organization of its kind that the portal calls so; an agency only where the names of
-- both say the same state. A title's name counts as the number's where more than half of its titles have it.
CREATE TEMP TABLE aliases (own_id TEXT PRIMARY KEY, organization_id TEXT) WITHOUT ROWID;

INSERT INTO temp.aliases
WITH spelled AS MATERIALIZED (
    SELECT own_id, kind, name_key, name_state, how, portal_id, count(*) AS count
    FROM organization_mentions GROUP BY own_id, kind, name_key, name_state, how
), state_of (own_id, state) AS (
    SELECT own_id, CASE count(DISTINCT name_state) WHEN 1 THEN max(name_state) END
    FROM spelled WHERE portal_id IS NOT NULL GROUP BY own_id
), titles (own_id, count) AS (
    SELECT own_id, sum(count) FROM spelled WHERE how = 'title' GROUP BY own_id
), numbered AS (
    SELECT own_id, kind, name_key, iif(kind = 'agency', state, '') AS state
    FROM spelled JOIN state_of USING (own_id) LEFT JOIN titles USING (own_id)
    WHERE name_key IS NOT NULL GROUP BY own_id, kind, name_key, how
    HAVING how != 'title' OR 2 * sum(spelled.count) > titles.count
), unnumbered AS (
    SELECT DISTINCT own_id, kind, name_key, iif(kind = 'agency', name_state, '') AS state FROM spelled WHERE portal_id IS NULL
)
SELECT unnumbered.own_id AS own_id, min(numbered.own_id) AS organization_id
FROM unnumbered JOIN numbered USING (kind, name_key, state)
GROUP BY unnumbered.own_id HAVING count(DISTINCT numbered.own_id) = 1

-- resolve
-- Records of which an organization changes count as affected.
INSERT OR IGNORE INTO temp.affected SELECT record_id FROM organization_mentions LEFT JOIN temp.aliases USING (own_id)
WHERE organization_mentions.organization_id IS NOT coalesce(aliases.organization_id, own_id);

INSERT OR IGNORE INTO temp.renewed SELECT organization_id FROM organization_mentions
WHERE record_id IN (SELECT record_id FROM temp.affected) AND organization_id IS NOT NULL;

UPDATE organization_mentions SET organization_id = coalesce(
    (SELECT organization_id FROM temp.aliases WHERE aliases.own_id = organization_mentions.own_id), own_id
) WHERE record_id IN (SELECT record_id FROM temp.affected);

CREATE TEMP TABLE former AS SELECT organization_id, name, state_code FROM organizations;

INSERT OR IGNORE INTO temp.renewed SELECT organization_id FROM organization_mentions
WHERE record_id IN (SELECT record_id FROM temp.affected)
UNION SELECT CAST(node_id AS TEXT) FROM captures WHERE capture_id IN (SELECT capture_id FROM temp.touched) AND node_id IS NOT NULL

-- rewrite
DELETE FROM organizations WHERE organization_id IN (SELECT organization_id FROM temp.renewed);

-- Of several names the portal's own counts (its page, then links to it), of these the latest; of titles the most frequent.
CREATE TEMP TABLE best (organization_id TEXT PRIMARY KEY, name TEXT, how TEXT) WITHOUT ROWID;

INSERT INTO temp.best
WITH names AS (
    SELECT organization_id, name, how, seen_at,
        CASE how WHEN 'link' THEN 3 WHEN 'field' THEN 2 WHEN 'title' THEN 1 ELSE 0 END AS authority
    FROM organization_mentions WHERE organization_id IN (SELECT organization_id FROM temp.renewed)
    UNION ALL
    SELECT CAST(node_id AS TEXT), title, 'page', captured_at, 4 FROM captures WHERE kind = 'other' AND title IS NOT NULL
    AND node_id IS NOT NULL AND CAST(node_id AS TEXT) IN (SELECT organization_id FROM temp.renewed)
), ranked AS (
    SELECT organization_id, name, how, row_number() OVER (
        PARTITION BY organization_id
        ORDER BY name IS NULL, authority DESC, iif(authority > 1, rtrim(max(seen_at), 'Z'), '') DESC, count(*) DESC, name
    ) AS place
    FROM names GROUP BY organization_id, name, how
)
SELECT organization_id, name, iif(name IS NULL, 'number', how) FROM ranked WHERE place = 1;

INSERT INTO organizations (organization_id, kind, portal_id, name, state_code, may_be, how, records)
SELECT organization_id, max(mention.kind), iif(organization_id NOT GLOB '*[^0-9]*', organization_id, NULL), best.name,
    CASE WHEN max(mention.kind) = 'provider' THEN NULL WHEN count(DISTINCT name_state) = 1 THEN max(name_state)
        WHEN count(DISTINCT name_state) = 0 AND count(DISTINCT place_state) = 1 THEN max(place_state) END,
    max(iif(may_be != organization_id AND own_id = organization_id, may_be, NULL)), best.how, count(DISTINCT record_id)
FROM organization_mentions AS mention JOIN temp.best USING (organization_id) GROUP BY organization_id ORDER BY organization_id;

CREATE TEMP TABLE renamed AS SELECT record_id FROM temp.affected
UNION SELECT record_id FROM organization_mentions JOIN organizations USING (organization_id) JOIN temp.former USING (organization_id)
WHERE (organizations.name, organizations.state_code) IS NOT (former.name, former.state_code)

-- agencies
UPDATE records SET
    (agency_id, agency) = (SELECT mention.organization_id,
        coalesce(organizations.name, 'Agency number ' || organizations.portal_id) || coalesce(' (' || state_code || ')', '')
        FROM organization_mentions AS mention JOIN organizations USING (organization_id)
        WHERE mention.record_id = records.record_id AND mention.kind = 'agency' ORDER BY position LIMIT 1),
    provider_id = (SELECT organization_id FROM organization_mentions AS mention
        WHERE mention.record_id = records.record_id AND kind = 'provider' ORDER BY position LIMIT 1)
WHERE record_id IN (SELECT record_id FROM temp.renamed);

DROP TABLE temp.former;

DROP TABLE temp.best;

DROP TABLE temp.aliases;

-- groups
-- Agencies that are told apart only by their records, and the group of all with the name and state.
SELECT DISTINCT own_id, may_be || '-*' FROM organization_mentions WHERE own_id != may_be

-- named
-- Organizations and groups by name, those with most records first: what may be the same is looked for among them.
SELECT iif(may_be IS NULL, organization_id, may_be || '-*'), min(name), state_code, sum(records), kind, max(may_be)
FROM organizations WHERE name IS NOT NULL GROUP BY 1 ORDER BY 4 DESC, 1
