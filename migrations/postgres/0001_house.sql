-- The whole house in one migration. The same number and name exist for the other engine; a test compares the tables.
-- Times are instants in UTC with microseconds; ids are UUIDv7; enumerations are words with a CHECK.

-- One row: which installation this is. `starts` counts starts of the process; with `id` it tells a restore apart.
CREATE TABLE installation (
  one BOOLEAN NOT NULL PRIMARY KEY DEFAULT TRUE CHECK (one = TRUE),
  id UUID NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('trial', 'production')),
  starts BIGINT NOT NULL DEFAULT 0,
  clock_offset_us BIGINT NOT NULL DEFAULT 0 CHECK (clock_offset_us >= 0),
  created_at TIMESTAMPTZ NOT NULL
);

-- Short numbers that people see (AR-1042).
CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

-- Humans. `version` is written to lock the person for anything that two transactions could decide differently.
CREATE TABLE persons (
  id UUID NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  given_name TEXT NOT NULL DEFAULT '',
  mail TEXT NOT NULL DEFAULT '',
  department TEXT NOT NULL DEFAULT '',
  job_title TEXT NOT NULL DEFAULT '',
  country TEXT NOT NULL DEFAULT '',
  office TEXT NOT NULL DEFAULT '',
  company TEXT NOT NULL DEFAULT '',
  employee_id TEXT NOT NULL DEFAULT '',
  employee_type TEXT NOT NULL DEFAULT '',
  user_type TEXT NOT NULL DEFAULT 'member',
  manager_id UUID REFERENCES persons (id),
  hired_at TIMESTAMPTZ,
  last_day_at TIMESTAMPTZ,
  state TEXT NOT NULL CHECK (state IN ('active', 'left')),
  left_at TIMESTAMPTZ,
  search_key TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL DEFAULT 0,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  CHECK ((state = 'left') = (left_at IS NOT NULL))
);
CREATE INDEX persons_manager ON persons (manager_id, search_key, id);
CREATE INDEX persons_search ON persons (search_key, id);
CREATE INDEX persons_department ON persons (department, id);
CREATE INDEX persons_last_day ON persons (last_day_at) WHERE state = 'active' AND last_day_at IS NOT NULL;

-- Who answers for somebody who is not an employee.
CREATE TABLE person_sponsors (
  person_id UUID NOT NULL REFERENCES persons (id),
  sponsor_id UUID NOT NULL REFERENCES persons (id),
  PRIMARY KEY (person_id, sponsor_id)
);

-- Sign-in identities, known by tenant and object id only.
CREATE TABLE accounts (
  id UUID NOT NULL PRIMARY KEY,
  person_id UUID NOT NULL REFERENCES persons (id),
  tenant_id UUID NOT NULL,
  object_id UUID NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('normal', 'admin', 'guest', 'directory')),
  user_name TEXT NOT NULL DEFAULT '',
  enabled BOOLEAN NOT NULL,
  deleted BOOLEAN NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  UNIQUE (tenant_id, object_id)
);
CREATE INDEX accounts_person ON accounts (person_id);

-- Portal roles by account: from the directory, refreshed at sign-in, or the first administrator from configuration.
CREATE TABLE portal_roles (
  account_id UUID NOT NULL REFERENCES accounts (id),
  role TEXT NOT NULL CHECK (role IN ('administrator', 'security', 'auditor', 'catalogue_owner', 'operator', 'hr')),
  source TEXT NOT NULL CHECK (source IN ('directory', 'configuration')),
  since TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (account_id, role)
);
CREATE INDEX portal_roles_role ON portal_roles (role);

