package app

import (
	"context"
	"slices"
	"time"

	"parley/account"
	"parley/calls/number"
	"parley/crm/contact"
	"parley/crm/followup"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/reach/mail"
	"parley/trust/consent"
	"parley/web/phrase"
)

// wireFollowUps gives follow-ups what stands above them.
func (p *Parley) wireFollowUps() {
	p.FollowUps.Wire(followup.Sources{Missed: p.missedFor, Stopped: p.stopped, Mail: p.mailNotices})
}

// missedFor lists the missed callers who are for a member to call back: those whom they were asked to call, those whose contact
// is theirs, and of those whom nobody knows the ones whom they missed. Whoever somebody else was asked to call is not among them.
func (p *Parley) missedFor(ctx context.Context, org *account.Org, m account.MemberID, now time.Time) ([]followup.Missed, error) {
	who, err := p.Accounts.Member(ctx, org.ID, m)
	if err != nil {
		return nil, err
	}
	all, err := p.Attach.Recovery(ctx, org, contact.Sight{All: true}, now)
	if err != nil {
		return nil, err
	}
	var out []followup.Missed
	for _, w := range all {
		mine := w.Owner == m || w.Owner == "" && who.Agent != 0 && w.Person.MissedBy == who.Agent
		if to := w.Callback.AssignedTo; to != 0 && w.Callback.AssignedAt.After(w.Callback.HandledAt) {
			mine = to == who.Agent
		}
		if mine {
			out = append(out, followup.Missed{Number: w.Person.ID, Contact: w.Contact, Lead: w.Lead, Name: w.Person.Name, Since: w.Person.LastMissed,
				Calls: int(w.Person.Unattended), Waited: w.Person.WaitingBusiness, Left: w.Left})
		}
	}
	return out, nil
}

// stopped tells which numbers are on the suppression list for calls about business.
func (p *Parley) stopped(ctx context.Context, org *account.Org, numbers map[number.ID]string) (map[number.ID]string, error) {
	out := map[number.ID]string{}
	for n, text := range numbers {
		all, err := p.Consents.Suppressions(ctx, p.DB, org.ID, consent.Who{Number: text})
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(e consent.Suppression) bool {
			return (e.Scope.Channel == consent.None || e.Scope.Channel == consent.Call) && slices.Contains([]string{"", "call_ops", "marketing"}, e.Scope.Purpose)
		}) {
			out[n] = followup.StopSuppressed
		}
	}
	return out, nil
}

// mailNotices keeps a mail for each member who is told of something. It names nobody outside: the link does, to whoever may see.
func (p *Parley) mailNotices(ctx context.Context, tx *db.Tx, org *account.Org, notices []followup.Notice) (committed func(), err error) {
	members, err := p.Accounts.Members(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	words := phrase.For(org.Locale).In(org.Location())
	var sent []func()
	for _, m := range members {
		if !m.Active || m.Email == "" || m.JoinedAt.IsZero() {
			continue
		}
		for _, kind := range []followup.NoticeKind{followup.Reminder, followup.Escalation} {
			var of []followup.Notice
			for _, n := range notices {
				if n.Member == m.ID && n.Kind == kind {
					of = append(of, n)
				}
			}
			if len(of) == 0 {
				continue
			}
			subject, text := noticeText(words, p.Config.base(), org, kind, of)
			done, err := p.Mail.Keep(ctx, tx, mail.Message{Org: org.ID, To: m.Email, Subject: subject, Text: text})
			if err != nil {
				return nil, err
			}
			sent = append(sent, done)
		}
	}
	return func() {
		for _, done := range sent {
			done()
		}
	}, nil
}

// noticeText is the mail about notices of one kind.
func noticeText(words *phrase.Phrases, base string, org *account.Org, kind followup.NoticeKind, of []followup.Notice) (subject, text string) {
	key := "mail.followup." + string(kind)
	if len(of) > 1 {
		return words.T(key+".subject_many", "Count", len(of)), words.T(key+".many", "Count", len(of), "Organisation", org.Name, "Link", base+followup.Path)
	}
	f := of[0].FollowUp
	at := words.DateTime(f.At)
	if f.AllDay && f.Snoozed.IsZero() {
		at = words.Date(civil.DayOf(f.At, org.Location()))
	}
	args := []any{"What", words.T("followup.kind." + string(f.Kind)), "Time", at, "Organisation", org.Name, "Link", base + of[0].Link}
	return words.T(key+".subject", args...), words.T(key+".text", args...)
}
