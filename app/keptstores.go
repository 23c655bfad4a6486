package app

import (
	"bytes"
	"context"

	"parley/account"
	"parley/platform/db"
	"parley/trust/incident"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/trust/subject"
)

// archiveStore is what retention keeps of people: copies in the archive, and what is locked for a while.
func (p *Parley) archiveStore() rights.Store {
	return rights.Store{
		Name: "archive", Tables: []string{"archive_items", "archive_reviews", "retain_items", "retain_locks", "retain_plans"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, out *rights.Package) error {
			return p.Retain.EachArchived(ctx, org, who, func(a *retain.Archived, content []byte) error {
				return out.File(a.Category, "archived-"+a.ID+".json", bytes.NewReader(content))
			})
		},
		Plan: func(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
			n, err := p.Retain.ArchivedOf(ctx, p.DB, org, who)
			return []rights.Line{{Thing: rights.Rows, Name: "archived items", Category: "call.meta", Count: n}}, err
		},
		Erase: p.erasing("call.meta", func(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (int64, error) {
			return retain.EraseOf(ctx, tx, org, who)
		}),
	}
}

// securityStore is what happened around the signing in of members, and who objected to a transfer. The files of incidents
// and of authorities' requests name members who worked on them, and stay until their time.
func (p *Parley) securityStore() rights.Store {
	const category = "weblog"
	return rights.Store{
		Name: "security", Tables: []string{"security_events", "transfers", "transfer_objections", "incidents", "incident_steps", "legal_requests", "legal_decisions"},
		Export: func(ctx context.Context, org account.OrgID, who subject.Ref, out *rights.Package) error {
			if who.Kind != subject.Member {
				return nil
			}
			all, err := p.Incidents.SecurityOf(ctx, org, account.MemberID(who.ID))
			if err != nil {
				return err
			}
			return out.Table(category, "security", []string{"at", "what", "times", "address", "browser"}, func(add func(...any) error) error {
				for _, e := range all {
					if err := add(e.At, string(e.Kind), e.Times, e.IP, e.Browser); err != nil {
						return err
					}
				}
				return nil
			})
		},
		Plan: func(ctx context.Context, org account.OrgID, who subject.Ref) ([]rights.Line, error) {
			l := rights.Line{Thing: rights.Rows, Name: "security events", Category: category}
			if who.Kind != subject.Member {
				return []rights.Line{l}, nil
			}
			all, err := p.Incidents.SecurityOf(ctx, org, account.MemberID(who.ID))
			l.Count = int64(len(all))
			if len(all) > 0 {
				l.Newest = all[0].At
			}
			return []rights.Line{l}, err
		},
		Erase: p.erasing(category, func(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (int64, error) {
			return incident.EraseOf(ctx, tx, org, who)
		}),
	}
}
