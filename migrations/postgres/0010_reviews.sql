-- Access certifications: campaigns, what each has frozen, and what became of it.

INSERT INTO counters (name, value) VALUES ('campaign', 0);

CREATE TABLE campaigns (
  id UUID NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('draft', 'running', 'closed', 'signed_off', 'cancelled')),
  scope TEXT NOT NULL,
  reviewers TEXT NOT NULL CHECK (reviewers IN ('manager', 'package_owner', 'entitlement_owner', 'security', 'named')),
  named_id UUID REFERENCES persons (id),
  silence TEXT NOT NULL CHECK (silence IN ('revoke', 'escalate', 'keep')),
  reasons TEXT NOT NULL CHECK (reasons IN ('against', 'removals', 'always')),
  enforce TEXT NOT NULL CHECK (enforce IN ('at_once', 'at_close')),
  most_each BIGINT CHECK (most_each > 0),
  days BIGINT NOT NULL CHECK (days BETWEEN 1 AND 90),
  repeat_months BIGINT NOT NULL DEFAULT 0 CHECK (repeat_months BETWEEN 0 AND 12),
  previous_id UUID REFERENCES campaigns (id),
  made_by UUID REFERENCES persons (id),
  made_at TIMESTAMPTZ NOT NULL,
  started_by UUID REFERENCES persons (id),
  started_at TIMESTAMPTZ,
  due_at TIMESTAMPTZ,
  escalated_at TIMESTAMPTZ,
  population BIGINT NOT NULL DEFAULT 0 CHECK (population >= 0),
  population_hash TEXT,
  closed_at TIMESTAMPTZ,
  signed_by UUID REFERENCES persons (id),
  signed_at TIMESTAMPTZ,
  sign_note TEXT NOT NULL DEFAULT '',
  report_hash TEXT,
  version BIGINT NOT NULL DEFAULT 0,
  CHECK ((started_at IS NULL) = (due_at IS NULL) AND (started_at IS NULL) = (population_hash IS NULL)),
  CHECK (state NOT IN ('running', 'closed', 'signed_off') OR started_at IS NOT NULL),
  CHECK (state NOT IN ('closed', 'signed_off', 'cancelled') OR closed_at IS NOT NULL),
  CHECK ((state = 'signed_off') = (signed_by IS NOT NULL) AND (state = 'signed_off') = (signed_at IS NOT NULL) AND (state = 'signed_off') = (report_hash IS NOT NULL)),
  CHECK (signed_by IS NULL OR made_by IS NULL OR signed_by <> made_by)
);
CREATE INDEX campaigns_list ON campaigns (state, made_at, id);

-- What was held when a campaign started, one row for each grant, and what became of it. The facts are frozen.
CREATE TABLE campaign_items (
  id UUID NOT NULL PRIMARY KEY,
  campaign_id UUID NOT NULL REFERENCES campaigns (id),
  grant_id UUID NOT NULL REFERENCES grants (id),
  person_id UUID NOT NULL REFERENCES persons (id),
  account_id UUID NOT NULL REFERENCES accounts (id),
  package_id UUID REFERENCES packages (id),
  right_name TEXT COLLATE "C" NOT NULL,
  source TEXT NOT NULL,
  privileged BOOLEAN NOT NULL,
  control_scope TEXT,
  valid_from TIMESTAMPTZ NOT NULL,
  end_at TIMESTAMPTZ,
  peers_holding BIGINT,
  peers BIGINT,
  suggestion TEXT NOT NULL CHECK (suggestion IN ('keep', 'look', 'revoke')),
  why TEXT NOT NULL,
  reviewer_id UUID REFERENCES persons (id),
  via TEXT CHECK (via IN ('manager', 'above', 'package_owner', 'entitlement_owner', 'security', 'named', 'handed_on')),
  state TEXT NOT NULL CHECK (state IN ('open', 'decided', 'defaulted', 'void')),
  answer TEXT CHECK (answer IN ('keep', 'revoke', 'shorten')),
  until_at TIMESTAMPTZ,
  reason TEXT NOT NULL DEFAULT '',
  decided_by UUID REFERENCES persons (id),
  decided_at TIMESTAMPTZ,
  together BOOLEAN NOT NULL DEFAULT FALSE,
  void_cause TEXT CHECK (void_cause IN ('ended', 'cancelled')),
  enforce_at TIMESTAMPTZ,
  enforced_at TIMESTAMPTZ,
  proof TEXT CHECK (proof IN ('done', 'pending', 'still_held')),
  proof_at TIMESTAMPTZ,
  question TEXT NOT NULL DEFAULT '',
  reply TEXT NOT NULL DEFAULT '',
  version BIGINT NOT NULL DEFAULT 0,
  UNIQUE (campaign_id, grant_id),
  CHECK (reviewer_id IS NULL OR reviewer_id <> person_id),
  CHECK (decided_by IS NULL OR decided_by <> person_id),
  CHECK ((reviewer_id IS NULL) = (via IS NULL)),
  CHECK ((state IN ('decided', 'defaulted')) = (answer IS NOT NULL)),
  CHECK ((state = 'decided') = (decided_by IS NOT NULL)),
  CHECK ((state = 'open') = (decided_at IS NULL)),
  CHECK ((state = 'void') = (void_cause IS NOT NULL)),
  CHECK ((answer = 'shorten') = (until_at IS NOT NULL) OR answer IS NULL),
  CHECK (enforced_at IS NULL OR (enforce_at IS NOT NULL AND answer IN ('revoke', 'shorten')))
);
CREATE INDEX campaign_items_state ON campaign_items (campaign_id, state, id);
CREATE INDEX campaign_items_reviewer ON campaign_items (campaign_id, reviewer_id, state);
CREATE INDEX campaign_items_waiting ON campaign_items (reviewer_id, campaign_id) WHERE state = 'open';
CREATE INDEX campaign_items_grant ON campaign_items (grant_id, decided_at);
CREATE INDEX campaign_items_asked ON campaign_items (person_id) WHERE state = 'open' AND question <> '';
CREATE INDEX campaign_items_enforce ON campaign_items (campaign_id, enforce_at) WHERE enforce_at IS NOT NULL AND enforced_at IS NULL;

