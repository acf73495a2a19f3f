-- What the receivers of webhooks say.

-- Messages that receivers of webhooks sent us, each taken once.
CREATE TABLE callbacks (
  target_id BLOB NOT NULL REFERENCES targets (id) CHECK (length(target_id) = 16),
  message TEXT NOT NULL,
  taken_at INTEGER NOT NULL,
  PRIMARY KEY (target_id, message)
) STRICT;
CREATE INDEX callbacks_taken ON callbacks (taken_at);
