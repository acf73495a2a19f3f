-- What is said about a waiting line, seats that were handed on, and a clock that stands still while a question waits for
-- its answer.

-- The open question, how long earlier ones held the clock (`lapse_at` has it in), and when the deciders were last nudged.
ALTER TABLE lines ADD COLUMN asked_back_at INTEGER;
ALTER TABLE lines ADD COLUMN stood_us INTEGER NOT NULL DEFAULT 0 CHECK (stood_us BETWEEN 0 AND 1209600000000);
ALTER TABLE lines ADD COLUMN nudged_at INTEGER;
CREATE INDEX lines_asked_back ON lines (asker_id, asked_back_at, id) WHERE state = 'awaiting_approval' AND asked_back_at IS NOT NULL;
CREATE INDEX lines_asked_back_for ON lines (beneficiary_id, asked_back_at, id) WHERE state = 'awaiting_approval' AND asked_back_at IS NOT NULL;

-- Questions of deciders, answers and remarks of whom it is about. Nothing here changes what is asked.
CREATE TABLE remarks (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  line_id BLOB NOT NULL REFERENCES lines (id) CHECK (length(line_id) = 16),
  stage_id BLOB NOT NULL REFERENCES stages (id) CHECK (length(stage_id) = 16),
  author_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(author_id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('question', 'answer', 'remark')),
  text TEXT NOT NULL CHECK (length(text) > 0),
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX remarks_line ON remarks (line_id, at, id);

-- Seats that somebody gave to a colleague, until it is given back. Seating honours them as long as the colleague may decide.
CREATE TABLE hand_ons (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  line_id BLOB NOT NULL REFERENCES lines (id) CHECK (length(line_id) = 16),
  stage_id BLOB NOT NULL REFERENCES stages (id) CHECK (length(stage_id) = 16),
  from_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(from_id) = 16),
  to_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(to_id) = 16),
  reason TEXT NOT NULL CHECK (length(reason) > 0),
  at INTEGER NOT NULL,
  returned_at INTEGER,
  CHECK (from_id <> to_id)
) STRICT;
CREATE UNIQUE INDEX hand_ons_from ON hand_ons (stage_id, from_id) WHERE returned_at IS NULL;
CREATE UNIQUE INDEX hand_ons_to ON hand_ons (stage_id, to_id) WHERE returned_at IS NULL;
CREATE INDEX hand_ons_line ON hand_ons (line_id, at, id);
CREATE INDEX hand_ons_giver ON hand_ons (from_id, line_id);

-- What is asked stays as it is; its pending deadline moves later by exactly what a question held it.
DROP TRIGGER lines_frozen;
CREATE TRIGGER lines_frozen BEFORE UPDATE ON lines
  WHEN NEW.id IS DISTINCT FROM OLD.id OR NEW.request_id IS DISTINCT FROM OLD.request_id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.package_id IS DISTINCT FROM OLD.package_id OR NEW.package_version_id IS DISTINCT FROM OLD.package_version_id OR NEW.asker_id IS DISTINCT FROM OLD.asker_id OR NEW.beneficiary_id IS DISTINCT FROM OLD.beneficiary_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.extends_grant_id IS DISTINCT FROM OLD.extends_grant_id OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.answers IS DISTINCT FROM OLD.answers OR NEW.start_at IS DISTINCT FROM OLD.start_at OR NEW.length_kind IS DISTINCT FROM OLD.length_kind OR NEW.length_seconds IS DISTINCT FROM OLD.length_seconds OR NEW.until_at IS DISTINCT FROM OLD.until_at OR NEW.frozen_hash IS DISTINCT FROM OLD.frozen_hash OR NEW.screening IS DISTINCT FROM OLD.screening OR NEW.submitted_at IS DISTINCT FROM OLD.submitted_at
BEGIN
  SELECT RAISE(ABORT, 'what was asked is frozen');
END;
CREATE TRIGGER lines_clock BEFORE UPDATE ON lines
  WHEN (NEW.lapse_at IS DISTINCT FROM OLD.lapse_at OR NEW.stood_us IS DISTINCT FROM OLD.stood_us) AND (OLD.state <> 'awaiting_approval' OR OLD.asked_back_at IS NULL OR NEW.asked_back_at IS NOT NULL OR NEW.stood_us < OLD.stood_us OR NEW.lapse_at - OLD.lapse_at <> NEW.stood_us - OLD.stood_us)
BEGIN
  SELECT RAISE(ABORT, 'a deadline only moves by what a question held it');
