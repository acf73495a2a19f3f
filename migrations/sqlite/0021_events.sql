-- Small reviews by event, listings of the targets frozen with a review, and removals that are not confirmed in time.

-- What happened, and what it is about: somebody who moved, an exception, a right. The review that comes of it has the same id.
CREATE TABLE small_reviews (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  cause TEXT NOT NULL CHECK (cause IN ('moved', 'exception_ends', 'found')),
  subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
  person_id BLOB REFERENCES persons (id) CHECK (length(person_id) = 16),
  named_id BLOB REFERENCES persons (id) CHECK (length(named_id) = 16),
  said TEXT NOT NULL,
  happened_at INTEGER NOT NULL,
  over_at INTEGER
) STRICT;
CREATE UNIQUE INDEX small_reviews_once ON small_reviews (cause, subject_id, happened_at);
CREATE UNIQUE INDEX small_reviews_open ON small_reviews (cause, subject_id) WHERE over_at IS NULL AND cause <> 'found';
CREATE INDEX small_reviews_list ON small_reviews (happened_at, id);
CREATE TRIGGER small_reviews_fixed BEFORE UPDATE ON small_reviews
  WHEN NEW.id IS DISTINCT FROM OLD.id OR NEW.cause IS DISTINCT FROM OLD.cause OR NEW.subject_id IS DISTINCT FROM OLD.subject_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.named_id IS DISTINCT FROM OLD.named_id OR NEW.happened_at IS DISTINCT FROM OLD.happened_at OR OLD.over_at IS NOT NULL OR (NEW.said IS DISTINCT FROM OLD.said AND EXISTS (SELECT 1 FROM campaigns c WHERE c.id = OLD.id))
BEGIN
  SELECT RAISE(ABORT, 'what made a small review is fixed');
END;
CREATE TRIGGER small_reviews_kept BEFORE DELETE ON small_reviews
BEGIN
  SELECT RAISE(ABORT, 'what made a small review is never deleted');
END;
CREATE TRIGGER small_reviews_whole BEFORE INSERT ON small_reviews
  WHEN EXISTS (SELECT 1 FROM small_reviews WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'what made a small review is never deleted');
END;

-- Four eyes: where the portal made a review, whoever answered anything in it does not sign it off.
CREATE TRIGGER campaigns_second BEFORE UPDATE ON campaigns
  WHEN NEW.signed_by IS NOT NULL AND OLD.signed_by IS NULL AND NEW.made_by IS NULL AND (
    EXISTS (SELECT 1 FROM campaign_items i WHERE i.campaign_id = NEW.id AND i.decided_by = NEW.signed_by)
    OR EXISTS (SELECT 1 FROM campaign_answers a WHERE a.campaign_id = NEW.id AND a.by_id = NEW.signed_by))
BEGIN
  SELECT RAISE(ABORT, 'nobody signs off what they answered');
END;

-- Removals that a target had not confirmed by their limit: told once each. `sealed`: before the review was signed off.
CREATE TABLE late_removals (
  item_id BLOB NOT NULL PRIMARY KEY REFERENCES campaign_items (id) CHECK (length(item_id) = 16),
  campaign_id BLOB NOT NULL REFERENCES campaigns (id) CHECK (length(campaign_id) = 16),
  told_at INTEGER NOT NULL,
  sealed INTEGER NOT NULL CHECK (sealed IN (0, 1))
) STRICT;
CREATE INDEX late_removals_campaign ON late_removals (campaign_id);
CREATE TRIGGER late_removals_fixed BEFORE UPDATE ON late_removals
BEGIN
  SELECT RAISE(ABORT, 'an alarm is never changed');
END;
CREATE TRIGGER late_removals_kept BEFORE DELETE ON late_removals
BEGIN
  SELECT RAISE(ABORT, 'an alarm is never deleted');
END;
CREATE TRIGGER late_removals_whole BEFORE INSERT ON late_removals
  WHEN EXISTS (SELECT 1 FROM late_removals WHERE item_id = NEW.item_id)
BEGIN
  SELECT RAISE(ABORT, 'an alarm is never deleted');
END;

-- Whom a target listed for a right at the newest scan, as a hash over its own ids in order.
ALTER TABLE scanned_rights ADD COLUMN listing_hash TEXT NOT NULL DEFAULT '';

-- The listing of each right that a review looks at, as it was when the review started.
CREATE TABLE campaign_listings (
  campaign_id BLOB NOT NULL REFERENCES campaigns (id) CHECK (length(campaign_id) = 16),
  entitlement_id BLOB NOT NULL REFERENCES entitlements (id) CHECK (length(entitlement_id) = 16),
  target_id BLOB NOT NULL REFERENCES targets (id) CHECK (length(target_id) = 16),
  covered INTEGER NOT NULL CHECK (covered IN (0, 1)),
  scanned_at INTEGER,
  listed INTEGER,
  believed INTEGER,
  found INTEGER,
  vanished INTEGER,
  listing_hash TEXT,
  PRIMARY KEY (campaign_id, entitlement_id),
  CHECK (covered = 0 OR (scanned_at IS NOT NULL AND listed IS NOT NULL AND listing_hash IS NOT NULL))
) STRICT;
CREATE TRIGGER campaign_listings_fixed BEFORE UPDATE ON campaign_listings
BEGIN
  SELECT RAISE(ABORT, 'the population is frozen');
END;
CREATE TRIGGER campaign_listings_kept BEFORE DELETE ON campaign_listings
BEGIN
  SELECT RAISE(ABORT, 'the population is frozen');
END;
CREATE TRIGGER campaign_listings_begin BEFORE INSERT ON campaign_listings
  WHEN NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.id = NEW.campaign_id AND c.state = 'draft')
BEGIN
  SELECT RAISE(ABORT, 'the population is frozen');
END;
CREATE TRIGGER campaign_listings_whole BEFORE INSERT ON campaign_listings
  WHEN EXISTS (SELECT 1 FROM campaign_listings WHERE campaign_id = NEW.campaign_id AND entitlement_id = NEW.entitlement_id)
BEGIN
  SELECT RAISE(ABORT, 'the population is frozen');
END;