-- Server-side sessions. `id` is the SHA-256 of what the cookie holds, so that a copy of this table opens nothing.
CREATE TABLE sessions (
  id BYTEA NOT NULL PRIMARY KEY,
  person_id UUID REFERENCES persons (id),
  account_id UUID REFERENCES accounts (id),
  data BYTEA NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  seen_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_person ON sessions (person_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Sign-ins under way: state, nonce and verifier, bound to one browser, taken out once.
CREATE TABLE sign_ins (
  state_hash BYTEA NOT NULL PRIMARY KEY,
  browser_hash BYTEA NOT NULL,
  nonce TEXT NOT NULL,
  verifier TEXT NOT NULL,
  return_to TEXT NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sign_ins_expiry ON sign_ins (expires_at);

-- Applications of the catalogue.
CREATE TABLE applications (
  id UUID NOT NULL PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL DEFAULT '',
  tint TEXT NOT NULL DEFAULT 'a',
  initials TEXT NOT NULL DEFAULT '',
  retired BOOLEAN NOT NULL DEFAULT FALSE
);

-- Systems that a connector reaches, with what is known of their health.
CREATE TABLE targets (
  id UUID NOT NULL PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('graph')),
  name TEXT NOT NULL,
  tenant_id UUID,
  paused BOOLEAN NOT NULL DEFAULT FALSE,
  not_before TIMESTAMPTZ,
  problem TEXT,
  problem_at TIMESTAMPTZ,
  succeeded_at TIMESTAMPTZ
);

-- Concrete rights. `lane` is the object that a write locks at the target.
CREATE TABLE entitlements (
  id UUID NOT NULL PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  target_id UUID NOT NULL REFERENCES targets (id),
  application_id UUID REFERENCES applications (id),
  kind TEXT NOT NULL CHECK (kind IN ('group', 'app_role')),
  external_id TEXT NOT NULL,
  name TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  lane TEXT NOT NULL,
  privileged BOOLEAN NOT NULL,
  control_scope TEXT,
  manageable BOOLEAN NOT NULL,
  unmanageable_reason TEXT,
  effective_within_seconds BIGINT NOT NULL DEFAULT 0,
  owner_id UUID REFERENCES persons (id),
  facts TEXT NOT NULL DEFAULT '',
  UNIQUE (target_id, kind, external_id),
  CHECK (manageable = TRUE OR unmanageable_reason IS NOT NULL)
);
CREATE INDEX entitlements_application ON entitlements (application_id);

-- Editions of the catalogue files. Who drafts does not confirm.
CREATE TABLE catalogue_versions (
  id UUID NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('pending', 'published', 'superseded', 'refused')),
  drafted_by UUID REFERENCES persons (id),
  file_hash TEXT NOT NULL,
  content TEXT NOT NULL,
  difference TEXT NOT NULL,
  widens BOOLEAN NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  decided_by UUID REFERENCES persons (id),
  decided_at TIMESTAMPTZ,
  CHECK (drafted_by IS NULL OR decided_by IS NULL OR drafted_by <> decided_by)
);
CREATE UNIQUE INDEX catalogue_versions_published ON catalogue_versions (state) WHERE state = 'published';
CREATE INDEX catalogue_versions_pending ON catalogue_versions (number) WHERE state = 'pending';

-- What the catalogue offers. The columns beside `version_id` repeat the current version for lists.
CREATE TABLE packages (
  id UUID NOT NULL PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  application_id UUID NOT NULL REFERENCES applications (id),
  name TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL CHECK (state IN ('offered', 'retired')),
  version_id UUID,
  privileged BOOLEAN NOT NULL DEFAULT FALSE,
  control_scope TEXT,
  default_seconds BIGINT NOT NULL DEFAULT 0,
  longest_seconds BIGINT NOT NULL DEFAULT 0,
  permanent BOOLEAN NOT NULL DEFAULT FALSE,
  search_key TEXT COLLATE "C" NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX packages_list ON packages (state, name, id);
CREATE INDEX packages_application ON packages (application_id, state, name, id);

-- Pinned editions: a request and a grant keep the one that they were made under.
CREATE TABLE package_versions (
  id UUID NOT NULL PRIMARY KEY,
  package_id UUID NOT NULL REFERENCES packages (id),
  number BIGINT NOT NULL,
  catalogue_version_id UUID NOT NULL REFERENCES catalogue_versions (id),
  policy TEXT NOT NULL,
  opens TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  UNIQUE (package_id, number)
);

CREATE TABLE package_version_entitlements (
  package_version_id UUID NOT NULL REFERENCES package_versions (id),
  entitlement_id UUID NOT NULL REFERENCES entitlements (id),
  PRIMARY KEY (package_version_id, entitlement_id)
);
CREATE INDEX package_version_entitlements_entitlement ON package_version_entitlements (entitlement_id);

CREATE TABLE package_owners (
  package_id UUID NOT NULL REFERENCES packages (id),
  person_id UUID NOT NULL REFERENCES persons (id),
  PRIMARY KEY (package_id, person_id)
);
CREATE INDEX package_owners_person ON package_owners (person_id);

-- One person's asking. The key makes fifty identical posts one request.
CREATE TABLE requests (
  id UUID NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  asker_id UUID NOT NULL REFERENCES persons (id),
  idempotency_key TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  UNIQUE (asker_id, idempotency_key)
);

-- One package for one beneficiary and account; decided on its own.
CREATE TABLE lines (
  id UUID NOT NULL PRIMARY KEY,
  request_id UUID NOT NULL REFERENCES requests (id),
  number BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('new', 'extension')),
  package_id UUID NOT NULL REFERENCES packages (id),
  package_version_id UUID NOT NULL REFERENCES package_versions (id),
  asker_id UUID NOT NULL REFERENCES persons (id),
  beneficiary_id UUID NOT NULL REFERENCES persons (id),
  account_id UUID NOT NULL REFERENCES accounts (id),
  extends_grant_id UUID,
  state TEXT NOT NULL CHECK (state IN ('awaiting_approval', 'approved', 'denied', 'cancelled', 'lapsed', 'superseded', 'withdrawn')),
  reason TEXT NOT NULL,
  answers TEXT NOT NULL,
  start_at TIMESTAMPTZ,
  length_kind TEXT NOT NULL CHECK (length_kind IN ('seconds', 'until', 'permanent')),
  length_seconds BIGINT,
  until_at TIMESTAMPTZ,
  frozen_hash TEXT NOT NULL,
  screening TEXT NOT NULL,
  submitted_at TIMESTAMPTZ NOT NULL,
  lapse_at TIMESTAMPTZ NOT NULL,
  ended_at TIMESTAMPTZ,
  ended_by UUID REFERENCES persons (id),
  version BIGINT NOT NULL DEFAULT 0,
  CHECK ((length_kind = 'seconds') = (length_seconds IS NOT NULL)),
  CHECK ((length_kind = 'until') = (until_at IS NOT NULL)),
  CHECK ((state = 'awaiting_approval') = (ended_at IS NULL)),
  CHECK ((kind = 'extension') = (extends_grant_id IS NOT NULL))
);
CREATE INDEX lines_request ON lines (request_id);
CREATE INDEX lines_asker ON lines (asker_id, submitted_at, id);
CREATE INDEX lines_beneficiary ON lines (beneficiary_id, submitted_at, id);
CREATE INDEX lines_package ON lines (package_id, submitted_at, id);
CREATE UNIQUE INDEX lines_one_waiting ON lines (beneficiary_id, package_id, account_id) WHERE state = 'awaiting_approval';
CREATE INDEX lines_waiting_asker ON lines (asker_id, submitted_at, id) WHERE state = 'awaiting_approval';
CREATE INDEX lines_waiting_package ON lines (package_id) WHERE state = 'awaiting_approval';
CREATE INDEX lines_over ON lines (ended_at, id) WHERE ended_at IS NOT NULL;

-- The steps of a line's route, with the rule as it was when the line was submitted.
CREATE TABLE stages (
  id UUID NOT NULL PRIMARY KEY,
  line_id UUID NOT NULL REFERENCES lines (id),
  position BIGINT NOT NULL,
  rule TEXT NOT NULL,
  approvers TEXT NOT NULL CHECK (approvers IN ('manager', 'managers_manager', 'sponsor', 'package_owner', 'security', 'named')),
  needed BIGINT NOT NULL CHECK (needed >= 1),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'met', 'met_by_asking', 'collapsed', 'denied', 'closed')),
  fallback BOOLEAN NOT NULL DEFAULT FALSE,
  by_subordinates BOOLEAN NOT NULL DEFAULT FALSE,
  stuck BOOLEAN NOT NULL DEFAULT FALSE,
  opened_at TIMESTAMPTZ,
  closed_at TIMESTAMPTZ,
  UNIQUE (line_id, position)
);
CREATE INDEX stages_stuck ON stages (opened_at, id) WHERE state = 'open' AND stuck = TRUE;

