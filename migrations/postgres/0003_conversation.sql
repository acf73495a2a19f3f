-- What is said about a waiting line, seats that were handed on, and a clock that stands still while a question waits for
-- its answer.

-- The open question, how long earlier ones held the clock (`lapse_at` has it in), and when the deciders were last nudged.
ALTER TABLE lines ADD COLUMN asked_back_at TIMESTAMPTZ;
ALTER TABLE lines ADD COLUMN stood_us BIGINT NOT NULL DEFAULT 0 CHECK (stood_us BETWEEN 0 AND 1209600000000);
ALTER TABLE lines ADD COLUMN nudged_at TIMESTAMPTZ;
CREATE INDEX lines_asked_back ON lines (asker_id, asked_back_at, id) WHERE state = 'awaiting_approval' AND asked_back_at IS NOT NULL;
CREATE INDEX lines_asked_back_for ON lines (beneficiary_id, asked_back_at, id) WHERE state = 'awaiting_approval' AND asked_back_at IS NOT NULL;

-- Questions of deciders, answers and remarks of whom it is about. Nothing here changes what is asked.
CREATE TABLE remarks (
  id UUID NOT NULL PRIMARY KEY,
  line_id UUID NOT NULL REFERENCES lines (id),
  stage_id UUID NOT NULL REFERENCES stages (id),
  author_id UUID NOT NULL REFERENCES persons (id),
  kind TEXT NOT NULL CHECK (kind IN ('question', 'answer', 'remark')),
  text TEXT NOT NULL CHECK (length(text) > 0),
  at TIMESTAMPTZ NOT NULL
);
CREATE INDEX remarks_line ON remarks (line_id, at, id);

-- Seats that somebody gave to a colleague, until it is given back. Seating honours them as long as the colleague may decide.
CREATE TABLE hand_ons (
  id UUID NOT NULL PRIMARY KEY,
  line_id UUID NOT NULL REFERENCES lines (id),
  stage_id UUID NOT NULL REFERENCES stages (id),
  from_id UUID NOT NULL REFERENCES persons (id),
  to_id UUID NOT NULL REFERENCES persons (id),
  reason TEXT NOT NULL CHECK (length(reason) > 0),
  at TIMESTAMPTZ NOT NULL,
  returned_at TIMESTAMPTZ,
  CHECK (from_id <> to_id)
);
CREATE UNIQUE INDEX hand_ons_from ON hand_ons (stage_id, from_id) WHERE returned_at IS NULL;
CREATE UNIQUE INDEX hand_ons_to ON hand_ons (stage_id, to_id) WHERE returned_at IS NULL;
CREATE INDEX hand_ons_line ON hand_ons (line_id, at, id);
CREATE INDEX hand_ons_giver ON hand_ons (from_id, line_id);

-- What is asked stays as it is; its pending deadline moves later by exactly what a question held it.
DROP TRIGGER lines_frozen ON lines;
CREATE TRIGGER lines_frozen BEFORE UPDATE ON lines FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.request_id IS DISTINCT FROM OLD.request_id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.package_id IS DISTINCT FROM OLD.package_id OR NEW.package_version_id IS DISTINCT FROM OLD.package_version_id OR NEW.asker_id IS DISTINCT FROM OLD.asker_id OR NEW.beneficiary_id IS DISTINCT FROM OLD.beneficiary_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.extends_grant_id IS DISTINCT FROM OLD.extends_grant_id OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.answers IS DISTINCT FROM OLD.answers OR NEW.start_at IS DISTINCT FROM OLD.start_at OR NEW.length_kind IS DISTINCT FROM OLD.length_kind OR NEW.length_seconds IS DISTINCT FROM OLD.length_seconds OR NEW.until_at IS DISTINCT FROM OLD.until_at OR NEW.frozen_hash IS DISTINCT FROM OLD.frozen_hash OR NEW.screening IS DISTINCT FROM OLD.screening OR NEW.submitted_at IS DISTINCT FROM OLD.submitted_at)
  EXECUTE FUNCTION latchkey_refuse('what was asked is frozen');
CREATE TRIGGER lines_clock BEFORE UPDATE ON lines FOR EACH ROW
  WHEN ((NEW.lapse_at IS DISTINCT FROM OLD.lapse_at OR NEW.stood_us IS DISTINCT FROM OLD.stood_us) AND (OLD.state <> 'awaiting_approval' OR OLD.asked_back_at IS NULL OR NEW.asked_back_at IS NOT NULL OR NEW.stood_us < OLD.stood_us OR EXTRACT(EPOCH FROM (NEW.lapse_at - OLD.lapse_at)) * 1000000 <> NEW.stood_us - OLD.stood_us))
  EXECUTE FUNCTION latchkey_refuse('a deadline only moves by what a question held it');
