package device

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
)

// Pairing codes are typed by hand: letters and digits that cannot be taken for each other, read in any case. Eight of
// twenty make 2.56e10 codes, of which all guessers together may try a thousand in a code's life.
const (
	codeAlphabet   = "3479ACDEFHJKMNPRTWXY"
	codeLength     = 8
	codeLife       = 10 * time.Minute
	wrongCodesFrom = 10   // per network address
	wrongCodesAll  = 1000 // together
	codeField      = "pairing code"
	attemptField   = "pairing attempts"
	installField   = "device install"
)

func newCode() string {
	out := make([]byte, 0, codeLength)
	var b [1]byte
	for len(out) < codeLength {
		_, _ = rand.Read(b[:]) // never fails, see crypto/rand
		if b[0] < 240 {        // 12 × 20: every letter equally likely
			out = append(out, codeAlphabet[int(b[0])%len(codeAlphabet)])
		}
	}
	return string(out)
}

func cleanCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(codeAlphabet, r) {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

// PairingCode makes a code, such as "ACD4-RTX9", with which one phone can be paired for an agent within ten minutes. An
// agent's earlier code is void.
func (s *Devices) PairingCode(ctx context.Context, org *account.Org, agent account.AgentNo) (code string, expires time.Time, err error) {
	k, err := s.keys.Org(ctx, 0) // the installation's: who types a code has said no organisation
	if err != nil {
		return "", time.Time{}, err
	}
	code, now := newCode(), s.now()
	expires = now.Add(codeLife)
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		if err := checkAgent(ctx, tx, org.ID, agent); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM pairing_codes WHERE expires_ms <= $3 OR (org_id = $1 AND agent = $2)`, org.ID, agent, now.UnixMilli()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO pairing_codes (code_key, org_id, agent, expires_ms) VALUES ($1, $2, $3, $4)`,
			k.Index(codeField, code), org.ID, agent, expires.UnixMilli())
		return err
	})
	return code[:4] + "-" + code[4:], expires, err
}

// SIM is one SIM as a phone describes it.
type SIM struct {
	Slot           int    // 1 is SIM 1; 0 = not known
	SubscriptionID string // as the phone names it in its call log
	Number         string // as the phone has it; often empty
	Label          string
}

// PairRequest is how a phone introduces itself.
type PairRequest struct {
	InstallID  string // made once by the app, so that the same phone is known again
	Name       string // may be empty: the model then
	Model      string
	OS         string
	AppVersion string
	SIMs       []SIM  // none = one SIM of which nothing is known
	From       string // network address, for the throttle
}

const (
	maxInstallID = 128
	maxSIMs      = 8
	maxWord      = 64 // characters of what a phone says about itself
)

func word(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if r := []rune(s); len(r) > maxWord {
		return string(r[:maxWord])
	}
	return s
}

func (p *PairRequest) check() error {
	if p.InstallID == "" || len(p.InstallID) > maxInstallID {
		return fault.Field("install_id", "Send an id of this installation, made once at random, of at most %d characters.", maxInstallID)
	}
	return checkSIMs(p.SIMs)
}

func checkSIMs(sims []SIM) error {
	if len(sims) > maxSIMs {
		return fault.Field("sims", "A phone can have %d SIMs; %d were listed.", maxSIMs, len(sims))
	}
	for i, sim := range sims {
		if err := checkSlot(sim.Slot); err != nil {
			return err
		}
		if len(sim.SubscriptionID) > maxWord {
			return fault.Field("sims", "The subscription id of SIM %d is longer than %d characters.", i+1, maxWord)
		}
	}
	return nil
}

// Pair makes a phone known for the agent whose code it gives, and returns the token it signs in with from then on. Its
// SIMs become the agent's lines: by number where the phone knows it, else by slot. A phone that reported for one of
// these lines before does so no longer, and is unpaired when no line is left to it.
func (s *Devices) Pair(ctx context.Context, code string, p PairRequest) (d *Device, token string, err error) {
	if err := p.check(); err != nil {
		return nil, "", err
	}
	attempts, err := s.attempts(ctx, p.From)
	if err != nil {
		return nil, "", err
	}
	install, err := s.keys.Org(ctx, 0)
	if err != nil {
		return nil, "", err
	}
	wrong := false
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		org, agent, err := s.redeem(ctx, tx, install.Index(codeField, cleanCode(code)))
		if wrong = fault.KindOf(err) == fault.Invalid; err != nil {
			return err
		}
		token = newToken(org.ID)
		d, err = s.pair(ctx, tx, org, agent, token, p)
		return err
	})
	if wrong {
		err = errorsOr(s.countWrong(ctx, attempts), err)
	}
	if err != nil {
		return nil, "", err
	}
	return d, token, nil
}