-- Who may decide in the stages that are open now. Worked out again at the decision; this is the queue.
CREATE TABLE seats (
  stage_id UUID NOT NULL REFERENCES stages (id),
  person_id UUID NOT NULL REFERENCES persons (id),
  via TEXT NOT NULL CHECK (via IN ('manager', 'managers_manager', 'sponsor', 'package_owner', 'security', 'named')),
  opened_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (stage_id, person_id)
);
CREATE INDEX seats_queue ON seats (person_id, opened_at, stage_id);

-- Votes. One human, one vote a stage; never on their own access (trigger). Each yes takes the next slot of those that the
-- stage needs; a no takes slot 0.
CREATE TABLE decisions (
  id UUID NOT NULL PRIMARY KEY,
  stage_id UUID NOT NULL REFERENCES stages (id),
  line_id UUID NOT NULL REFERENCES lines (id),
  decider_id UUID NOT NULL REFERENCES persons (id),
  slot BIGINT NOT NULL CHECK (slot >= 0),
  verdict TEXT NOT NULL CHECK (verdict IN ('approve', 'deny')),
  via TEXT NOT NULL,
  note TEXT NOT NULL,
  cap_seconds BIGINT CHECK (cap_seconds > 0),
  signed_hash TEXT NOT NULL,
  decided_at TIMESTAMPTZ NOT NULL,
  UNIQUE (stage_id, decider_id),
  UNIQUE (stage_id, slot),
  CHECK ((verdict = 'deny') = (slot = 0))
);
CREATE INDEX decisions_line ON decisions (line_id);
CREATE INDEX decisions_decider ON decisions (decider_id, decided_at, id);