CREATE FUNCTION lines_asked_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.asked_back_at IS NOT NULL AND NEW.asked_back_at IS DISTINCT FROM OLD.asked_back_at AND (OLD.asked_back_at IS NOT NULL OR OLD.state <> 'awaiting_approval' OR NOT EXISTS (SELECT 1 FROM remarks WHERE remarks.line_id = NEW.id AND remarks.kind = 'question' AND remarks.at = NEW.asked_back_at)) THEN
    RAISE EXCEPTION 'a clock stands still for a question' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lines_asked_back BEFORE UPDATE ON lines FOR EACH ROW EXECUTE FUNCTION lines_asked_back();
CREATE TRIGGER lines_fresh BEFORE INSERT ON lines FOR EACH ROW
  WHEN (NEW.asked_back_at IS NOT NULL OR NEW.stood_us <> 0)
  EXECUTE FUNCTION latchkey_refuse('the clock of a new line runs');
-- The conversation: deciders ask, those whom it is about answer, while the line waits.
CREATE FUNCTION remarks_sides() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM lines JOIN stages ON stages.line_id = lines.id WHERE lines.id = NEW.line_id AND stages.id = NEW.stage_id AND lines.state = 'awaiting_approval' AND (NEW.kind <> 'question' OR stages.state = 'open') AND (NEW.kind = 'question') = (NEW.author_id <> lines.asker_id AND NEW.author_id <> lines.beneficiary_id)) THEN
    RAISE EXCEPTION 'deciders ask and the asker answers, while a line waits' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER remarks_sides BEFORE INSERT ON remarks FOR EACH ROW EXECUTE FUNCTION remarks_sides();
CREATE TRIGGER remarks_fixed BEFORE UPDATE ON remarks FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('what was said is never changed');
CREATE TRIGGER remarks_kept BEFORE DELETE ON remarks FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('what was said is never deleted');
CREATE TRIGGER remarks_whole BEFORE TRUNCATE ON remarks FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('what was said is never deleted');
-- Handing on: never to whom it is about, in an open stage, one level, and given back at most once.
CREATE FUNCTION hand_ons_four_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND (lines.asker_id IN (NEW.from_id, NEW.to_id) OR lines.beneficiary_id IN (NEW.from_id, NEW.to_id))) THEN
    RAISE EXCEPTION 'nobody is handed the decision on their own access' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER hand_ons_four_eyes BEFORE INSERT ON hand_ons FOR EACH ROW EXECUTE FUNCTION hand_ons_four_eyes();
CREATE FUNCTION hand_ons_open_stage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM stages JOIN lines ON lines.id = stages.line_id WHERE stages.id = NEW.stage_id AND stages.line_id = NEW.line_id AND stages.state = 'open' AND lines.state = 'awaiting_approval') THEN
    RAISE EXCEPTION 'only a seat of an open stage is handed on' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER hand_ons_open_stage BEFORE INSERT ON hand_ons FOR EACH ROW EXECUTE FUNCTION hand_ons_open_stage();
CREATE FUNCTION hand_ons_one_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM hand_ons WHERE hand_ons.stage_id = NEW.stage_id AND hand_ons.returned_at IS NULL AND (hand_ons.to_id = NEW.from_id OR hand_ons.from_id = NEW.to_id)) THEN
    RAISE EXCEPTION 'what was handed on is not handed on again' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER hand_ons_one_level BEFORE INSERT ON hand_ons FOR EACH ROW EXECUTE FUNCTION hand_ons_one_level();
CREATE TRIGGER hand_ons_fixed BEFORE UPDATE ON hand_ons FOR EACH ROW
  WHEN (OLD.returned_at IS NOT NULL OR NEW.returned_at IS NULL OR NEW.id IS DISTINCT FROM OLD.id OR NEW.line_id IS DISTINCT FROM OLD.line_id OR NEW.stage_id IS DISTINCT FROM OLD.stage_id OR NEW.from_id IS DISTINCT FROM OLD.from_id OR NEW.to_id IS DISTINCT FROM OLD.to_id OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.at IS DISTINCT FROM OLD.at)
  EXECUTE FUNCTION latchkey_refuse('what was handed on is only given back, once');
CREATE TRIGGER hand_ons_kept BEFORE DELETE ON hand_ons FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('what was handed on is never forgotten');
CREATE TRIGGER hand_ons_whole BEFORE TRUNCATE ON hand_ons FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('what was handed on is never forgotten');