func errorsOr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// redeem uses a code up and tells for whom it was made.
func (s *Devices) redeem(ctx context.Context, tx *db.Tx, key []byte) (*account.Org, account.AgentNo, error) {
	type made struct {
		org     account.OrgID
		agent   account.AgentNo
		expires int64
	}
	m, ok, err := db.One(ctx, tx, func(r db.Scanner) (m made, err error) { return m, r.Scan(&m.org, &m.agent, &m.expires) },
		`DELETE FROM pairing_codes WHERE code_key = $1 RETURNING org_id, agent, expires_ms`, key)
	if err != nil {
		return nil, 0, err
	}
	if !ok || m.expires <= s.now().UnixMilli() {
		return nil, 0, fault.Field("code", "This pairing code is not valid: it was mistyped, used already, or is older than ten minutes. Ask for a new one.")
	}
	org, err := s.accounts.Org(ctx, m.org)
	return org, m.agent, err
}

func (s *Devices) pair(ctx context.Context, tx *db.Tx, org *account.Org, agent account.AgentNo, token string, p PairRequest) (*Device, error) {
	if err := checkAgent(ctx, tx, org.ID, agent); err != nil {
		return nil, err
	}
	k, err := s.keys.Org(ctx, int64(org.ID))
	if err != nil {
		return nil, err
	}
	install := k.Index(installField, p.InstallID)
	name := cmp.Or(word(p.Name), word(p.Model), "Phone")
	device := id.New("dev")
	if _, err := tx.Exec(ctx, `INSERT INTO devices (org_id, id, agent, name, install_key, token_hash, paired_ms, unpaired_ms, seen_ms, synced_ms,
			complete_ms, last_call_ms, waiting, app_version, os, model, battery, skew_ms, permissions)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 0, $8, $9, $10, NULL, 0, '')
		ON CONFLICT (org_id, install_key) DO UPDATE SET agent = excluded.agent, token_hash = excluded.token_hash, paired_ms = excluded.paired_ms,
			unpaired_ms = 0, app_version = excluded.app_version, os = excluded.os, model = excluded.model`,
		org.ID, device, agent, name, install, id.Hash(token), s.now().UnixMilli(), word(p.AppVersion), word(p.OS), word(p.Model)); err != nil {
		return nil, err
	}
	if err := tx.Row(ctx, `SELECT id FROM devices WHERE org_id = $1 AND install_key = $2`, org.ID, install).Scan(&device); err != nil {
		return nil, err
	}
	if err := s.noteAway(org.ID, device); err != nil { // of the token that it had before
		return nil, err
	}
	if err := s.attach(ctx, tx, org, agent, device, p.SIMs, true); err != nil {
		return nil, err
	}
	return s.device(ctx, tx, org.ID, device)
}