-- Rights over a span of time. Exactly one of an end and 'permanent' is said; an end is final.
CREATE TABLE grants (
  id UUID NOT NULL PRIMARY KEY,
  person_id UUID NOT NULL REFERENCES persons (id),
  account_id UUID NOT NULL REFERENCES accounts (id),
  package_id UUID REFERENCES packages (id),
  package_version_id UUID REFERENCES package_versions (id),
  line_id UUID REFERENCES lines (id),
  source TEXT NOT NULL CHECK (source IN ('request', 'role', 'rule', 'import', 'break_glass')),
  state TEXT NOT NULL CHECK (state IN ('scheduled', 'active', 'suspended', 'ended')),
  valid_from TIMESTAMPTZ NOT NULL,
  end_kind TEXT NOT NULL CHECK (end_kind IN ('at', 'permanent')),
  end_at TIMESTAMPTZ,
  ready_at TIMESTAMPTZ,
  ended_at TIMESTAMPTZ,
  end_reason TEXT CHECK (end_reason IN ('expired', 'returned', 'revoked', 'review', 'mover', 'leaver', 'superseded', 'exception_ended')),
  ended_by UUID REFERENCES persons (id),
  end_note TEXT,
  gone_at TIMESTAMPTZ,
  version BIGINT NOT NULL DEFAULT 0,
  created_at TIMESTAMPTZ NOT NULL,
  CHECK ((end_kind = 'at') = (end_at IS NOT NULL)),
  CHECK (end_at IS NULL OR end_at >= valid_from),
  CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
  CHECK ((state = 'ended') = (end_reason IS NOT NULL)),
  CHECK (gone_at IS NULL OR state = 'ended'),
  CHECK (source <> 'request' OR line_id IS NOT NULL)
);
CREATE UNIQUE INDEX grants_line ON grants (line_id) WHERE line_id IS NOT NULL;
CREATE INDEX grants_person ON grants (person_id, state, valid_from, id);
CREATE INDEX grants_package ON grants (package_id, state, valid_from, id);
CREATE INDEX grants_ending ON grants (end_at, id) WHERE state IN ('scheduled', 'active', 'suspended') AND end_at IS NOT NULL;
CREATE INDEX grants_ending_person ON grants (person_id, end_at, id) WHERE state IN ('scheduled', 'active', 'suspended') AND end_at IS NOT NULL;
CREATE INDEX grants_held ON grants (person_id, package_id) WHERE state = 'active';
CREATE INDEX grants_holders ON grants (package_id, valid_from, id) WHERE state <> 'ended';
CREATE INDEX grants_account ON grants (account_id, package_id) WHERE state <> 'ended';
CREATE INDEX grants_ready ON grants (package_id, ready_at) WHERE ready_at IS NOT NULL AND line_id IS NOT NULL;
CREATE INDEX grants_began ON grants (valid_from, id);
CREATE INDEX grants_over ON grants (ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX grants_over_person ON grants (person_id, ended_at, id) WHERE ended_at IS NOT NULL;

-- What a grant contains, frozen as approved. Import grants have one row and no package.
-- `removed_at` says that a new catalogue version took the right out of the held package.
CREATE TABLE grant_entitlements (
  grant_id UUID NOT NULL REFERENCES grants (id),
  entitlement_id UUID NOT NULL REFERENCES entitlements (id),
  account_id UUID NOT NULL REFERENCES accounts (id),
  removed_at TIMESTAMPTZ,
  PRIMARY KEY (grant_id, entitlement_id)
);
CREATE INDEX grant_entitlements_pair ON grant_entitlements (account_id, entitlement_id);
CREATE INDEX grant_entitlements_entitlement ON grant_entitlements (entitlement_id, grant_id);

-- One (account, entitlement) pair: what should be, what is. The unit of work of the provisioner.
CREATE TABLE assignments (
  id UUID NOT NULL PRIMARY KEY,
  account_id UUID NOT NULL REFERENCES accounts (id),
  person_id UUID NOT NULL REFERENCES persons (id),
  entitlement_id UUID NOT NULL REFERENCES entitlements (id),
  target_id UUID NOT NULL REFERENCES targets (id),
  lane TEXT NOT NULL,
  desired BOOLEAN NOT NULL,
  only_imports BOOLEAN NOT NULL DEFAULT FALSE,
  desired_since TIMESTAMPTZ NOT NULL,
  observed TEXT NOT NULL CHECK (observed IN ('unknown', 'present', 'absent')),
  observed_at TIMESTAMPTZ,
  origin TEXT CHECK (origin IN ('ours', 'found')),
  phase TEXT NOT NULL CHECK (phase IN ('settled', 'due', 'settling', 'attention')),
  settle_reads BIGINT NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  next_at TIMESTAMPTZ,
  problem TEXT,
  added_at TIMESTAMPTZ,
  removed_at TIMESTAMPTZ,
  updated_at TIMESTAMPTZ NOT NULL,
  version BIGINT NOT NULL DEFAULT 0,
  UNIQUE (account_id, entitlement_id)
);
CREATE INDEX assignments_unsettled ON assignments (target_id, phase, id) WHERE phase <> 'settled';
CREATE INDEX assignments_oldest ON assignments (target_id, desired_since, id) WHERE phase <> 'settled';
CREATE INDEX assignments_attention ON assignments (desired_since, id) WHERE phase = 'attention';
CREATE INDEX assignments_entitlement ON assignments (entitlement_id, account_id);

-- Evidence: every call that was made at a target for an assignment.
CREATE TABLE operations (
  id UUID NOT NULL PRIMARY KEY,
  assignment_id UUID NOT NULL REFERENCES assignments (id),
  kind TEXT NOT NULL CHECK (kind IN ('read', 'add', 'remove')),
  outcome TEXT NOT NULL CHECK (outcome IN ('present', 'absent', 'done', 'already', 'later', 'never', 'misconfigured')),
  status BIGINT,
  request_id TEXT,
  client_request_id TEXT,
  detail TEXT NOT NULL DEFAULT '',
  at TIMESTAMPTZ NOT NULL,
  took_us BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX operations_assignment ON operations (assignment_id, at, id);

-- Outbox, timer and schedule in one. A key has one row; a timer is a job that is due later.
CREATE TABLE jobs (
  key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  subject UUID,
  lane TEXT,
  priority BIGINT NOT NULL,
  due_at TIMESTAMPTZ NOT NULL,
  wanted BIGINT NOT NULL DEFAULT 1,
  attempt BIGINT NOT NULL DEFAULT 0,
  failures BIGINT NOT NULL DEFAULT 0,
  leased_until TIMESTAMPTZ,
  leased_by UUID,
  problem TEXT
);
CREATE INDEX jobs_due ON jobs (priority, due_at, key);
CREATE INDEX jobs_lane ON jobs (lane, leased_until) WHERE lane IS NOT NULL AND leased_until IS NOT NULL;
CREATE INDEX jobs_subject ON jobs (subject);
CREATE INDEX jobs_trouble ON jobs (failures, key) WHERE failures > 0;

-- Mails, each once: the key names the event and the person.
CREATE TABLE messages (
  id UUID NOT NULL PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  person_id UUID NOT NULL REFERENCES persons (id),
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
  problem TEXT,
  created_at TIMESTAMPTZ NOT NULL,
  sent_at TIMESTAMPTZ
);
CREATE INDEX messages_person ON messages (person_id, created_at, id);
CREATE INDEX messages_trouble ON messages (created_at, id) WHERE problem IS NOT NULL;

-- Where reading the directory stands.
CREATE TABLE directory_state (
  tenant_id UUID NOT NULL PRIMARY KEY,
  delta_link TEXT,
  full_at TIMESTAMPTZ,
  delta_at TIMESTAMPTZ,
  people BIGINT NOT NULL DEFAULT 0,
  problem TEXT,
  problem_at TIMESTAMPTZ
);

-- Mass changes that wait for a human. `version` counts changes of whom it is about: one confirms what one saw.
CREATE TABLE holds (
  id UUID NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('mass_leave')),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'confirmed', 'dismissed')),
  placed_at TIMESTAMPTZ NOT NULL,
  counted BIGINT NOT NULL,
  allowed BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 0,
  decided_by UUID REFERENCES persons (id),
  decided_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX holds_one_waiting ON holds (kind) WHERE state = 'waiting';
