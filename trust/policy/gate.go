package policy

import (
	"context"

	"parley/account"
	"parley/platform/fault"
)

// Use is what a permission does with people's data: for which purpose, with data of which categories.
type Use struct {
	Permission account.Permission
	Purpose    string
	Categories []string
}

// Uses is the one table of what each permission is for. A permission that is not in it opens no data at all.
func Uses() []Use {
	return []Use{
		{account.ReadOwn, "rights", []string{"org.member", "call.meta", "device"}},
		{account.ReadReports, "reports", []string{"call.meta", "contact"}},
		{account.ReadCalls, "call_ops", []string{"call.meta", "call.note", "contact"}},
		{account.WriteCalls, "call_ops", []string{"call.meta", "call.note"}},
		{account.ExportCalls, "call_ops", []string{"call.meta", "call.note", "contact"}},
		{account.DeleteCalls, "rights", []string{"call.meta", "call.note", "contact"}},
		{account.ImportCalls, "call_ops", []string{"import.file", "call.meta", "contact"}},
		{account.ReadPeople, "call_ops", []string{"org.member"}},
		{account.ManagePeople, "call_ops", []string{"org.member", "account"}},
		{account.ManageTeams, "call_ops", []string{"org.member"}},
		{account.ReadDevices, "call_ops", []string{"device"}},
		{account.ManageDevices, "call_ops", []string{"device"}},
		{account.ManageExclusions, "rights", []string{"suppression"}},
		{account.ManageSettings, "call_ops", []string{"org.profile"}},
		{account.ManageTokens, "security", []string{"account"}},
		{account.Developer, "call_ops", []string{"org.profile"}},
		{account.ReadPrivacy, "rights", []string{"request", "consent"}},
		{account.AnswerRequests, "rights", []string{"request"}},
		{account.ManagePrivacy, "rights", []string{"request", "consent"}},
		{account.ReadAudit, "security", []string{"audit"}},
		{account.OpenArchive, "legal", []string{"call.meta", "contact"}},
		{account.ReadLeads, "call_ops", []string{"contact", "lead", "lead.tags", "lead.note"}},
		{account.WriteLeads, "call_ops", []string{"contact", "lead", "lead.tags", "lead.note"}},
		{account.AssignLeads, "call_ops", []string{"lead"}},
		{account.ImportLeads, "call_ops", []string{"import.file", "contact", "lead"}},
		{account.ExportLeads, "call_ops", []string{"contact", "lead", "lead.tags"}},
		{account.DeleteLeads, "rights", []string{"contact", "lead"}},
		{account.ManagePipelines, "call_ops", []string{"org.profile"}},
		{account.ManageOrg, "call_ops", []string{"org.profile"}},
		{account.CloseOrg, "call_ops", []string{"org.profile"}},
	}
}

// UseOf gives what a permission does with data.
func UseOf(p account.Permission) (Use, bool) {
	for _, u := range Uses() {
		if u.Permission == p {
			return u, true
		}
	}
	return Use{}, false
}

// permits tells whether the document allows what a permission does.
func (d *Document) permits(p account.Permission) error {
	u, ok := UseOf(p)
	if !ok {
		return fault.New(fault.Denied, "Nobody declared what %q does with people's data, so it may not do it.", p)
	}
	for _, c := range u.Categories {
		if !d.Allows(u.Purpose, c) {
			return fault.New(fault.Denied, "Your organisation's privacy policy does not allow to use %q for %q, so this cannot be opened. Your privacy officer can tell why.", c, u.Purpose)
		}
	}
	return nil
}

// Gate gives what decides for one member's requests whether the policy allows them: for account.Accounts.SetGate. It
// reads what it needs now, so that asking it needs neither time nor the database. A use that a material change brought in
// stays off until the member accepted the change. Whoever answers the request logs the refusal, as every other.
func (p *Policies) Gate(ctx context.Context, org account.OrgID, member account.MemberID) (func(account.Permission) error, error) {
	v, err := p.At(ctx, org, p.now())
	if err != nil {
		return nil, err
	}
	introduced, err := p.introduced(ctx, org, v)
	if err != nil {
		return nil, err
	}
	accepted := v.Number
	if len(introduced) > 0 && member != "" {
		if accepted, err = p.accepted(ctx, org, member); err != nil {
			return nil, err
		}
	}
	return func(perm account.Permission) error {
		err := v.Document.permits(perm)
		if u, ok := UseOf(perm); err == nil && ok {
			for _, c := range u.Categories {
				if n := introduced[pair{u.Purpose, c}]; n > accepted {
					err = fault.New(fault.Denied, "Version %d of the privacy policy uses %q for %q, which is new. Read it under Privacy, Policy and accept it first.", n, c, u.Purpose)
				}
			}
		}
		return err
	}, nil
}

// pair is one use: a category for a purpose.
type pair struct{ purpose, category string }

// introduced tells, for each use of the version in force, which version brought it in. Uses of the first version, and of
// the shipped document, are not new to anybody.
func (p *Policies) introduced(ctx context.Context, org account.OrgID, current *Version) (map[pair]int, error) {
	all, err := p.Versions(ctx, org)
	if err != nil || current.Number < 2 {
		return nil, err
	}
	out := map[pair]int{}
	for i := 1; i < len(all) && all[i].Number <= current.Number; i++ {
		for _, c := range all[i].added(all[i-1]) {
			out[c] = all[i].Number
		}
	}
	return out, nil
}

// added lists the uses that a version has and the one before had not.
func (v *Version) added(before *Version) []pair {
	var out []pair
	for name, c := range v.Document.Categories {
		for _, purpose := range c.Purposes {
			if !before.Document.Allows(purpose, name) {
				out = append(out, pair{purpose, name})
			}
		}
	}
	return out
}
