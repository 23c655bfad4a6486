package app

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"time"

	"parley/account"
	"parley/api"
	"parley/calls/ingest"
	"parley/crm/assign"
	"parley/crm/followup"
	"parley/crm/intake"
	"parley/crm/lead"
	"parley/platform/audit"
	"parley/platform/civil"
	"parley/platform/expire"
	"parley/reach/mail"
	"parley/trust/consent"
	"parley/trust/retain"
	"parley/trust/rights"
	"parley/trust/subject"
	"parley/web/phrase"
)

// retention is what lets nothing be kept longer than the policy says. Whoever keeps rows is named here.
func (p *Parley) retention() *retain.Sweeper {
	keepers := p.Persons.Keepers()
	for i, k := range keepers { // the installation itself has no calls
		keepers[i].Due = func(ctx context.Context, org account.OrgID, cut retain.Cut) ([]retain.Item, error) {
			if org == 0 {
				return nil, nil
			}
			return k.Due(ctx, org, cut)
		}
	}
	keepers = append(keepers, p.FollowUps.Keepers()...)
	keepers = append(keepers, p.Leads.Keepers()...)
	keepers = append(keepers, p.Files.Keepers()...)
	keepers = append(keepers, p.Contacts.Keepers()...)
	for _, tables := range [][]expire.Table{p.Accounts.Expiring(), mail.Expiring(), api.Expiring(), audit.Expiring(), consent.Expiring(), p.Incidents.Expiring(), rights.Expiring(), p.Devices.Expiring(), ingest.Expiring(), lead.Expiring(), assign.Expiring(), followup.Expiring(), intake.Expiring()} {
		for _, t := range tables {
			keepers = append(keepers, retain.OfTable(p.DB, t))
		}
	}
	return retain.New(retain.Deps{
		DB: p.DB, Keys: p.Keys, Holds: p.Holds, Keepers: keepers, Rules: p.retentionRules, Tell: p.tellRetention, Log: p.Audit, Now: p.Now,
	})
}

// retentionRules are the periods that an organisation's policy promises.
func (p *Parley) retentionRules(ctx context.Context, org account.OrgID) ([]retain.Rule, error) {
	doc, err := p.policyOf(ctx, org)
	if err != nil {
		return nil, err
	}
	return retain.Of(doc, p.Now()), nil
}

// tellRetention mails the owners and privacy officers what is about to be erased, and members whose own data goes.
func (p *Parley) tellRetention(ctx context.Context, id account.OrgID, n retain.Notice) (int, error) {
	if id == 0 { // rows of the installation are nobody's
		return 0, nil
	}
	org, err := p.Accounts.Org(ctx, id)
	if err != nil {
		return 0, err
	}
	members, err := p.Accounts.Members(ctx, id)
	if err != nil {
		return 0, err
	}
	doc, err := p.policyOf(ctx, id)
	if err != nil {
		return 0, err
	}
	words := phrase.For(org.Locale).In(org.Location())
	category := n.Plan.Category
	if c := doc.Category(category); c != nil {
		category = c.Title.In(words.Lang(), doc.Languages)
	}
	told := 0
	for _, m := range members {
		answers := m.Active && !m.JoinedAt.IsZero() && (m.Role == account.Owner || m.Role == account.PrivacyOfficer)
		own := slices.ContainsFunc(n.People, func(who subject.Ref) bool { return who.ID == string(m.ID) })
		if m.Email == "" || !answers && !own {
			continue
		}
		text := words.T("mail.retention.own", "Organisation", org.Name, "Category", category, "Day", words.Date(civil.DayOf(n.Plan.DueAt, org.Location())), "Link", p.Config.base())
		if answers {
			key := "mail.retention.text"
			if n.Alarm != "" {
				key = "mail.retention.stopped"
			}
			text = words.T(key, "Organisation", org.Name, "Category", category, "Period", n.Plan.Period, "Count", n.Plan.Rows,
				"Share", n.Plan.Share(), "Day", words.Date(civil.DayOf(n.Plan.DueAt, org.Location())), "Link", p.Config.base()+"/trust/retention")
		}
		if err := p.Mail.Send(ctx, mail.Message{Org: id, To: m.Email, Subject: words.T("mail.retention.subject", "Organisation", org.Name), Text: text}); err != nil {
			return told, err
		}
		told++
	}
	return told, nil
}

