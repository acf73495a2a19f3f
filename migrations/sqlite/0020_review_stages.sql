-- Reviews in stages: up to three, each with its own reviewers and days, and a second look at a drawn share of what was kept.

ALTER TABLE campaigns ADD COLUMN later TEXT NOT NULL DEFAULT '[]';
ALTER TABLE campaigns ADD COLUMN passes TEXT NOT NULL DEFAULT 'kept' CHECK (passes IN ('kept', 'all'));
ALTER TABLE campaigns ADD COLUMN second_look INTEGER NOT NULL DEFAULT 0 CHECK (second_look BETWEEN 0 AND 100);
-- The stage that is asked, from 1; after the last one, the second look.
ALTER TABLE campaigns ADD COLUMN stage INTEGER NOT NULL DEFAULT 1 CHECK (stage BETWEEN 1 AND 4);
ALTER TABLE campaign_items ADD COLUMN stage INTEGER NOT NULL DEFAULT 1 CHECK (stage BETWEEN 1 AND 4);
-- Whether the answer is an earlier stage's, as the one that was asked last is silent.
ALTER TABLE campaign_items ADD COLUMN stood INTEGER NOT NULL DEFAULT 0 CHECK (stood IN (0, 1));

-- What a stage that is over said of an item; no answer for silence.
CREATE TABLE campaign_answers (
  item_id BLOB NOT NULL REFERENCES campaign_items (id) CHECK (length(item_id) = 16),
  stage INTEGER NOT NULL CHECK (stage BETWEEN 1 AND 3),
  campaign_id BLOB NOT NULL REFERENCES campaigns (id) CHECK (length(campaign_id) = 16),
  reviewer_id BLOB REFERENCES persons (id) CHECK (length(reviewer_id) = 16),
  via TEXT CHECK (via IN ('manager', 'above', 'package_owner', 'entitlement_owner', 'security', 'named', 'handed_on')),
  answer TEXT CHECK (answer IN ('keep', 'revoke', 'shorten')),
  until_at INTEGER,
  reason TEXT NOT NULL,
  by_id BLOB REFERENCES persons (id) CHECK (length(by_id) = 16),
  at INTEGER NOT NULL,
  together INTEGER NOT NULL CHECK (together IN (0, 1)),
  PRIMARY KEY (item_id, stage),
  CHECK ((answer IS NULL) = (by_id IS NULL)),
  CHECK ((reviewer_id IS NULL) = (via IS NULL)),
  CHECK ((answer = 'shorten') = (until_at IS NOT NULL) OR answer IS NULL)
) STRICT;
CREATE INDEX campaign_answers_campaign ON campaign_answers (campaign_id, reviewer_id);
CREATE INDEX campaign_answers_by ON campaign_answers (by_id, campaign_id);

-- That an item went to the next stage is kept with what was done to it.
-- SQLite changes a check by this procedure of its documentation (ALTER TABLE, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''replaced''', '''replaced'', ''next_stage''') WHERE type = 'table' AND name = 'campaign_acts';
PRAGMA writable_schema = RESET;

-- Rules that hold whatever the code does.
CREATE TRIGGER campaigns_first BEFORE INSERT ON campaigns
  WHEN NEW.stage <> 1
BEGIN
  SELECT RAISE(ABORT, 'a campaign begins with its first stage');
END;
CREATE TRIGGER campaigns_stages BEFORE UPDATE ON campaigns
  WHEN (OLD.state <> 'draft' AND (NEW.later IS DISTINCT FROM OLD.later OR NEW.passes IS DISTINCT FROM OLD.passes OR NEW.second_look IS DISTINCT FROM OLD.second_look)) OR (NEW.stage <> OLD.stage AND (OLD.state <> 'running' OR NEW.state <> 'running' OR NEW.stage <> OLD.stage + 1 OR NEW.stage > 1 + json_array_length(NEW.later) + CASE WHEN NEW.second_look > 0 THEN 1 ELSE 0 END))
BEGIN
  SELECT RAISE(ABORT, 'the stages are frozen, and are asked one after another');
END;
CREATE TRIGGER campaign_items_first BEFORE INSERT ON campaign_items
  WHEN NEW.stage <> 1 OR NEW.stood = TRUE
BEGIN
  SELECT RAISE(ABORT, 'an item begins with the first stage');
END;
-- An item goes on only with what its stage said kept; an answer of a stage that is over is not taken back; and what stands is the
-- last that a stage before said.
CREATE TRIGGER campaign_items_stage BEFORE UPDATE ON campaign_items
  WHEN (NEW.stage <> OLD.stage AND (NEW.stage <> OLD.stage + 1 OR NEW.state <> 'open' OR OLD.state NOT IN ('open', 'decided') OR OLD.enforced_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.id = NEW.campaign_id AND c.stage = NEW.stage) OR NOT EXISTS (SELECT 1 FROM campaign_answers a WHERE a.item_id = NEW.id AND a.stage = OLD.stage))) OR (NEW.stage = OLD.stage AND OLD.state = 'decided' AND NEW.state = 'open' AND NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.id = NEW.campaign_id AND c.stage = NEW.stage)) OR (NEW.stood <> OLD.stood AND (NEW.state <> 'decided' OR OLD.state <> 'open' OR NOT EXISTS (SELECT 1 FROM campaign_answers a WHERE a.item_id = NEW.id AND a.answer = NEW.answer AND a.by_id = NEW.decided_by AND NOT EXISTS (SELECT 1 FROM campaign_answers b WHERE b.item_id = a.item_id AND b.stage > a.stage AND b.answer IS NOT NULL))))
BEGIN
  SELECT RAISE(ABORT, 'an item goes from stage to stage with what each said of it');
END;
CREATE TRIGGER campaign_answers_begin BEFORE INSERT ON campaign_answers
  WHEN NOT EXISTS (SELECT 1 FROM campaign_items i JOIN campaigns c ON c.id = i.campaign_id WHERE i.id = NEW.item_id AND i.campaign_id = NEW.campaign_id AND i.stage = NEW.stage AND c.state = 'running' AND i.state IN ('open', 'decided') AND i.person_id IS DISTINCT FROM NEW.by_id AND i.person_id IS DISTINCT FROM NEW.reviewer_id AND i.reviewer_id IS NOT DISTINCT FROM NEW.reviewer_id AND i.answer IS NOT DISTINCT FROM NEW.answer AND i.until_at IS NOT DISTINCT FROM NEW.until_at AND i.decided_by IS NOT DISTINCT FROM NEW.by_id AND i.reason = NEW.reason)
BEGIN
  SELECT RAISE(ABORT, 'what a stage said is kept as it was said');
END;
CREATE TRIGGER campaign_answers_fixed BEFORE UPDATE ON campaign_answers
BEGIN
  SELECT RAISE(ABORT, 'what a stage said is never changed');
END;
CREATE TRIGGER campaign_answers_kept BEFORE DELETE ON campaign_answers
BEGIN
  SELECT RAISE(ABORT, 'what a stage said is never changed');
END;
CREATE TRIGGER campaign_answers_whole BEFORE INSERT ON campaign_answers
  WHEN EXISTS (SELECT 1 FROM campaign_answers WHERE item_id = NEW.item_id AND stage = NEW.stage)
BEGIN
  SELECT RAISE(ABORT, 'what a stage said is never changed');
END;
