-- Small reviews by event, listings of the targets frozen with a review, and removals that are not confirmed in time.

-- What happened, and what it is about: somebody who moved, an exception, a right. The review that comes of it has the same id.
CREATE TABLE small_reviews (
  id UUID NOT NULL PRIMARY KEY,
  cause TEXT NOT NULL CHECK (cause IN ('moved', 'exception_ends', 'found')),
  subject_id UUID NOT NULL,
  person_id UUID REFERENCES persons (id),
  named_id UUID REFERENCES persons (id),
  said TEXT NOT NULL,
  happened_at TIMESTAMPTZ NOT NULL,
  over_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX small_reviews_once ON small_reviews (cause, subject_id, happened_at);
CREATE UNIQUE INDEX small_reviews_open ON small_reviews (cause, subject_id) WHERE over_at IS NULL AND cause <> 'found';
CREATE INDEX small_reviews_list ON small_reviews (happened_at, id);
CREATE FUNCTION small_reviews_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.cause IS DISTINCT FROM OLD.cause OR NEW.subject_id IS DISTINCT FROM OLD.subject_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.named_id IS DISTINCT FROM OLD.named_id OR NEW.happened_at IS DISTINCT FROM OLD.happened_at OR OLD.over_at IS NOT NULL OR (NEW.said IS DISTINCT FROM OLD.said AND EXISTS (SELECT 1 FROM campaigns c WHERE c.id = OLD.id)) THEN
    RAISE EXCEPTION 'what made a small review is fixed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER small_reviews_fixed BEFORE UPDATE ON small_reviews FOR EACH ROW EXECUTE FUNCTION small_reviews_fixed();
CREATE TRIGGER small_reviews_kept BEFORE DELETE ON small_reviews FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('what made a small review is never deleted');
CREATE TRIGGER small_reviews_whole BEFORE TRUNCATE ON small_reviews FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('what made a small review is never deleted');

-- Four eyes: where the portal made a review, whoever answered anything in it does not sign it off.
CREATE FUNCTION campaigns_second() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.signed_by IS NOT NULL AND OLD.signed_by IS NULL AND NEW.made_by IS NULL AND (
    EXISTS (SELECT 1 FROM campaign_items i WHERE i.campaign_id = NEW.id AND i.decided_by = NEW.signed_by)
    OR EXISTS (SELECT 1 FROM campaign_answers a WHERE a.campaign_id = NEW.id AND a.by_id = NEW.signed_by)) THEN
    RAISE EXCEPTION 'nobody signs off what they answered' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER campaigns_second BEFORE UPDATE ON campaigns FOR EACH ROW EXECUTE FUNCTION campaigns_second();

-- Removals that a target had not confirmed by their limit: told once each. `sealed`: before the review was signed off.
CREATE TABLE late_removals (
  item_id UUID NOT NULL PRIMARY KEY REFERENCES campaign_items (id),
  campaign_id UUID NOT NULL REFERENCES campaigns (id),
  told_at TIMESTAMPTZ NOT NULL,
  sealed BOOLEAN NOT NULL
);
CREATE INDEX late_removals_campaign ON late_removals (campaign_id);
CREATE TRIGGER late_removals_fixed BEFORE UPDATE ON late_removals FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('an alarm is never changed');
CREATE TRIGGER late_removals_kept BEFORE DELETE ON late_removals FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('an alarm is never deleted');
CREATE TRIGGER late_removals_whole BEFORE TRUNCATE ON late_removals FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('an alarm is never deleted');

-- Whom a target listed for a right at the newest scan, as a hash over its own ids in order.
ALTER TABLE scanned_rights ADD COLUMN listing_hash TEXT NOT NULL DEFAULT '';

-- The listing of each right that a review looks at, as it was when the review started.
CREATE TABLE campaign_listings (
  campaign_id UUID NOT NULL REFERENCES campaigns (id),
  entitlement_id UUID NOT NULL REFERENCES entitlements (id),
  target_id UUID NOT NULL REFERENCES targets (id),
  covered BOOLEAN NOT NULL,
  scanned_at TIMESTAMPTZ,
  listed BIGINT,
  believed BIGINT,
  found BIGINT,
  vanished BIGINT,
  listing_hash TEXT,
  PRIMARY KEY (campaign_id, entitlement_id),
  CHECK (covered = FALSE OR (scanned_at IS NOT NULL AND listed IS NOT NULL AND listing_hash IS NOT NULL))
);
CREATE TRIGGER campaign_listings_fixed BEFORE UPDATE ON campaign_listings FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the population is frozen');
CREATE TRIGGER campaign_listings_kept BEFORE DELETE ON campaign_listings FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the population is frozen');
CREATE FUNCTION campaign_listings_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.id = NEW.campaign_id AND c.state = 'draft') THEN
    RAISE EXCEPTION 'the population is frozen' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER campaign_listings_begin BEFORE INSERT ON campaign_listings FOR EACH ROW EXECUTE FUNCTION campaign_listings_begin();
CREATE TRIGGER campaign_listings_whole BEFORE TRUNCATE ON campaign_listings FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('the population is frozen');
