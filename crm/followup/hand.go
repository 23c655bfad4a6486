package followup

import (
	"context"
	"strconv"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
)

// HandOver gives an open follow-up to a colleague, who finds a notice.
func (s *FollowUps) HandOver(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, id ID, to account.MemberID) (*FollowUp, error) {
	f, err := s.opened(ctx, tx, org, id)
	if err != nil || f.Owner == to {
		return f, err
	}
	if err := checkOwner(ctx, tx, org.ID, "owner", to); err != nil {
		return nil, err
	}
	return f, s.give(ctx, tx, org, by, f, to)
}

// give makes somebody the owner of a follow-up.
func (s *FollowUps) give(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, f *FollowUp, to account.MemberID) error {
	if err := s.seen(ctx, tx, org.ID, f.ID); err != nil {
		return err
	}
	f.Owner = to
	if err := s.keep(ctx, tx, org.ID, by, f, HandedOver, []string{"owner"}, nil); err != nil {
		return err
	}
	return s.given(ctx, tx, org, by, f)
}

// Hand says what of a member's work goes to whom.
type Hand struct {
	From account.MemberID
	To   account.MemberID // "" = to whoever has the lead now, or the contact where there is none
	// Until bounds what is handed over to what is to be done before, for somebody who comes back; zero = all.
	Until time.Time
}

// HandOverAll hands the open follow-ups of a member over, because they leave or are away. It tells how many were handed over, and
// how many stayed because nobody else has the lead.
func (s *FollowUps) HandOverAll(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, h Hand) (handed, stayed int, err error) {
	if h.From == h.To || h.From == "" {
		return 0, 0, fault.Field("to", "Choose somebody else to hand the follow-ups over to.")
	}
	if _, ok, err := personOf(ctx, tx, org.ID, h.From); err != nil || !ok {
		if err == nil {
			err = fault.New(fault.NotFound, "There is no member %q in this organisation.", string(h.From))
		}
		return 0, 0, err
	}
	if h.To != "" {
		if err := checkOwner(ctx, tx, org.ID, "to", h.To); err != nil {
			return 0, 0, err
		}
	}
	until := int64(1) << 62
	if !h.Until.IsZero() {
		until = millis(h.Until)
	}
	all, err := db.Select(ctx, tx, s.scan(ctx, org.ID), `SELECT `+columns+` FROM follow_ups WHERE org_id = $1 AND owner = $2 AND state = 0 AND at_ms < $3
		ORDER BY at_ms, follow_up`+forUpdate(tx), org.ID, h.From, until)
	if err != nil {
		return 0, 0, err
	}
	for _, f := range all {
		to, err := s.heir(ctx, tx, org.ID, f, h)
		if err != nil {
			return 0, 0, err
		}
		if to == "" {
			stayed++
			continue
		}
		if err := s.give(ctx, tx, org, by, f, to); err != nil {
			return 0, 0, err
		}
		handed++
	}
	return handed, stayed, s.log(ctx, tx, org.ID, audit.Entry{Actor: actor(by), Action: audit.FollowUpsHanded, Object: "member/" + string(h.From),
		Details: map[string]string{"to": string(h.To), "handed": strconv.Itoa(handed), "stayed": strconv.Itoa(stayed)}})
}

// heir is who gets a follow-up of somebody who hands theirs over; "" = nobody can have it.
func (s *FollowUps) heir(ctx context.Context, c db.Conn, org account.OrgID, f *FollowUp, h Hand) (account.MemberID, error) {
	if h.To != "" {
		return h.To, nil
	}
	var to account.MemberID
	if f.Lead != "" {
		leads, err := s.d.Leads.Load(ctx, c, org, f.Lead)
		if err != nil {
			return "", err
		}
		if l := leads[f.Lead]; l != nil {
			to = l.Owner
		}
	}
	if to == "" {
		found, err := s.d.Contacts.Load(ctx, c, org, f.Contact)
		if err != nil {
			return "", err
		}
		if one := found[f.Contact]; one != nil {
			to = one.Owner
		}
	}
	if to == "" || to == h.From {
		return "", nil
	}
	if err := checkOwner(ctx, c, org, "to", to); err != nil {
		if fault.KindOf(err) == fault.Invalid || fault.KindOf(err) == fault.NotFound {
			return "", nil
		}
		return "", err
	}
	return to, nil
}
