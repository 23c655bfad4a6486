package ingest

import (
	"context"
	"encoding/json"
	"strings"

	"parley/account"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/phone"
)

// scrubbed is what stays of a row that was not taken once the person in it was erased.
const scrubbed = "The row had the number of a person whose data was erased since."

// scrubRejects blanks the rows that imports did not take and that have one of the numbers, however written. Their places
// stay, so that counts do.
func (u *unit) scrubRejects(ctx context.Context, org account.OrgID, texts map[number.ID]string) (rows int64, err error) {
	ends := newEndings(texts)
	keys, err := u.w.keys.Org(ctx, int64(org))
	if err != nil {
		return 0, err
	}
	type part struct {
		no     int64
		part   int
		sealed []byte
	}
	parts, err := db.Select(ctx, u.tx, func(r db.Scanner) (p part, err error) { return p, r.Scan(&p.no, &p.part, &p.sealed) },
		`SELECT no, part, sealed FROM import_rejects WHERE org_id = $1`, org)
	if err != nil {
		return 0, err
	}
	for _, p := range parts {
		plain, err := keys.Open(rejectsField, p.sealed)
		if err != nil {
			return rows, err
		}
		if !ends.in(string(plain)) {
			continue
		}
		var all []reject
		if err := json.Unmarshal(plain, &all); err != nil {
			return rows, err
		}
		for i := range all {
			if r := &all[i]; ends.in(r.Value) || ends.in(r.Reason) || ends.in(r.File) {
				*r = reject{Row: r.Row, Column: r.Column, Reason: scrubbed, Skipped: r.Skipped}
				rows++
			}
		}
		if plain, err = json.Marshal(all); err != nil {
			return rows, err
		}
		if _, err := u.tx.Exec(ctx, `UPDATE import_rejects SET sealed = $4 WHERE org_id = $1 AND no = $2 AND part = $3`, org, p.no, p.part,
			keys.Seal(rejectsField, plain)); err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// endings finds numbers in text by their last digits, since people write the beginning in many ways.
type endings struct {
	longest int
	digits  map[string]bool
}

// endDigits are enough to know a number by within one file.
const endDigits = 8

func newEndings(texts map[number.ID]string) endings {
	e := endings{digits: map[string]bool{}}
	for _, text := range texts {
		d := phone.Digits(text)
		if d = d[max(0, len(d)-endDigits):]; d != "" {
			e.digits[d] = true
			e.longest = max(e.longest, len(d))
		}
	}
	return e
}

// in tells whether a run of digits, in which blanks, dots, hyphens and brackets do not count, ends like one of the numbers.
func (e endings) in(text string) bool {
	var run strings.Builder
	found := func() bool {
		d := run.String()
		run.Reset()
		for n := min(len(d), e.longest); n > 0; n-- {
			if e.digits[d[len(d)-n:]] && (n == endDigits || n == len(d)) {
				return true
			}
		}
		return false
	}
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			run.WriteRune(r)
		case strings.ContainsRune(" .-()/\u00a0", r):
		default:
			if found() {
				return true
			}
		}
	}
	return found()
}
