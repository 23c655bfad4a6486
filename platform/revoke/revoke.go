// Package revoke keeps the journal of access that was taken away: phones unpaired, tokens revoked, passwords changed, members
// who left, roles and teams that were made less. A backup from before knows nothing of that; whoever restores one learns
// from the journal what must not come back with it. A copy lies beside backups, as that of destroyed keys does.
//
// It names organisations by number and members, tokens and phones by their ids, and nobody by name. A line is on disk before
// the change is: when the change fails after all, a restore takes away more than it should and never less.
package revoke

import (
	"bufio"
	"bytes"
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/platform/fault"
	"parley/platform/journal"
)

// FileName is the journal's, in the data folder and beside backups.
const FileName = "revoked.log"

// Kept is how long an entry is kept: no backup opens for longer.
const Kept = 31 * 24 * time.Hour

// What was taken away, or settled anew.
type What string

// The kinds of entries. ID is that of the token, the phone or the member.
const (
	Token    What = "token"    // it ended
	Phone    What = "phone"    // its token ended: it was unpaired or paired anew
	Password What = "password" // the member's person has another
	Member   What = "member"   // Now says whether they are In or Out
	Role     What = "role"     // Now is the role
	Teams    What = "teams"    // Now are the ids of the teams, with commas between; None for no team
)

// The states of a member, and no team at all.
const (
	In   = "in"
	Out  = "out"
	None = "-"
)

// Entry is one line.
type Entry struct {
	At   time.Time
	Org  int64
	What What
	ID   string
	Now  string // see the kinds; None where a kind has none
}

func (e Entry) line() string {
	return strings.Join([]string{e.At.UTC().Format(journal.Stamp), strconv.FormatInt(e.Org, 10), string(e.What), e.ID, cmp.Or(e.Now, None)}, " ") + "\n"
}

// Journal is that of one installation. A nil one keeps nothing.
type Journal struct{ file *journal.File }

// InFolder gives the journal of a data folder.
func InFolder(dir string) *Journal { return &Journal{journal.At(filepath.Join(dir, FileName))} }

// Note writes entries down.
func (j *Journal) Note(entries ...Entry) error {
	if j == nil || len(entries) == 0 {
		return nil
	}
	var b bytes.Buffer
	for _, e := range entries {
		b.WriteString(e.line())
	}
	if err := j.file.Add(b.Bytes()); err != nil {
		return fault.Wrap(fault.Unavailable, err, "The journal %s cannot be written to, so nothing was changed. Check that it belongs to the user who runs Parley.", j.file.Path())
	}
	return nil
}

// File is the journal as it stands, to be laid beside backups.
func (j *Journal) File() ([]byte, error) {
	if j == nil {
		return nil, nil
	}
	return j.file.Read()
}

// Forget strikes out what is older than any backup that opens.
func (j *Journal) Forget(now time.Time) error {
	if j == nil {
		return nil
	}
	return j.file.Change(func(raw []byte) ([]byte, error) {
		list, err := Read(raw)
		if err != nil {
			return nil, err
		}
		young := slices.DeleteFunc(slices.Clone(list), func(e Entry) bool { return now.Sub(e.At) > Kept })
		if len(young) == len(list) {
			return raw, nil
		}
		return Write(young), nil
	})
}

// Read reads a journal. A last line that was cut off in the middle is left out: the change was not made.
func Read(raw []byte) (list []Entry, err error) {
	lines := bufio.NewScanner(bytes.NewReader(journal.Whole(raw)))
	for n := 1; lines.Scan(); n++ {
		e, ok := parse(strings.Fields(lines.Text()))
		if !ok {
			return nil, fault.New(fault.Invalid, "Line %d of the journal %s cannot be read, so it is not known whose access has ended. Use an undamaged copy of it.", n, FileName)
		}
		list = append(list, e)
	}
	return list, lines.Err()
}

func parse(words []string) (e Entry, ok bool) {
	if len(words) != 5 {
		return e, false
	}
	var atErr, orgErr error
	e.At, atErr = time.Parse(journal.Stamp, words[0])
	e.Org, orgErr = strconv.ParseInt(words[1], 10, 64)
	e.What, e.ID, e.Now = What(words[2]), words[3], words[4]
	known := slices.Contains([]What{Token, Phone, Password, Member, Role, Teams}, e.What)
	return e, known && atErr == nil && orgErr == nil
}

// Write makes a journal of entries.
func Write(list []Entry) []byte {
	var b bytes.Buffer
	for _, e := range list {
		b.WriteString(e.line())
	}
	return b.Bytes()
}

// Join puts several journals of one installation together, oldest entry first, each entry once.
func Join(lists ...[]Entry) []Entry {
	out := slices.Concat(lists...)
	slices.SortStableFunc(out, func(a, b Entry) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.line(), b.line())) })
	return slices.CompactFunc(out, func(a, b Entry) bool { return a.line() == b.line() })
}

// Since gives the newest entry about each thing, of those that were written at a time or later.
func Since(list []Entry, at time.Time) []Entry {
	type thing struct {
		org  int64
		what What
		id   string
	}
	at = at.Truncate(time.Millisecond)
	newest := map[thing]int{}
	var out []Entry
	for _, e := range Join(list) {
		if e.At.Before(at) {
			continue
		}
		key := thing{e.Org, e.What, e.ID}
		if i, ok := newest[key]; ok {
			out[i] = e
			continue
		}
		newest[key] = len(out)
		out = append(out, e)
	}
	return out
}
