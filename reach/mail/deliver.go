package mail

import (
	"context"
	"time"

	"parley/platform/db"
)

// batch is how many mails are read at once.
const batch = 20

// waits are the pauses after failed attempts. After the last the mail is given up: by then its link has expired, too.
func waits() []time.Duration {
	return []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour}
}

// longestRest is how long Run waits at most before it looks again. Mails may have been kept by a command in between.
const longestRest = time.Hour

// Run delivers mails until ctx ends. failed is told of each round that could not be carried out; a mail that was not
// delivered is no such failure.
func (m *Mailer) Run(ctx context.Context, failed func(error)) {
	for {
		next, err := m.Deliver(ctx)
		if err != nil && ctx.Err() == nil {
			failed(err)
			next = m.now().Add(time.Minute)
		}
		rest := time.NewTimer(min(longestRest, max(time.Second, next.Sub(m.now()))))
		select {
		case <-ctx.Done():
			rest.Stop()
			return
		case <-m.wake:
			rest.Stop()
		case <-rest.C:
		}
	}
}

// Deliver tries every mail that is due, and tells when the next will be. Without a mail server nothing is due.
func (m *Mailer) Deliver(ctx context.Context) (next time.Time, err error) {
	if !m.Configured() {
		return m.now().Add(longestRest), nil
	}
	for {
		due, err := db.Select(ctx, m.db, m.scan(ctx), `SELECT `+columns+` FROM mails WHERE state = 'waiting' AND next_ms <= $1
			ORDER BY next_ms, id LIMIT $2`, m.now().UnixMilli(), batch)
		if err != nil {
			return time.Time{}, err
		}
		for i := range due {
			if err := m.try(ctx, &due[i]); err != nil {
				return time.Time{}, err
			}
		}
		if len(due) < batch {
			return m.nextDue(ctx)
		}
	}
}

func (m *Mailer) nextDue(ctx context.Context) (time.Time, error) {
	var ms int64
	err := m.db.Row(ctx, `SELECT COALESCE(MIN(next_ms), 0) FROM mails WHERE state = 'waiting'`).Scan(&ms)
	if ms == 0 {
		return m.now().Add(longestRest), err
	}
	return time.UnixMilli(ms), err
}

// try hands one mail to the server and keeps what came of it. The error is about our own table.
func (m *Mailer) try(ctx context.Context, s *Sent) error {
	refused := m.server.send(ctx, s)
	if ctx.Err() != nil { // the program stops: the attempt does not count
		return ctx.Err()
	}
	now, state, next, ended := m.now(), Done, int64(0), int64(0)
	pauses := waits()
	switch {
	case refused == nil:
		ended = now.UnixMilli()
	case refused.temporary && s.Attempts < len(pauses):
		state, next = Waiting, now.Add(pauses[s.Attempts]).UnixMilli()
	default:
		state, ended = Failed, now.UnixMilli()
	}
	_, err := m.db.Exec(ctx, `UPDATE mails SET state = $3, attempts = attempts + 1, next_ms = $4, ended_ms = $5, sentence = $6 WHERE org_id = $1 AND id = $2`,
		s.Org, s.ID, state, next, ended, refused.sentence())
	return err
}
