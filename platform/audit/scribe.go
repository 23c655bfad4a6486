package audit

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// Scribe is an http.ResponseWriter that logs before the first byte of an answer leaves: what cannot be logged is not
// shown.
type Scribe struct {
	http.ResponseWriter
	Log    func(status int) error                 // is called once, with the answer's status
	Refuse func(w http.ResponseWriter, err error) // answers in place of what could not be logged

	begun, refused bool
}

// WriteHeader logs, and begins the answer.
func (s *Scribe) WriteHeader(status int) {
	if !s.begun {
		s.begun = true
		if err := s.Log(status); err != nil {
			s.refused = true
			h := s.Header()
			for name := range h {
				if !slices.Contains([]string{"Cache-Control", "X-Content-Type-Options"}, name) {
					h.Del(name)
				}
			}
			s.Refuse(s.ResponseWriter, err)
		}
	}
	if !s.refused {
		s.ResponseWriter.WriteHeader(status)
	}
}

// Write passes the answer on.
func (s *Scribe) Write(p []byte) (int, error) {
	if !s.begun {
		s.WriteHeader(http.StatusOK)
	}
	if s.refused {
		return len(p), nil
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *Scribe) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Looks tells whether by an action somebody sees or takes data of people, without changing it.
func (a Action) Looks() bool { return slices.Contains(Accesses(), a) }

// Visit is what somebody did on a page or by the API, before it is written down.
type Visit struct {
	Entry          // without About
	About []string // the persons whose data was shown or changed; what one sees of oneself is no entry
}

// Once is how long the same look by the same person counts as one.
const Once = 5 * time.Minute

// Visited records a visit: an entry for each person it was about, and one where it was about nobody in particular.
// Looks are recorded once in a while; exports and changes each time.
func (l *Log) Visited(ctx context.Context, org int64, v Visit) error {
	look, me, denied := v.Action.Looks(), actorRef(v.Actor), v.Result == Denied
	var entries []Entry
	for _, who := range v.About {
		if look && who == me {
			continue
		}
		e := v.Entry
		e.About = who
		entries = append(entries, e)
	}
	if len(entries) == 0 && (len(v.About) == 0 || !aboutOneself(v.Action)) {
		entries = append(entries, v.Entry)
	}
	if look && v.Action != ExportMade || denied {
		return l.RecordOnce(ctx, org, Once, entries...)
	}
	return l.Record(ctx, org, entries...)
}

// aboutOneself are looks that show nobody else when they are about oneself. A list of one's own calls has other people's
// numbers in it.
func aboutOneself(a Action) bool { return a == PersonOpened }