-- What was done to an item, in its order: answers, answers taken back, hand-ons, questions.
CREATE TABLE campaign_acts (
  id UUID NOT NULL PRIMARY KEY,
  campaign_id UUID NOT NULL REFERENCES campaigns (id),
  item_id UUID NOT NULL REFERENCES campaign_items (id),
  act TEXT NOT NULL CHECK (act IN ('keep', 'revoke', 'shorten', 'undo', 'hand_on', 'not_sure', 'answered', 'replaced')),
  by_id UUID REFERENCES persons (id),
  to_id UUID REFERENCES persons (id),
  note TEXT NOT NULL,
  at TIMESTAMPTZ NOT NULL
);
CREATE INDEX campaign_acts_item ON campaign_acts (item_id, at, id);

-- How each target stood when a campaign started: what was last read of it, and that it was not listed whole.
CREATE TABLE campaign_targets (
  campaign_id UUID NOT NULL REFERENCES campaigns (id),
  target_id UUID NOT NULL REFERENCES targets (id),
  rights BIGINT NOT NULL,
  present BIGINT NOT NULL,
  oldest_read TIMESTAMPTZ,
  newest_read TIMESTAMPTZ,
  listed_at TIMESTAMPTZ,
  PRIMARY KEY (campaign_id, target_id)
);

-- Rules that hold whatever the code does.
CREATE TRIGGER campaigns_begin BEFORE INSERT ON campaigns FOR EACH ROW
  WHEN (NEW.state <> 'draft' OR NEW.started_at IS NOT NULL OR NEW.population <> 0)
  EXECUTE FUNCTION latchkey_refuse('a campaign begins as a draft');
CREATE TRIGGER campaigns_legal BEFORE UPDATE ON campaigns FOR EACH ROW
  WHEN (OLD.state IN ('signed_off', 'cancelled') OR (NEW.state <> OLD.state AND NOT (OLD.state = 'draft' AND NEW.state IN ('running', 'cancelled')) AND NOT (OLD.state = 'running' AND NEW.state IN ('closed', 'cancelled')) AND NOT (OLD.state = 'closed' AND NEW.state = 'signed_off')))
  EXECUTE FUNCTION latchkey_refuse('a campaign moves forward only, and is sealed at its end');
CREATE TRIGGER campaigns_fixed BEFORE UPDATE ON campaigns FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.made_by IS DISTINCT FROM OLD.made_by OR NEW.made_at IS DISTINCT FROM OLD.made_at OR NEW.previous_id IS DISTINCT FROM OLD.previous_id OR (OLD.state <> 'draft' AND (NEW.name IS DISTINCT FROM OLD.name OR NEW.scope IS DISTINCT FROM OLD.scope OR NEW.reviewers IS DISTINCT FROM OLD.reviewers OR NEW.named_id IS DISTINCT FROM OLD.named_id OR NEW.silence IS DISTINCT FROM OLD.silence OR NEW.reasons IS DISTINCT FROM OLD.reasons OR NEW.enforce IS DISTINCT FROM OLD.enforce OR NEW.most_each IS DISTINCT FROM OLD.most_each OR NEW.days IS DISTINCT FROM OLD.days OR NEW.repeat_months IS DISTINCT FROM OLD.repeat_months OR NEW.started_by IS DISTINCT FROM OLD.started_by OR NEW.started_at IS DISTINCT FROM OLD.started_at OR NEW.population IS DISTINCT FROM OLD.population OR NEW.population_hash IS DISTINCT FROM OLD.population_hash)))
  EXECUTE FUNCTION latchkey_refuse('what was started is frozen');