-- Whom a hold is about. Who is seen working again meanwhile is taken out; an instant says that the change was applied.
CREATE TABLE hold_people (
  hold_id UUID NOT NULL REFERENCES holds (id),
  person_id UUID NOT NULL REFERENCES persons (id),
  account_id UUID NOT NULL REFERENCES accounts (id),
  cause TEXT NOT NULL CHECK (cause IN ('disabled', 'deleted', 'last_day')),
  last_day_at TIMESTAMPTZ,
  applied_at TIMESTAMPTZ,
  PRIMARY KEY (hold_id, person_id)
);
CREATE INDEX hold_people_person ON hold_people (person_id);

-- The audit log: canonical text, chained by SHA-256. Triggers refuse everything but the next entry.
CREATE TABLE audit_head (
  one BOOLEAN NOT NULL PRIMARY KEY DEFAULT TRUE CHECK (one = TRUE),
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL
);
CREATE TABLE audit_events (
  seq BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0),
  at TIMESTAMPTZ NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  actor_id UUID,
  entry TEXT NOT NULL,
  hash BYTEA NOT NULL
);
CREATE INDEX audit_events_kind ON audit_events (kind, seq);
CREATE INDEX audit_events_actor ON audit_events (actor_id, seq);
CREATE INDEX audit_events_at ON audit_events (at, seq);
CREATE TABLE audit_subjects (
  subject TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL REFERENCES audit_events (seq),
  PRIMARY KEY (subject, seq)
);

INSERT INTO audit_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'));
INSERT INTO counters (name, value) VALUES ('request', 1000), ('catalogue', 0);

-- Rules that hold whatever the code does.
-- `_whole` refuses TRUNCATE, which runs no delete trigger. SQLite has the same names for REPLACE.
CREATE FUNCTION latchkey_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;
-- Votes.
CREATE FUNCTION decisions_four_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND (lines.asker_id = NEW.decider_id OR lines.beneficiary_id = NEW.decider_id)) THEN
    RAISE EXCEPTION 'nobody decides on their own access' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decisions_four_eyes BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_four_eyes();
