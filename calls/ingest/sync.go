package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/phone"
	"parley/trust/freetext"
)

// Code is a code of Android's call log, or our word for it; JSON may write it as a number or as text.
type Code string

// UnmarshalJSON reads a number or text.
func (c *Code) UnmarshalJSON(b []byte) error { return unmarshalText(b, (*string)(c)) }

// Moment is a time as RFC 3339 or as Unix milliseconds; JSON may write the latter as a number or as text.
type Moment string

// UnmarshalJSON reads a number or text.
func (m *Moment) UnmarshalJSON(b []byte) error { return unmarshalText(b, (*string)(m)) }

func unmarshalText(b []byte, to *string) error {
	if len(b) > 0 && b[0] != '"' {
		var n json.Number
		if err := json.Unmarshal(b, &n); err != nil {
			return err
		}
		*to = n.String()
		return nil
	}
	return json.Unmarshal(b, to)
}

// SyncCall is one call as a phone sends it.
type SyncCall struct {
	ClientKey    string        `json:"client_key,omitempty"` // the phone's own key of the call, the same each time it is sent
	Line         device.LineID `json:"line,omitempty"`
	SIM          string        `json:"sim,omitempty"` // instead of line: the SIM's id or slot as given at pairing
	Number       string        `json:"number,omitempty"`
	Presentation Code          `json:"presentation,omitempty"`
	Type         Code          `json:"type,omitempty"`
	Direction    string        `json:"direction,omitempty"` // where the type says none
	Start        Moment        `json:"start"`
	Seconds      int           `json:"seconds"`
	Name         string        `json:"name,omitempty"` // contact name as the phone logged it
	Note         string        `json:"note,omitempty"`
}

// Batch is what a phone sends at once.
type Batch struct {
	Calls   []SyncCall
	Waiting *int // calls that are left on the phone after these; nil = not said
}

// SyncAnswer is what became of one call of a batch.
type SyncAnswer struct {
	Answer
	ClientKey string
	ID        string // the call's public name, when it is stored
	Number    string // the canonical number as kept, for the phone's digest; "" when withheld or excluded
}

// Limits of the texts of a call.
const (
	maxClientKey = 64
	maxName      = 200    // characters; longer names are cut
	maxNote      = 10_000 // characters
)

// Sync stores the calls that a phone sends and answers each in order, after the commit. Order and repetition do not
// matter; a late call goes to whoever held its line when it took place. A call that cannot be stored is refused alone.
func (w *Writer) Sync(ctx context.Context, devices *device.Devices, org *account.Org, dev *device.Device, b Batch) ([]SyncAnswer, error) {
	if len(b.Calls) > device.MaxBatch {
		return nil, fault.New(fault.TooLarge, "A batch may hold %d calls; %d were sent. Send them in parts.", device.MaxBatch, len(b.Calls))
	}
	holders, err := devices.Holders(ctx, org)
	if err != nil {
		return nil, err
	}
	s := syncing{org: org, dev: dev, holders: holders}
	out := make([]SyncAnswer, len(b.Calls))
	items, at := make([]Item, 0, len(b.Calls)), make([]int, 0, len(b.Calls))
	for i := range b.Calls {
		out[i].ClientKey = b.Calls[i].ClientKey
		it, err := s.item(&b.Calls[i])
		if err != nil {
			out[i].Answer = Answer{State: Refused, Reason: fault.Sentence(err)}
			continue
		}
		items, at = append(items, it), append(at, i)
	}
	var answers []Answer
	err = w.submit(ctx, len(items), func(ctx context.Context, u *unit) (err error) {
		if answers, err = u.put(ctx, org, items, nil); err != nil {
			return err
		}
		return devices.Synced(ctx, u.tx, dev, len(b.Calls), b.Waiting, newest(items, w.now()))
	})
	if err != nil {
		return nil, err
	}
	for j, i := range at {
		out[i].fill(org.ID, answers[j], items[j].Number)
	}
	return out, nil
}

func (a *SyncAnswer) fill(org account.OrgID, answer Answer, canonical string) {
	a.Answer = answer
	switch answer.State {
	case New, Known, Changed:
		a.ID, a.Number = answer.Key.ID(org), canonical
	}
}

// newest is the start of the newest call that is not in the future.
func newest(items []Item, now time.Time) (t time.Time) {
	for i := range items {
		if at := items[i].Start; at.After(t) && !at.After(now) {
			t = at
		}
	}
	return t
}

// syncing turns what one phone sends into items.
type syncing struct {
	org     *account.Org
	dev     *device.Device
	holders *device.Holders
}

