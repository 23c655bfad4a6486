package app

import (
	"context"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/reach/mail"
	"parley/trust/consent"
	"parley/trust/rights"
	"parley/trust/subject"
)

// member is the member that a person is; ok is false for anybody else, and for a member who is gone.
func (p *Parley) member(ctx context.Context, org account.OrgID, who subject.Ref) (m *account.Member, ok bool, err error) {
	if who.Kind != subject.Member {
		return nil, false, nil
	}
	m, err = p.Accounts.Member(ctx, org, account.MemberID(who.ID))
	if fault.KindOf(err) == fault.NotFound {
		return nil, false, nil
	}
	return m, err == nil, err
}

// accountStore is what accounts keep of members: profile, address, sessions, tokens, accepted terms.
func (p *Parley) accountStore() rights.Store {
	return rights.Store{
		Name: "accounts", Tables: []string{"members", "acceptances", "team_members", "sessions", "one_time_links", "tokens", "invitations", "credentials", "resets", "sign_in_attempts", "organisations"},
		Export: p.exportAccount, Plan: p.planAccount, Erase: p.eraseAccount,
		Fields: []rights.Field{{Key: "member.name", Kind: subject.Member,
			Read: func(ctx context.Context, org account.OrgID, who subject.Ref) (string, error) {
				m, ok, err := p.member(ctx, org, who)
				if err != nil || !ok {
					return "", err
				}
				return m.Name, nil
			},
			Write: func(ctx context.Context, org account.OrgID, who subject.Ref, value string) error {
				_, err := p.Accounts.Rename(ctx, org, account.MemberID(who.ID), value)
				return err
			}}},
	}
}