CREATE FUNCTION decisions_open_stage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM stages JOIN lines ON lines.id = stages.line_id WHERE stages.id = NEW.stage_id AND stages.line_id = NEW.line_id AND stages.state = 'open' AND lines.state = 'awaiting_approval') THEN
    RAISE EXCEPTION 'only an open stage of a waiting line is decided' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decisions_open_stage BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_open_stage();
CREATE FUNCTION decisions_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.slot > (SELECT stages.needed FROM stages WHERE stages.id = NEW.stage_id) THEN
    RAISE EXCEPTION 'a stage has as many slots as it needs yeses' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decisions_slot BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_slot();
CREATE TRIGGER decisions_fixed BEFORE UPDATE ON decisions FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a decision is never changed');
CREATE TRIGGER decisions_kept BEFORE DELETE ON decisions FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a decision is never deleted');
CREATE TRIGGER decisions_whole BEFORE TRUNCATE ON decisions FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a decision is never deleted');
-- Lines: what is asked stays as it is; the end follows from the stages, and is final.
CREATE TRIGGER lines_begin BEFORE INSERT ON lines FOR EACH ROW
  WHEN (NEW.state <> 'awaiting_approval')
  EXECUTE FUNCTION latchkey_refuse('a line begins by waiting');
CREATE TRIGGER lines_legal BEFORE UPDATE ON lines FOR EACH ROW
  WHEN (OLD.state <> 'awaiting_approval' AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.ended_by IS DISTINCT FROM OLD.ended_by))
  EXECUTE FUNCTION latchkey_refuse('a line that has ended stays ended');
CREATE FUNCTION lines_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.state = 'approved' AND OLD.state <> 'approved' AND EXISTS (SELECT 1 FROM stages WHERE stages.line_id = NEW.id AND stages.state NOT IN ('met', 'met_by_asking', 'collapsed'))) OR (NEW.state = 'denied' AND OLD.state <> 'denied' AND NOT EXISTS (SELECT 1 FROM stages WHERE stages.line_id = NEW.id AND stages.state = 'denied')) THEN
    RAISE EXCEPTION 'the stages of a line decide it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lines_decided BEFORE UPDATE ON lines FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION lines_decided();
CREATE TRIGGER lines_frozen BEFORE UPDATE ON lines FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.request_id IS DISTINCT FROM OLD.request_id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.package_id IS DISTINCT FROM OLD.package_id OR NEW.package_version_id IS DISTINCT FROM OLD.package_version_id OR NEW.asker_id IS DISTINCT FROM OLD.asker_id OR NEW.beneficiary_id IS DISTINCT FROM OLD.beneficiary_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.extends_grant_id IS DISTINCT FROM OLD.extends_grant_id OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.answers IS DISTINCT FROM OLD.answers OR NEW.start_at IS DISTINCT FROM OLD.start_at OR NEW.length_kind IS DISTINCT FROM OLD.length_kind OR NEW.length_seconds IS DISTINCT FROM OLD.length_seconds OR NEW.until_at IS DISTINCT FROM OLD.until_at OR NEW.frozen_hash IS DISTINCT FROM OLD.frozen_hash OR NEW.screening IS DISTINCT FROM OLD.screening OR NEW.submitted_at IS DISTINCT FROM OLD.submitted_at OR NEW.lapse_at IS DISTINCT FROM OLD.lapse_at)
  EXECUTE FUNCTION latchkey_refuse('what was asked is frozen');
CREATE TRIGGER lines_kept BEFORE DELETE ON lines FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a line is never deleted');
CREATE TRIGGER lines_whole BEFORE TRUNCATE ON lines FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a line is never deleted');
-- Stages: met by votes, denied by a vote, and only then.
CREATE FUNCTION stages_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state NOT IN ('waiting', 'open', 'met_by_asking') OR NOT EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND lines.state = 'awaiting_approval' AND (NEW.state <> 'met_by_asking' OR lines.asker_id <> lines.beneficiary_id)) THEN
    RAISE EXCEPTION 'a stage begins undecided, on a waiting line' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stages_begin BEFORE INSERT ON stages FOR EACH ROW EXECUTE FUNCTION stages_begin();
CREATE TRIGGER stages_legal BEFORE UPDATE ON stages FOR EACH ROW
  WHEN ((OLD.state NOT IN ('waiting', 'open') AND (NEW.state <> OLD.state OR NEW.needed <> OLD.needed)) OR (OLD.state = 'waiting' AND NEW.state IN ('met', 'denied')) OR (OLD.state = 'open' AND NEW.state IN ('waiting', 'met_by_asking', 'collapsed')))
  EXECUTE FUNCTION latchkey_refuse('a stage moves forward only, and one that is decided stays decided');