// retainAll closes organisations whose time has come, and makes the daily run of every other one. The failure of one
// does not stop the others.
func (p *Parley) retainAll(ctx context.Context) error {
	errs := []error{p.closeDue(ctx), p.Revoked.Forget(p.Now())}
	orgs, err := p.Accounts.Orgs(ctx)
	errs = append(errs, err)
	for _, org := range append([]*account.Org{{}}, orgs...) {
		due, err := p.Retain.Due(ctx, org.ID)
		if err == nil && due && ctx.Err() == nil {
			_, err = p.Retain.Run(ctx, org.ID)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

type retainCmd struct {
	Status  retainStatusCmd  `cmd:"" help:"Show the rules, what waits, what is locked, and what somebody must look at."`
	Plan    retainPlanCmd    `cmd:"" help:"Show what each rule would remove now. Nothing is changed."`
	Apply   retainApplyCmd   `cmd:"" help:"Make the daily run now: remove what is due, and plan what comes due."`
	Archive retainArchiveCmd `cmd:"" help:"The archive."`
}

type retainPlanCmd struct {
	inOrg
	asJSON
	Items bool `help:"List every item."`
}

// planView is a plan as JSON.
type planView struct {
	ID        string     `json:"id,omitempty"`
	Keeper    string     `json:"keeper"`
	Category  string     `json:"category"`
	Part      string     `json:"part,omitempty"`
	Counts    string     `json:"counts_from"`
	Period    string     `json:"period"`
	State     string     `json:"state"`
	Stopped   bool       `json:"waits_for_a_person"`
	Items     int64      `json:"items"`
	Rows      int64      `json:"rows"`
	Bytes     int64      `json:"bytes"`
	Share     int        `json:"share_per_cent"`
	Oldest    time.Time  `json:"oldest,omitzero"`
	Newest    time.Time  `json:"newest,omitzero"`
	Digest    string     `json:"digest"`
	MadeAt    time.Time  `json:"made_at"`
	DueAt     time.Time  `json:"due_at"`
	EndedAt   time.Time  `json:"ended_at,omitzero"`
	Removed   int64      `json:"removed_rows"`
	Why       string     `json:"why,omitempty"`
	Archives  bool       `json:"archives"`
	Held      int64      `json:"held"`
	Locked    int64      `json:"locked"`
	More      int64      `json:"more_items"`
	Fewer     int64      `json:"fewer_items"`
	Each      []itemView `json:"each,omitempty"`
	LockedNow []itemView `json:"locked_items,omitempty"`
	HeldNow   []itemView `json:"held_items,omitempty"`
}

type itemView struct {
	Item  string    `json:"item"`
	At    time.Time `json:"at"`
	Rows  int64     `json:"rows"`
	Law   string    `json:"law,omitempty"`
	Until time.Time `json:"until,omitzero"`
	Hold  string    `json:"hold,omitempty"`
}

func viewPlan(x *retain.Plan, items bool) planView {
	v := planView{
		ID: x.ID, Keeper: x.Keeper, Category: x.Category, Part: x.Part, Counts: string(x.Cut.From), Period: x.Period, State: string(x.State), Stopped: x.Stopped(),
		Items: x.Count, Rows: x.Rows, Bytes: x.Bytes, Share: x.Share(), Oldest: x.Oldest, Newest: x.Newest, Digest: hex.EncodeToString(x.Digest),
		MadeAt: x.MadeAt, DueAt: x.DueAt, EndedAt: x.EndedAt, Removed: x.Removed, Why: x.Why, Archives: x.Archives, Held: x.HeldCount, Locked: x.LockedCount,
	}
	if x.State == retain.Draft {
		v.ID = ""
	}
	if x.Before != nil {
		v.More, v.Fewer = x.Before.More, x.Before.Fewer
	}
	if !items {
		return v
	}
	for _, i := range x.Items {
		v.Each = append(v.Each, itemView{Item: i.Key, At: i.At, Rows: i.Rows})
	}
	for _, k := range x.Locked {
		v.LockedNow = append(v.LockedNow, itemView{Item: k.Key, At: k.At, Rows: k.Rows, Law: k.Law, Until: k.Until})
	}
	for _, k := range x.Held {
		v.HeldNow = append(v.HeldNow, itemView{Item: k.Key, At: k.At, Rows: k.Rows, Hold: k.Hold})
	}
	return v
}

func (c *retainPlanCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	plans, err := r.p.Retain.Plans(ctx, org.ID)
	if err != nil {
		return err
	}
	out := make([]planView, len(plans))
	for i, x := range plans {
		out[i] = viewPlan(x, c.Items)
	}
	return c.write(r, out, func(t *table) {
		t.row("WHAT", "CATEGORY", "PERIOD", "FROM", "ITEMS", "ROWS", "SHARE", "OLDEST", "NEWEST", "HELD", "LOCKED", "CHANGE")
		for _, v := range out {
			t.row(v.Keeper, v.Category, v.Period, v.Counts, v.Items, v.Rows, percent(v.Share), dayIn(org, v.Oldest), dayIn(org, v.Newest), v.Held, v.Locked, changeText(v))
			for _, i := range v.Each {
				t.row("  "+i.Item, "", "", "", "", i.Rows, "", dayIn(org, i.At))
			}
			for _, i := range v.LockedNow {
				t.row("  "+i.Item, "locked by "+i.Law, "until "+dayIn(org, i.Until), "", "", i.Rows, "", dayIn(org, i.At))
			}
			for _, i := range v.HeldNow {
				t.row("  "+i.Item, "held by "+i.Hold, "", "", "", i.Rows, "", dayIn(org, i.At))
			}
		}
	})
}

func digits(n int) string { return strconv.Itoa(n) }

func percent(n int) string {
	if n == 0 {
		return ""
	}
	return digits(n) + " %"
}

func changeText(v planView) string {
	if v.More == 0 && v.Fewer == 0 {
		return ""
	}
	return "+" + digits(int(v.More)) + " -" + digits(int(v.Fewer))
}

func dayIn(org *account.Org, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(org.Location()).Format(time.DateOnly)
}

type retainApplyCmd struct {
	inOrg
	asJSON
	Confirm bool `help:"Let plans go on that take an unusual share of a category."`
}

func (c *retainApplyCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	if c.Confirm {
		if err := r.p.confirmAll(ctx, org); err != nil {
			return err
		}
	}
	ran, err := r.p.Retain.Run(ctx, org.ID)
	if err != nil {
		return err
	}
	st, err := r.p.Retain.Status(ctx, org.ID)
	if err != nil {
		return err
	}
	out := struct {
		Applied []planView `json:"applied"`
		Waiting []planView `json:"waiting"`
		Erased  int64      `json:"erased_from_archive"`
		Reviews int        `json:"reviews_opened"`
	}{Erased: ran.Erased, Reviews: ran.Reviews, Applied: []planView{}, Waiting: []planView{}}
	for _, x := range ran.Applied {
		out.Applied = append(out.Applied, viewPlan(x, false))
	}
	for _, x := range st.Waiting {
		out.Waiting = append(out.Waiting, viewPlan(x, false))
	}
	if c.JSON {
		return writeJSON(r, out)
	}
	for _, v := range out.Applied {
		if err := r.printf("%s: %s. %d of %d rows were removed. %s\n", v.Keeper, v.State, v.Removed, v.Rows, v.Why); err != nil {
			return err
		}
	}
	for _, v := range out.Waiting {
		wait := "goes on " + dayIn(org, v.DueAt)
		if v.Stopped {
			wait = "is " + digits(v.Share) + " % of all and waits for you: look at \"parley retain plan\", then repeat this with --confirm"
		}
		if err := r.printf("%s: %d rows, %s.\n", v.Keeper, v.Rows, wait); err != nil {
			return err
		}
	}
	return r.printf("%d items of the archive were erased.\n", out.Erased)
}

// confirmAll lets every plan go on that waits for a person, and what would wait once the run has planned it.
func (p *Parley) confirmAll(ctx context.Context, org *account.Org) error {
	if _, err := p.Retain.Run(ctx, org.ID); err != nil {
		return err
	}
	st, err := p.Retain.Status(ctx, org.ID)
	if err != nil {
		return err
	}
	for _, x := range st.Waiting {
		if !x.Stopped() {
			continue
		}
		if _, err := p.Retain.Confirm(ctx, p.Accounts.Operator(org), x.ID, hex.EncodeToString(x.Digest)); err != nil {
			return err
		}
	}
	return nil
}

type retainStatusCmd struct {
	inOrg
	asJSON
}

func (c *retainStatusCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	st, err := r.p.Retain.Status(ctx, org.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(r, statusJSON(st))
	}
	if err := c.write(r, nil, func(t *table) {
		t.row("CATEGORY", "PERIOD", "FROM", "ARCHIVE", "LAW", "KEPT IN")
		for _, s := range st.Rules {
			t.row(categoryOf(s), s.Max, s.From, s.Archive, lawsOf(s), list(s.Keepers))
		}
	}); err != nil {
		return err
	}
	if len(st.Locks)+len(st.Waiting)+len(st.Alarms)+len(st.Reviews) == 0 {
		return r.printf("\nNothing waits, nothing is locked.\n")
	}
	if err := r.printf("\n"); err != nil {
		return err
	}
	return c.write(r, nil, func(t *table) {
		for _, x := range st.Waiting {
			t.row("waits", x.Keeper, digits(int(x.Rows))+" rows", dayIn(org, x.DueAt), x.ID)
		}
		for _, l := range st.Locks {
			t.row("locked", l.Category, l.Law, "until "+dayIn(org, l.Until), l.Item)
		}
		for _, x := range st.Reviews {
			t.row("review", x.Category, digits(int(x.Items))+" items", "by "+dayIn(org, x.DueAt), x.ID)
		}
		for _, a := range st.Alarms {
			t.row("alarm", a.Kind, a.Object)
		}
	})
}