func (s *syncing) item(c *SyncCall) (Item, error) {
	line, err := s.dev.Line(c.Line, c.SIM)
	if err != nil {
		return Item{}, err
	}
	return s.itemOn(line, c)
}

// itemOn is a call on a settled line.
func (s *syncing) itemOn(line call.LineNo, c *SyncCall) (Item, error) {
	start, err := c.Start.time()
	if err != nil {
		return Item{}, err
	}
	if len(c.ClientKey) > maxClientKey {
		return Item{}, fault.Field("client_key", "The client key has %d bytes; at most %d fit. A hash in hexadecimal does.", len(c.ClientKey), maxClientKey)
	}
	if n := utf8.RuneCountInString(c.Note); n > maxNote {
		return Item{}, fault.Field("note", "The note has %d characters; at most %d fit. Shorten it.", n, maxNote)
	}
	agent, ok := s.holders.At(line, start)
	if !ok {
		return Item{}, fault.New(fault.Invalid, "Nobody held the line when the call took place. Give the line an agent first.")
	}
	it := Item{
		Agent: agent, Line: line, Start: start, Seconds: c.Seconds, Source: call.SourcePhone,
		Type: readType(c.Type, c.Direction), Name: cut(strings.TrimSpace(c.Name), maxName), Note: freetext.Mask(strings.TrimSpace(c.Note)), Ref: refOf(c.ClientKey),
	}
	if it.Direction = it.Type.Direction(); it.Type == call.TypeUnknown {
		it.Direction = readDirection(c.Direction)
	}
	it.Number, it.Presentation = readNumber(c.Number, c.Presentation, s.org.Country)
	return it, nil
}

// cut shortens text to at most n characters of valid UTF-8.
func cut(text string, n int) string {
	text = strings.ToValidUTF8(text, "")
	if r := []rune(text); len(r) > n {
		return string(r[:n])
	}
	return text
}

func (m Moment) time() (time.Time, error) {
	text := strings.TrimSpace(string(m))
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fault.Field("start", "%q is no time. Write it as RFC 3339, for example 2026-04-15T12:00:00+05:30, or in milliseconds since 1970.", cut(text, 40))
	}
	return t, nil
}

// readType reads a type's code or word; without one, the direction stands in for it.
func readType(c Code, direction string) call.Type {
	text := strings.TrimSpace(string(c))
	if text == "" {
		switch readDirection(direction) {
		case call.Incoming:
			return call.TypeIncoming
		case call.Outgoing:
			return call.TypeOutgoing
		}
		return call.TypeUnknown
	}
	if code, err := strconv.Atoi(text); err == nil {
		return call.TypeOf(code)
	}
	t, _ := call.ParseType(text)
	return t
}

func readDirection(word string) call.Direction {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "incoming", "in", "1":
		return call.Incoming
	case "outgoing", "out", "2":
		return call.Outgoing
	default:
		return call.NoDirection
	}
}

func readPresentation(c Code) call.Presentation {
	text := strings.TrimSpace(string(c))
	if code, err := strconv.Atoi(text); err == nil {
		return call.PresentationOf(code)
	}
	for p := call.PresentationAllowed; p <= call.PresentationUnavailable; p++ {
		if strings.EqualFold(p.String(), text) {
			return p
		}
	}
	return call.PresentationUnsaid
}

// readNumber reads a number and how it was presented. Phones write several codes and words where the network showed
// none; such calls are kept without a number.
func readNumber(raw string, presentation Code, country string) (string, call.Presentation) {
	p, why := readPresentation(presentation), withheld(raw)
	if why == call.PresentationUnsaid {
		return phone.Parse(raw, country).Canonical(), p
	}
	if p == call.PresentationUnsaid {
		p = why
	}
	return "", p
}

// withheld says why there is no number where one should stand; PresentationUnsaid means that there is one.
func withheld(raw string) call.Presentation {
	switch strings.Trim(strings.ToLower(strings.TrimSpace(raw)), "()") {
	case "", "-1", "unknown", "null":
		return call.PresentationUnknown
	case "-2", "private", "restricted", "anonymous":
		return call.PresentationRestricted
	case "-3", "payphone":
		return call.PresentationPayphone
	default:
		return call.PresentationUnsaid
	}
}

// refOf is the reference under which a call is known to its phone: 48 bits of its client key's hash, which within one
// agent's day leaves no room for accidents. 0 means the phone gave no key.
func refOf(clientKey string) int64 {
	if clientKey == "" {
		return 0
	}
	h := sha256.Sum256([]byte(clientKey))
	var ref int64
	for _, b := range h[:6] {
		ref = ref<<8 | int64(b)
	}
	return max(ref, 1)
}