CREATE FUNCTION stages_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> OLD.state AND ((NEW.state = 'met' AND (SELECT COUNT(*) FROM decisions WHERE decisions.stage_id = NEW.id AND decisions.verdict = 'approve') < NEW.needed) OR (NEW.state = 'denied' AND NOT EXISTS (SELECT 1 FROM decisions WHERE decisions.stage_id = NEW.id AND decisions.verdict = 'deny')) OR (NEW.state = 'collapsed' AND NOT EXISTS (SELECT 1 FROM decisions WHERE decisions.line_id = NEW.line_id AND decisions.verdict = 'approve')) OR (NEW.state = 'met_by_asking' AND EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND lines.asker_id = lines.beneficiary_id))) THEN
    RAISE EXCEPTION 'votes decide a stage' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stages_decided BEFORE UPDATE ON stages FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION stages_decided();
CREATE TRIGGER stages_rule_fixed BEFORE UPDATE ON stages FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.line_id IS DISTINCT FROM OLD.line_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.rule IS DISTINCT FROM OLD.rule OR NEW.approvers IS DISTINCT FROM OLD.approvers)
  EXECUTE FUNCTION latchkey_refuse('the rules of a submitted route are fixed');
CREATE TRIGGER stages_kept BEFORE DELETE ON stages FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a stage is never deleted');
CREATE TRIGGER stages_whole BEFORE TRUNCATE ON stages FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a stage is never deleted');
-- Grants: what was approved, for whom it was approved; an end is final.
CREATE FUNCTION grants_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.source = 'request' OR NEW.line_id IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND lines.state = 'approved' AND lines.beneficiary_id = NEW.person_id AND lines.account_id = NEW.account_id AND lines.package_version_id = NEW.package_version_id) THEN
    RAISE EXCEPTION 'a grant from a request needs its approved line' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER grants_approved BEFORE INSERT ON grants FOR EACH ROW WHEN (NEW.source = 'request' OR NEW.line_id IS NOT NULL) EXECUTE FUNCTION grants_approved();
CREATE TRIGGER grants_legal BEFORE UPDATE ON grants FOR EACH ROW
  WHEN ((OLD.state = 'ended' AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.end_kind IS DISTINCT FROM OLD.end_kind OR NEW.end_at IS DISTINCT FROM OLD.end_at OR NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.end_reason IS DISTINCT FROM OLD.end_reason OR NEW.ended_by IS DISTINCT FROM OLD.ended_by OR NEW.end_note IS DISTINCT FROM OLD.end_note)) OR (OLD.state = 'scheduled' AND NEW.state = 'suspended') OR (OLD.state IN ('active', 'suspended') AND NEW.state = 'scheduled'))
  EXECUTE FUNCTION latchkey_refuse('a grant moves forward only, and an end is final');
CREATE TRIGGER grants_fixed BEFORE UPDATE ON grants FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.package_id IS DISTINCT FROM OLD.package_id OR NEW.package_version_id IS DISTINCT FROM OLD.package_version_id OR NEW.line_id IS DISTINCT FROM OLD.line_id OR NEW.source IS DISTINCT FROM OLD.source OR NEW.valid_from IS DISTINCT FROM OLD.valid_from OR NEW.created_at IS DISTINCT FROM OLD.created_at)
  EXECUTE FUNCTION latchkey_refuse('whose grant it is and where it comes from is fixed');
CREATE TRIGGER grants_kept BEFORE DELETE ON grants FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a grant is never deleted');
CREATE TRIGGER grants_whole BEFORE TRUNCATE ON grants FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a grant is never deleted');
CREATE TRIGGER grant_entitlements_fixed BEFORE UPDATE ON grant_entitlements FOR EACH ROW
  WHEN (OLD.removed_at IS NOT NULL OR NEW.grant_id IS DISTINCT FROM OLD.grant_id OR NEW.entitlement_id IS DISTINCT FROM OLD.entitlement_id OR NEW.account_id IS DISTINCT FROM OLD.account_id)
  EXECUTE FUNCTION latchkey_refuse('what a grant contains is only ever taken out, once');
CREATE TRIGGER grant_entitlements_kept BEFORE DELETE ON grant_entitlements FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('what a grant contained is never deleted');
CREATE TRIGGER grant_entitlements_whole BEFORE TRUNCATE ON grant_entitlements FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('what a grant contained is never deleted');
CREATE TRIGGER operations_fixed BEFORE UPDATE ON operations FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('evidence is never changed');
CREATE TRIGGER operations_kept BEFORE DELETE ON operations FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('evidence is never deleted');
CREATE TRIGGER operations_whole BEFORE TRUNCATE ON operations FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('evidence is never deleted');
-- The catalogue: what widens needs a second person; what was published is kept.
CREATE FUNCTION catalogue_versions_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state NOT IN ('pending', 'published') OR (NEW.state = 'published' AND NEW.widens = TRUE AND EXISTS (SELECT 1 FROM catalogue_versions)) THEN
    RAISE EXCEPTION 'a version that widens begins by waiting' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER catalogue_versions_begin BEFORE INSERT ON catalogue_versions FOR EACH ROW EXECUTE FUNCTION catalogue_versions_begin();