CREATE TRIGGER campaigns_kept BEFORE DELETE ON campaigns FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a campaign is never deleted');
CREATE TRIGGER campaign_items_fixed BEFORE UPDATE ON campaign_items FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.campaign_id IS DISTINCT FROM OLD.campaign_id OR NEW.grant_id IS DISTINCT FROM OLD.grant_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.package_id IS DISTINCT FROM OLD.package_id OR NEW.right_name IS DISTINCT FROM OLD.right_name OR NEW.source IS DISTINCT FROM OLD.source OR NEW.privileged IS DISTINCT FROM OLD.privileged OR NEW.control_scope IS DISTINCT FROM OLD.control_scope OR NEW.valid_from IS DISTINCT FROM OLD.valid_from OR NEW.end_at IS DISTINCT FROM OLD.end_at OR NEW.peers_holding IS DISTINCT FROM OLD.peers_holding OR NEW.peers IS DISTINCT FROM OLD.peers OR NEW.suggestion IS DISTINCT FROM OLD.suggestion OR NEW.why IS DISTINCT FROM OLD.why)
  EXECUTE FUNCTION latchkey_refuse('the population is frozen');
CREATE TRIGGER campaign_items_legal BEFORE UPDATE ON campaign_items FOR EACH ROW
  WHEN (OLD.state IN ('defaulted', 'void') AND NEW.state <> OLD.state OR (OLD.enforced_at IS NOT NULL AND (NEW.state <> OLD.state OR NEW.answer IS DISTINCT FROM OLD.answer OR NEW.enforced_at IS DISTINCT FROM OLD.enforced_at)) OR (OLD.state = 'decided' AND NEW.state NOT IN ('decided', 'open')) OR (OLD.state = 'decided' AND NEW.state = 'decided' AND (NEW.answer IS DISTINCT FROM OLD.answer OR NEW.decided_by IS DISTINCT FROM OLD.decided_by)))
  EXECUTE FUNCTION latchkey_refuse('an answer is taken back before another is given, and not once it has taken effect');
CREATE TRIGGER campaign_items_kept BEFORE DELETE ON campaign_items FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the population is frozen');
CREATE TRIGGER campaign_acts_fixed BEFORE UPDATE ON campaign_acts FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('what was done to an item is never changed');
CREATE TRIGGER campaign_acts_kept BEFORE DELETE ON campaign_acts FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('what was done to an item is never deleted');
CREATE TRIGGER campaign_targets_fixed BEFORE UPDATE ON campaign_targets FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the population is frozen');
CREATE TRIGGER campaign_targets_kept BEFORE DELETE ON campaign_targets FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the population is frozen');
CREATE TRIGGER campaigns_whole BEFORE TRUNCATE ON campaigns FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a campaign is never deleted');
CREATE TRIGGER campaign_items_whole BEFORE TRUNCATE ON campaign_items FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('the population is frozen');
CREATE TRIGGER campaign_acts_whole BEFORE TRUNCATE ON campaign_acts FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('what was done to an item is never deleted');
CREATE TRIGGER campaign_targets_whole BEFORE TRUNCATE ON campaign_targets FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('the population is frozen');
CREATE FUNCTION campaign_items_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> 'open' OR NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.id = NEW.campaign_id AND c.state = 'draft') THEN
    RAISE EXCEPTION 'the population is frozen' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER campaign_items_begin BEFORE INSERT ON campaign_items FOR EACH ROW EXECUTE FUNCTION campaign_items_begin();
CREATE FUNCTION campaign_items_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM campaigns c WHERE c.id = NEW.campaign_id AND (c.state IN ('draft', 'signed_off', 'cancelled') OR (c.state = 'closed' AND NEW.state <> OLD.state))) THEN
    RAISE EXCEPTION 'a sealed campaign changes no more' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER campaign_items_open BEFORE UPDATE ON campaign_items FOR EACH ROW EXECUTE FUNCTION campaign_items_open();
CREATE FUNCTION campaign_acts_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.act <> 'answered' AND EXISTS (SELECT 1 FROM campaign_items i WHERE i.id = NEW.item_id AND i.person_id = NEW.by_id)) OR NOT EXISTS (SELECT 1 FROM campaign_items i JOIN campaigns c ON c.id = i.campaign_id WHERE i.id = NEW.item_id AND c.id = NEW.campaign_id AND c.state = 'running') THEN
    RAISE EXCEPTION 'nobody reviews their own access, and nothing is reviewed but while a campaign runs' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER campaign_acts_begin BEFORE INSERT ON campaign_acts FOR EACH ROW EXECUTE FUNCTION campaign_acts_begin();
CREATE FUNCTION campaign_targets_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.id = NEW.campaign_id AND c.state = 'draft') THEN
    RAISE EXCEPTION 'the population is frozen' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER campaign_targets_begin BEFORE INSERT ON campaign_targets FOR EACH ROW EXECUTE FUNCTION campaign_targets_begin();
