package web

import (
	"context"
	"sync"
	"time"

	"parley/account"
	"parley/calls/ingest"
	"parley/calls/logfile"
	"parley/crm/intake"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/platform/spool"
)

// Bounds of files that wait for their settings.
const (
	maxUpload  = 4 << 30
	stagedLife = 2 * time.Hour
	maxStaged  = 8 // of one member
)

// staged is a file that has arrived and waits for its reader to say how it is to be imported.
type staged struct {
	id    string
	org   account.OrgID
	by    account.MemberID
	name  string
	at    time.Time
	file  *spool.File
	guess *logfile.Guess
	// spec is how it was tried last; nil before.
	spec *ingest.ImportSpec
	look *intake.Guess // of a list of contacts or leads
	take *intake.Spec
	busy int // imports that read it now
	gone bool
}

// staging keeps such files, and the imports that run, so that they can be stopped. Both end with the program.
type staging struct {
	mu      sync.Mutex
	files   map[string]*staged
	running map[string]context.CancelFunc // by import
	tried   map[string]string             // import → staged file
}

func newStaging() *staging {
	return &staging{files: map[string]*staged{}, running: map[string]context.CancelFunc{}, tried: map[string]string{}}
}

// add keeps a file and lets old ones go.
func (s *staging) add(f *staged) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.id = id.New("fil")
	s.files[f.id] = f
	mine, oldest := 0, f
	for _, o := range s.files {
		if f.at.Sub(o.at) > stagedLife {
			s.drop(o)
			continue
		}
		if o.org == f.org && o.by == f.by {
			if mine++; o.at.Before(oldest.at) {
				oldest = o
			}
		}
	}
	if mine > maxStaged {
		s.drop(oldest)
	}
	return f.id
}

// drop forgets a file, at once or when the last import that reads it ends.
func (s *staging) drop(f *staged) {
	delete(s.files, f.id)
	if f.gone = true; f.busy == 0 {
		_ = f.file.Close() // it has no name any more, so the system takes it back in any case
	}
}

// get finds a file of a member.
func (s *staging) get(a *account.Actor, id string) (*staged, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[id]
	if !ok || f.org != a.Org.ID || f.by != a.Member.ID {
		return nil, fault.New(fault.NotFound, "This file is not here any more: files wait two hours, and no longer than the server runs. Drop it again.")
	}
	return f, nil
}

// begin notes that an import reads a file; the returned function ends it and forgets the file when it is done with.
func (s *staging) begin(f *staged) (end func(keep bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.busy++
	return func(keep bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		f.busy--
		if f.gone && f.busy == 0 {
			_ = f.file.Close()
		}
		if !f.gone && !keep {
			s.drop(f)
		}
	}
}

// started remembers how to stop an import and which file it reads.
func (s *staging) started(imported string, f *staged, stop context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[imported] = stop
	s.tried[imported] = f.id
}

func (s *staging) ended(imported string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, imported)
}

// stop stops an import that runs here, and tells whether it did.
func (s *staging) stop(imported string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	stop, ok := s.running[imported]
	if ok {
		stop()
	}
	return ok
}

// of is the file that an import read, "" when it is gone.
func (s *staging) of(imported string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.tried[imported]; s.files[f] != nil {
		return f
	}
	return ""
}