CREATE TRIGGER catalogue_versions_legal BEFORE UPDATE ON catalogue_versions FOR EACH ROW
  WHEN ((OLD.state IN ('superseded', 'refused') AND NEW.state <> OLD.state) OR (OLD.state = 'published' AND NEW.state NOT IN ('published', 'superseded')) OR (NEW.state = OLD.state AND (NEW.decided_by IS DISTINCT FROM OLD.decided_by OR NEW.decided_at IS DISTINCT FROM OLD.decided_at)))
  EXECUTE FUNCTION latchkey_refuse('a catalogue version moves forward only');
CREATE FUNCTION catalogue_versions_second() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'published' AND OLD.state <> 'published' AND ((NEW.widens = TRUE AND NEW.decided_by IS NULL) OR EXISTS (SELECT 1 FROM catalogue_versions WHERE catalogue_versions.state = 'published')) THEN
    RAISE EXCEPTION 'a version that widens is published by a second person, in place of the one before' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER catalogue_versions_second BEFORE UPDATE ON catalogue_versions FOR EACH ROW WHEN (NEW.state = 'published' AND OLD.state <> 'published') EXECUTE FUNCTION catalogue_versions_second();
CREATE TRIGGER catalogue_versions_fixed BEFORE UPDATE ON catalogue_versions FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.drafted_by IS DISTINCT FROM OLD.drafted_by OR NEW.file_hash IS DISTINCT FROM OLD.file_hash OR NEW.content IS DISTINCT FROM OLD.content OR NEW.difference IS DISTINCT FROM OLD.difference OR NEW.widens IS DISTINCT FROM OLD.widens OR NEW.created_at IS DISTINCT FROM OLD.created_at)
  EXECUTE FUNCTION latchkey_refuse('a catalogue version is never rewritten');
CREATE TRIGGER catalogue_versions_kept BEFORE DELETE ON catalogue_versions FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a catalogue version is never deleted');
CREATE TRIGGER catalogue_versions_whole BEFORE TRUNCATE ON catalogue_versions FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a catalogue version is never deleted');
CREATE TRIGGER package_versions_fixed BEFORE UPDATE ON package_versions FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a package version is never changed');
CREATE TRIGGER package_versions_kept BEFORE DELETE ON package_versions FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a package version is never deleted');
CREATE TRIGGER package_versions_whole BEFORE TRUNCATE ON package_versions FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a package version is never deleted');
CREATE TRIGGER package_version_entitlements_fixed BEFORE UPDATE ON package_version_entitlements FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('what a package version contains is never changed');
CREATE TRIGGER package_version_entitlements_kept BEFORE DELETE ON package_version_entitlements FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('what a package version contains is never deleted');
CREATE TRIGGER package_version_entitlements_whole BEFORE TRUNCATE ON package_version_entitlements FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('what a package version contains is never deleted');
-- The audit log: append-only, without gaps, and its head only goes forward.
-- Once a statement, over what it added: an append of many entries costs no more than one.
CREATE FUNCTION audit_events_next() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  low BIGINT;
  high BIGINT;
  rows BIGINT;
BEGIN
  SELECT MIN(seq), MAX(seq), COUNT(*) INTO low, high, rows FROM added;
  IF rows > 0 AND (high - low + 1 <> rows OR low <> COALESCE((SELECT MAX(seq) FROM audit_events WHERE seq < low), 0) + 1) THEN
    RAISE EXCEPTION 'the audit log has no gaps' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER audit_events_next AFTER INSERT ON audit_events REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION audit_events_next();
CREATE TRIGGER audit_events_fixed BEFORE UPDATE ON audit_events FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the audit log is append-only');
CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the audit log is append-only');
CREATE TRIGGER audit_events_whole BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('the audit log is append-only');
CREATE TRIGGER audit_subjects_fixed BEFORE UPDATE ON audit_subjects FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the audit log is append-only');
CREATE TRIGGER audit_subjects_kept BEFORE DELETE ON audit_subjects FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the audit log is append-only');
CREATE TRIGGER audit_subjects_whole BEFORE TRUNCATE ON audit_subjects FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('the audit log is append-only');
CREATE FUNCTION audit_head_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.seq <= OLD.seq OR NOT EXISTS (SELECT 1 FROM audit_events WHERE audit_events.seq = NEW.seq AND audit_events.hash = NEW.hash) THEN
    RAISE EXCEPTION 'the head of the audit log only moves forward, to an entry' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head FOR EACH ROW EXECUTE FUNCTION audit_head_forward();
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('the head of the audit log is never deleted');
CREATE TRIGGER audit_head_whole BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('the head of the audit log is never deleted');
