-- What the receivers of webhooks say.

-- Messages that receivers of webhooks sent us, each taken once.
CREATE TABLE callbacks (
  target_id UUID NOT NULL REFERENCES targets (id),
  message TEXT NOT NULL,
  taken_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (target_id, message)
);
CREATE INDEX callbacks_taken ON callbacks (taken_at);