// CallRef says which stored call a phone means: by the call's id, or by line, client key and start as it sent them.
type CallRef struct {
	ID        string        `json:"id,omitempty"`
	Line      device.LineID `json:"line,omitempty"`
	SIM       string        `json:"sim,omitempty"`
	ClientKey string        `json:"client_key,omitempty"`
	Start     Moment        `json:"start,omitempty"` // any time of the call's day
}

// Correction is what a stored call should have been.
type Correction struct {
	CallRef
	Call SyncCall // its line is not read: a call stays on its line
}

// CorrectCalls replaces stored calls of the phone's own lines, which keep their notes and tags. Nothing is changed when
// one of them is not there or not the phone's.
func (w *Writer) CorrectCalls(ctx context.Context, devices *device.Devices, org *account.Org, dev *device.Device, corrections []Correction) ([]SyncAnswer, error) {
	refs := make([]CallRef, len(corrections))
	for i, c := range corrections {
		refs[i] = c.CallRef
	}
	holders, keys, err := w.find(ctx, devices, org, dev, refs)
	if err != nil {
		return nil, err
	}
	s := syncing{org: org, dev: dev, holders: holders}
	out := make([]SyncAnswer, len(corrections))
	err = w.submit(ctx, len(corrections), func(ctx context.Context, u *unit) error {
		for i := range corrections {
			c := &corrections[i].Call
			out[i] = SyncAnswer{ClientKey: c.ClientKey}
			it, err := s.itemOn(keys[i].Line, c)
			if err != nil {
				out[i].Answer = Answer{State: Refused, Reason: fault.Sentence(err)}
				continue
			}
			answer, err := u.correct(ctx, org, keys[i], it)
			if err != nil {
				return err
			}
			out[i].fill(org.ID, answer, it.Number)
		}
		return nil
	})
	return out, err
}

// DeleteCalls removes stored calls of the phone's own lines. Nothing is removed when one of them is not there or not the
// phone's.
func (w *Writer) DeleteCalls(ctx context.Context, devices *device.Devices, org *account.Org, dev *device.Device, refs []CallRef) error {
	_, keys, err := w.find(ctx, devices, org, dev, refs)
	if err != nil {
		return err
	}
	_, err = w.Delete(ctx, org, keys)
	return err
}

// find gives the keys of the calls that a phone means.
func (w *Writer) find(ctx context.Context, devices *device.Devices, org *account.Org, dev *device.Device, refs []CallRef) (*device.Holders, []call.Key, error) {
	if len(refs) > device.MaxBatch {
		return nil, nil, fault.New(fault.TooLarge, "A request may name %d calls; %d were named. Send them in parts.", device.MaxBatch, len(refs))
	}
	holders, err := devices.Holders(ctx, org)
	if err != nil {
		return nil, nil, err
	}
	keys := make([]call.Key, len(refs))
	err = w.db.Read(ctx, func(tx *db.Tx) error {
		for i := range refs {
			var err error
			if keys[i], err = refs[i].find(ctx, tx, org, dev, holders); err != nil {
				return err
			}
		}
		return nil
	})
	return holders, keys, err
}

func (r *CallRef) find(ctx context.Context, tx *db.Tx, org *account.Org, dev *device.Device, holders *device.Holders) (call.Key, error) {
	if r.ID != "" {
		k, err := call.ParseID(org.ID, r.ID)
		if err != nil {
			return k, err
		}
		_, ok, err := call.RowByKey(ctx, tx, org.ID, k)
		if err == nil && (!ok || !dev.Has(k.Line)) {
			err = fault.New(fault.NotFound, "There is no call %q on this phone's lines. It may have been deleted.", r.ID)
		}
		return k, err
	}
	line, err := dev.Line(r.Line, r.SIM)
	if err != nil {
		return call.Key{}, err
	}
	start, err := r.Start.time()
	if err != nil {
		return call.Key{}, err
	}
	if r.ClientKey == "" {
		return call.Key{}, fault.Field("client_key", "Say which call is meant: by its id, or by its client key with line and start.")
	}
	var found *call.Key
	where := call.Where(org.ID).And(`day = ?`, civil.DayOf(start, org.Location())).Agents(holders.Of(line)).And(`line = ?`, line).And(`ref = ?`, refOf(r.ClientKey))
	err = call.Each(ctx, tx, where, "", func(row *call.Row) error {
		k := row.Key
		found = &k
		return nil
	})
	if err == nil && found == nil {
		err = fault.New(fault.NotFound, "There is no call with the client key %q on that line and day. It may have been deleted.", cut(r.ClientKey, maxClientKey))
	}
	if err != nil {
		return call.Key{}, err
	}
	return *found, nil
}