func (p *Parley) exportAccount(ctx context.Context, org account.OrgID, who subject.Ref, out *rights.Package) error {
	m, ok, err := p.member(ctx, org, who)
	if err != nil || !ok {
		return err
	}
	teams := make([]string, len(m.Teams))
	for i, t := range m.Teams {
		teams[i] = string(t)
	}
	if err := out.Table("org.member", "member", []string{"id", "name", "email", "role", "agent", "teams", "active", "joined", "created"}, func(add func(...any) error) error {
		return add(string(m.ID), m.Name, m.Email, string(m.Role), int(m.Agent), teams, m.Active, m.JoinedAt, m.CreatedAt)
	}); err != nil {
		return err
	}
	terms, err := p.Accounts.AcceptedOf(ctx, org, m.ID)
	if err != nil {
		return err
	}
	if err := out.Table("account", "accepted_terms", []string{"terms", "of_age", "accepted"}, func(add func(...any) error) error {
		for _, t := range terms {
			if err := add(t.Terms, t.Adult, t.At); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return p.exportAccess(ctx, m, out)
}

// exportAccess writes by what the member got in.
func (p *Parley) exportAccess(ctx context.Context, m *account.Member, out *rights.Package) error {
	as, err := p.Accounts.As(ctx, m.Org, m.ID)
	if err != nil {
		return err
	}
	sessions, err := p.Accounts.Sessions(ctx, as)
	if err != nil {
		return err
	}
	if err := out.Table("account", "sessions", []string{"began", "last_seen", "address", "browser"}, func(add func(...any) error) error {
		for _, s := range sessions {
			if err := add(s.CreatedAt, s.SeenAt, s.IP, s.UserAgent); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	tokens, err := p.Accounts.Tokens(ctx, m.Org)
	if err != nil {
		return err
	}
	return out.Table("account", "tokens", []string{"name", "created", "expires", "last_used"}, func(add func(...any) error) error {
		for _, t := range tokens {
			if t.Member != m.ID {
				continue
			}
			if err := add(t.Name, t.CreatedAt, t.ExpiresAt, t.UsedAt); err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *Parley) planAccount(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
	if who.Kind != subject.Member {
		return nil, nil
	}
	kept, err := p.Accounts.KeptOf(ctx, org, account.MemberID(who.ID))
	var out []rights.Line
	for _, k := range kept {
		category := "account"
		if k.Table == "members" || k.Table == "team_members" {
			category = "org.member"
		}
		out = append(out, rights.Line{Thing: rights.Rows, Name: strings.ReplaceAll(k.Table, "_", " "), Category: category, Count: k.Rows, Newest: k.Newest})
	}
	return out, err
}

// eraseAccount ends a member's access and takes all that is known of them. Where a law keeps something of it, all stays
// locked: an account is one thing.
func (p *Parley) eraseAccount(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) ([]rights.Line, error) {
	if _, ok, err := p.member(ctx, org, who); err != nil || !ok || d.Keeps("account") || d.Keeps("org.member") {
		return nil, err
	}
	lines, err := p.planAccount(ctx, org, who)
	if err != nil {
		return nil, err
	}
	return lines, p.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, category := range []string{"account", "org.member"} {
			if err := d.Gate(ctx, tx, category); err != nil {
				return err
			}
		}
		return p.Accounts.EraseMember(ctx, tx, org, account.MemberID(who.ID))
	})
}

// consentStore is what people agreed to, and whether they could be contacted. The suppression list stays on purpose.
func (p *Parley) consentStore() rights.Store {
	const category = "consent"
	return rights.Store{
		Name: "consents", Tables: []string{"consents", "contact_decisions"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, out *rights.Package) error {
			entries, err := p.Consents.Ledger(ctx, p.DB, org, consent.Who{Ref: who})
			if err != nil {
				return err
			}
			if err := out.Table(category, "consents", []string{"at", "purpose", "channel", "state", "how", "wording", "language", "recipient", "evidence", "expires"}, func(add func(...any) error) error {
				for _, e := range entries {
					if err := add(e.At, e.Purpose, string(e.Channel), string(e.State), string(e.How), e.Wording, e.Language, e.Recipient, e.Evidence, e.Expires); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				return err
			}
			decisions, err := p.Consents.Decisions(ctx, p.DB, org, consent.Who{Ref: who})
			if err != nil {
				return err
			}
			return out.Table(category, "contact_decisions", []string{"at", "purpose", "channel", "allowed", "reason"}, func(add func(...any) error) error {
				for _, k := range decisions {
					if err := add(k.At, k.Purpose, string(k.Channel), k.Allowed, k.Reason); err != nil {
						return err
					}
				}
				return nil
			})
		},
		Plan: func(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
			entries, err := p.Consents.Ledger(ctx, p.DB, org, consent.Who{Ref: who})
			if err != nil {
				return nil, err
			}
			decisions, err := p.Consents.Decisions(ctx, p.DB, org, consent.Who{Ref: who})
			lines := []rights.Line{{Thing: rights.Rows, Name: "consents and objections", Category: category, Count: int64(len(entries))},
				{Thing: rights.Rows, Name: "answers whether they may be contacted", Category: category, Count: int64(len(decisions))}}
			for _, e := range entries {
				lines[0].Newest = latest(lines[0].Newest, e.At)
			}
			for _, k := range decisions {
				lines[1].Newest = latest(lines[1].Newest, k.At)
			}
			return lines, err
		},
		Erase: p.erasing(category, func(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (int64, error) {
			return 0, p.Consents.Forget(ctx, tx, org, who)
		}),
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// erasing is the Erase of a store with one category whose rows go by one call. Its lines are those of what was there.
func (p *Parley) erasing(category string, remove func(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (int64, error)) func(context.Context, account.OrgID, subject.Ref, rights.Decision) ([]rights.Line, error) {
	return func(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) ([]rights.Line, error) {
		if d.Keeps(category) {
			return nil, nil
		}
		var n int64
		err := p.DB.Tx(ctx, func(tx *db.Tx) (err error) {
			if err := d.Gate(ctx, tx, category); err != nil {
				return err
			}
			n, err = remove(ctx, tx, org, who)
			return err
		})
		return []rights.Line{{Thing: rights.Rows, Name: category, Category: category, Count: n}}, err
	}
}

// policyStore is which versions of the policy a member was told of and accepted.
func (p *Parley) policyStore() rights.Store {
	const category = "account"
	deeds := func(ctx context.Context, org account.OrgID, who subject.Ref) (n int64, newest time.Time, err error) {
		if who.Kind != subject.Member {
			return 0, newest, nil
		}
		all, err := p.Policies.Deeds(ctx, p.DB, org, account.MemberID(who.ID))
		for _, d := range all {
			newest = latest(newest, d.At)
		}
		return int64(len(all)), newest, err
	}
	return rights.Store{
		Name: "policy", Tables: []string{"policy_acceptances", "policy_notices", "policies", "policy_drafts"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, out *rights.Package) error {
			if who.Kind != subject.Member {
				return nil
			}
			all, err := p.Policies.Deeds(ctx, p.DB, org, account.MemberID(who.ID))
			if err != nil {
				return err
			}
			return out.Table(category, "privacy_policy", []string{"version", "what", "at"}, func(add func(...any) error) error {
				for _, d := range all {
					if err := add(d.Version, d.What, d.At); err != nil {
						return err
					}
				}
				return nil
			})
		},
		Plan: func(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
			n, newest, err := deeds(ctx, org, who)
			return []rights.Line{{Thing: rights.Rows, Name: "versions of the policy told and accepted", Category: category, Count: n, Newest: newest}}, err
		},
		Erase: p.erasing(category, func(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (int64, error) {
			if who.Kind != subject.Member {
				return 0, nil
			}
			return p.Policies.Erase(ctx, tx, org, account.MemberID(who.ID))
		}),
	}
}

// mailStore is the mails that went to a member.
func (p *Parley) mailStore() rights.Store {
	const category = "correspondence"
	mails := func(ctx context.Context, org account.OrgID, who subject.Ref) ([]mail.Sent, error) {
		m, ok, err := p.member(ctx, org, who)
		if err != nil || !ok || m.Email == "" {
			return nil, err
		}
		return p.Mail.To(ctx, org, m.Email)
	}
	return rights.Store{
		Name: "mails", Tables: []string{"mails"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, out *rights.Package) error {
			all, err := mails(ctx, org, who)
			if err != nil {
				return err
			}
			return out.Table(category, "mails", []string{"at", "to", "subject", "state"}, func(add func(...any) error) error {
				for _, s := range all {
					if err := add(s.CreatedAt, s.To, s.Subject, string(s.State)); err != nil {
						return err
					}
				}
				return nil
			})
		},
		Plan: func(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
			all, err := mails(ctx, org, who)
			l := rights.Line{Thing: rights.Rows, Name: "mails", Category: category, Count: int64(len(all))}
			for _, s := range all {
				l.Newest = latest(l.Newest, s.CreatedAt)
			}
			return []rights.Line{l}, err
		},
		Erase: func(ctx context.Context, org account.OrgID, who subject.Ref, d rights.Decision) ([]rights.Line, error) {
			all, err := mails(ctx, org, who)
			if err != nil || len(all) == 0 {
				return nil, err
			}
			ids := make([]string, len(all))
			for i, s := range all {
				ids[i] = s.ID
			}
			return p.erasing(category, func(ctx context.Context, tx *db.Tx, org account.OrgID, _ subject.Ref) (int64, error) {
				return mail.Remove(ctx, tx, org, ids)
			})(ctx, org, who, d)
		},
	}
}

// auditStore is what the audit log says in words about a person. The entries themselves stay, with keyed hashes.
func (p *Parley) auditStore() rights.Store {
	const category = "audit"
	return rights.Store{
		Name: "audit log", Tables: []string{"audit_entries", "audit_secrets"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, out *rights.Package) error {
			return out.Table(category, "accesses", []string{"at", "action", "purpose", "result"}, func(add func(...any) error) error {
				for before := int64(0); ; {
					page, next, err := p.Audit.List(ctx, int64(org), audit.Filter{About: who.String(), Before: before, Limit: 500})
					if err != nil {
						return err
					}
					for _, e := range page {
						if err := add(e.At, string(e.Action), e.Purpose, e.Result); err != nil {
							return err
						}
					}
					if before = next; before == 0 {
						return nil
					}
				}
			})
		},
		Plan: func(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
			n, err := p.Audit.Remembered(ctx, int64(org), who.String())
			return []rights.Line{{Thing: rights.Rows, Name: "what the log says in words", Category: category, Count: n, Loose: true}}, err
		},
		Erase: p.erasing(category, func(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (int64, error) {
			return p.Audit.Forget(ctx, tx, int64(org), who.String())
		}),
	}
}