END;
CREATE TRIGGER lines_asked_back BEFORE UPDATE ON lines
  WHEN NEW.asked_back_at IS NOT NULL AND NEW.asked_back_at IS DISTINCT FROM OLD.asked_back_at AND (OLD.asked_back_at IS NOT NULL OR OLD.state <> 'awaiting_approval' OR NOT EXISTS (SELECT 1 FROM remarks WHERE remarks.line_id = NEW.id AND remarks.kind = 'question' AND remarks.at = NEW.asked_back_at))
BEGIN
  SELECT RAISE(ABORT, 'a clock stands still for a question');
END;
CREATE TRIGGER lines_fresh BEFORE INSERT ON lines
  WHEN NEW.asked_back_at IS NOT NULL OR NEW.stood_us <> 0
BEGIN
  SELECT RAISE(ABORT, 'the clock of a new line runs');
END;
-- The conversation: deciders ask, those whom it is about answer, while the line waits.
CREATE TRIGGER remarks_sides BEFORE INSERT ON remarks
  WHEN NOT EXISTS (SELECT 1 FROM lines JOIN stages ON stages.line_id = lines.id WHERE lines.id = NEW.line_id AND stages.id = NEW.stage_id AND lines.state = 'awaiting_approval' AND (NEW.kind <> 'question' OR stages.state = 'open') AND (NEW.kind = 'question') = (NEW.author_id <> lines.asker_id AND NEW.author_id <> lines.beneficiary_id))
BEGIN
  SELECT RAISE(ABORT, 'deciders ask and the asker answers, while a line waits');
END;
CREATE TRIGGER remarks_fixed BEFORE UPDATE ON remarks
BEGIN
  SELECT RAISE(ABORT, 'what was said is never changed');
END;
CREATE TRIGGER remarks_kept BEFORE DELETE ON remarks
BEGIN
  SELECT RAISE(ABORT, 'what was said is never deleted');
END;
CREATE TRIGGER remarks_whole BEFORE INSERT ON remarks
  WHEN EXISTS (SELECT 1 FROM remarks WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'what was said is never deleted');
END;
-- Handing on: never to whom it is about, in an open stage, one level, and given back at most once.
CREATE TRIGGER hand_ons_four_eyes BEFORE INSERT ON hand_ons
  WHEN EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND (lines.asker_id IN (NEW.from_id, NEW.to_id) OR lines.beneficiary_id IN (NEW.from_id, NEW.to_id)))
BEGIN
  SELECT RAISE(ABORT, 'nobody is handed the decision on their own access');
END;
CREATE TRIGGER hand_ons_open_stage BEFORE INSERT ON hand_ons
  WHEN NOT EXISTS (SELECT 1 FROM stages JOIN lines ON lines.id = stages.line_id WHERE stages.id = NEW.stage_id AND stages.line_id = NEW.line_id AND stages.state = 'open' AND lines.state = 'awaiting_approval')
BEGIN
  SELECT RAISE(ABORT, 'only a seat of an open stage is handed on');
END;
CREATE TRIGGER hand_ons_one_level BEFORE INSERT ON hand_ons
  WHEN EXISTS (SELECT 1 FROM hand_ons WHERE hand_ons.stage_id = NEW.stage_id AND hand_ons.returned_at IS NULL AND (hand_ons.to_id = NEW.from_id OR hand_ons.from_id = NEW.to_id))
BEGIN
  SELECT RAISE(ABORT, 'what was handed on is not handed on again');
END;
CREATE TRIGGER hand_ons_fixed BEFORE UPDATE ON hand_ons
  WHEN OLD.returned_at IS NOT NULL OR NEW.returned_at IS NULL OR NEW.id IS DISTINCT FROM OLD.id OR NEW.line_id IS DISTINCT FROM OLD.line_id OR NEW.stage_id IS DISTINCT FROM OLD.stage_id OR NEW.from_id IS DISTINCT FROM OLD.from_id OR NEW.to_id IS DISTINCT FROM OLD.to_id OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.at IS DISTINCT FROM OLD.at
BEGIN
  SELECT RAISE(ABORT, 'what was handed on is only given back, once');
END;
CREATE TRIGGER hand_ons_kept BEFORE DELETE ON hand_ons
BEGIN
  SELECT RAISE(ABORT, 'what was handed on is never forgotten');
END;
CREATE TRIGGER hand_ons_whole BEFORE INSERT ON hand_ons
  WHEN EXISTS (SELECT 1 FROM hand_ons WHERE id = NEW.id OR (returned_at IS NULL AND stage_id = NEW.stage_id AND (from_id = NEW.from_id OR to_id = NEW.to_id)))
BEGIN
  SELECT RAISE(ABORT, 'what was handed on is never forgotten');
END;