// attach makes the SIMs of a phone its lines. Pairing adds lines for SIMs that are none yet, and refuses a SIM that is
// somebody else's; a heartbeat just follows the SIMs about, since a line that was archived must not come back by itself.
func (s *Devices) attach(ctx context.Context, tx *db.Tx, org *account.Org, agent account.AgentNo, device string, sims []SIM, pairing bool) error {
	if len(sims) == 0 && pairing {
		sims = []SIM{{}}
	}
	// SIMs with a number choose first: theirs is the surer claim.
	sims = slices.Clone(sims)
	slices.SortStableFunc(sims, func(a, b SIM) int { return cmp.Compare(b2i(a.Number == ""), b2i(b.Number == "")) })
	before, err := s.lines(ctx, tx, org.ID, `AND d.device_id = $2`, device)
	if err != nil {
		return err
	}
	lines, err := s.lines(ctx, tx, org.ID, `AND l.archived_ms = 0 AND l.agent = $2`, agent)
	if err != nil {
		return err
	}
	if !pairing {
		lines = before
	}
	// A SIM that says little keeps the line it had.
	slices.SortStableFunc(lines, func(a, b *Line) int { return cmp.Compare(b2i(a.Device != device), b2i(b.Device != device)) })
	m := matcher{s: s, org: org, agent: agent, device: device, pairing: pairing, lines: lines, taken: map[call.LineNo]bool{}}
	for _, sim := range sims {
		l, err := m.match(ctx, tx, sim)
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		m.taken[l.No] = true
		if err := s.put(ctx, tx, org.ID, device, l, sim); err != nil {
			return err
		}
	}
	for _, l := range before {
		if m.taken[l.No] {
			continue
		}
		if _, err := tx.Exec(ctx, `DELETE FROM device_lines WHERE org_id = $1 AND line = $2 AND device_id = $3`, org.ID, l.No, device); err != nil {
			return err
		}
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// matcher finds the lines that the SIMs of one phone are.
type matcher struct {
	s       *Devices
	org     *account.Org
	agent   account.AgentNo
	device  string
	pairing bool
	lines   []*Line // candidates for SIMs without a known number, the best first
	taken   map[call.LineNo]bool
}

// match finds the line that a SIM is, or adds one at pairing; nil means the SIM is no line.
func (m *matcher) match(ctx context.Context, tx *db.Tx, sim SIM) (*Line, error) {
	canonical, err := ownNumber(sim.Number, m.org.Country)
	if err != nil {
		canonical = "" // SIM cards carry odd texts where the number should be
	}
	if canonical != "" {
		l, ok, err := m.s.lineWith(ctx, tx, m.org.ID, canonical)
		switch {
		case err != nil:
			return nil, err
		case ok && (l.Agent == m.agent || !m.pairing && l.Device == m.device):
			return l, nil
		case ok && m.pairing:
			return nil, m.s.otherHolder(ctx, tx, m.org.ID, l)
		case ok:
			return nil, nil
		}
	}
	if l := m.bySlot(sim, canonical != ""); l != nil {
		return m.s.settle(ctx, tx, m.org, l, sim, canonical)
	}
	if !m.pairing {
		return nil, nil
	}
	return m.s.addLine(ctx, tx, m.org, NewLine{Agent: m.agent, Number: canonical, Label: word(sim.Label), SIMSlot: sim.Slot})
}

// bySlot finds the line in a SIM's slot, else one that could be in any. A line whose number is known is not the SIM that
// has another.
func (m *matcher) bySlot(sim SIM, numbered bool) *Line {
	var anywhere *Line
	for _, l := range m.lines {
		switch {
		case m.taken[l.No] || numbered && l.Number != "":
		case sim.Slot > 0 && l.SIMSlot == sim.Slot:
			return l
		case anywhere == nil && (l.SIMSlot == 0 || sim.Slot == 0):
			anywhere = l
		}
	}
	return anywhere
}

func (s *Devices) otherHolder(ctx context.Context, c db.Conn, org account.OrgID, l *Line) error {
	name, _, err := agentName(ctx, c, org, l.Agent)
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "A SIM in this phone is a line of %s. Move that line to the new holder first, then pair the phone with a new code.", name)
}

// settle writes what the SIM tells onto a line that lacked it.
func (s *Devices) settle(ctx context.Context, tx *db.Tx, org *account.Org, l *Line, sim SIM, canonical string) (*Line, error) {
	l.Number = cmp.Or(l.Number, canonical)
	l.Label = cmp.Or(l.Label, word(sim.Label))
	l.SIMSlot = cmp.Or(l.SIMSlot, sim.Slot)
	return l, s.writeLine(ctx, tx, org, l)
}

// put says that a line is a SIM of a phone, and unpairs the phone that had the line when no other is left to it.
func (s *Devices) put(ctx context.Context, tx *db.Tx, org account.OrgID, device string, l *Line, sim SIM) error {
	if _, err := tx.Exec(ctx, `INSERT INTO device_lines (org_id, line, device_id, slot, subscription) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org_id, line) DO UPDATE SET device_id = excluded.device_id, slot = excluded.slot, subscription = excluded.subscription`,
		org, l.No, device, sim.Slot, strings.TrimSpace(sim.SubscriptionID)); err != nil {
		return err
	}
	if l.Device == "" || l.Device == device {
		return nil
	}
	var left int
	if err := tx.Row(ctx, `SELECT count(*) FROM device_lines WHERE org_id = $1 AND device_id = $2`, org, l.Device).Scan(&left); err != nil || left > 0 {
		return err
	}
	return s.unpair(ctx, tx, org, l.Device)
}

// attempts refuses whoever gave too many wrong codes lately, and names the counters that one more wrong code adds to.
func (s *Devices) attempts(ctx context.Context, from string) ([2][]byte, error) {
	var keys [2][]byte
	k, err := s.keys.Org(ctx, 0)
	if err != nil {
		return keys, err
	}
	keys[0], keys[1] = k.Index(attemptField, "from "+from), k.Index(attemptField, "all")
	since := s.now().Add(-codeLife).UnixMilli()
	for i, limit := range [...]int{wrongCodesFrom, wrongCodesAll} {
		n, _, err := db.One(ctx, s.db, func(r db.Scanner) (n int, err error) { return n, r.Scan(&n) },
			`SELECT failures FROM pairing_attempts WHERE from_key = $1 AND since_ms > $2`, keys[i], since)
		if err != nil {
			return keys, err
		}
		if n >= limit {
			return keys, fault.New(fault.TooMany, "Too many wrong pairing codes were tried. Wait ten minutes and try again with a new code.")
		}
	}
	return keys, nil
}

func (s *Devices) countWrong(ctx context.Context, keys [2][]byte) error {
	now := s.now()
	since := now.Add(-codeLife).UnixMilli()
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM pairing_attempts WHERE since_ms <= $1`, since); err != nil {
			return err
		}
		for _, key := range keys {
			if _, err := tx.Exec(ctx, `INSERT INTO pairing_attempts (from_key, failures, since_ms) VALUES ($1, 1, $2)
				ON CONFLICT (from_key) DO UPDATE SET failures = pairing_attempts.failures + 1`, key, now.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}
