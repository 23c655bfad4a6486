package incident

import (
	"context"
	"strconv"
	"strings"
	"time"

	"parley/account"
	"parley/platform/audit"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/id"
	"parley/trust/subject"
)

// TransferState says where the transfer of a business stands.
type TransferState string

// The states.
const (
	Announced TransferState = "announced"
	Done      TransferState = "done"
	Withdrawn TransferState = "withdrawn"
)

// shortestWindow is the shortest time to object to a transfer.
const shortestWindow = 30 * 24 * time.Hour

// Transfer is the handing over of the business, with its data, to a successor.
type Transfer struct {
	ID         string
	State      TransferState
	Successor  string
	Reason     string
	Contact    string // where objections go
	Announced  time.Time
	Until      time.Time // objections come until here; nothing is handed over before
	Policy     int       // version that the successor is bound to
	By         account.MemberID
	Told       int64 // mails that went out
	EndedBy    account.MemberID
	EndedAt    time.Time
	Objections []Objection
}

// Objection is a person's wish not to be handed over.
type Objection struct {
	Who subject.Ref
	At  time.Time
	By  account.MemberID // who wrote it down
}

type transferContent struct{ Successor, Reason, Contact string }

// Announce announces a transfer: members are told at once, and the time to object begins, thirty days at least. It says
// which version of the privacy policy binds the successor.
func (x *Incidents) Announce(ctx context.Context, by *account.Actor, t Transfer) (*Transfer, error) {
	if err := by.Require(account.ManageOrg); err != nil {
		return nil, err
	}
	now := x.d.Now()
	for _, s := range []*string{&t.Successor, &t.Reason, &t.Contact} {
		*s = strings.TrimSpace(*s)
	}
	switch {
	case t.Successor == "" || len(t.Successor) > maxTitle:
		return nil, fault.Field("successor", "Say who takes the business over.")
	case t.Contact == "" || len(t.Contact) > maxTitle:
		return nil, fault.Field("contact", "Say where people can object: an e-mail address or a telephone number.")
	case len(t.Reason) > maxText:
		return nil, fault.Field("reason", "The reason is too long.")
	case t.Until.Before(now.Add(shortestWindow)):
		return nil, fault.Field("until", "People need at least 30 days to object. Choose a later day.")
	}
	doc, err := x.d.Policy(ctx, by.Org.ID)
	if err != nil {
		return nil, err
	}
	t.ID, t.State, t.Announced, t.Policy, t.By, t.Objections = id.New("tra"), Announced, now, doc.Version, by.Member.ID, nil
	told, err := x.d.Tell(ctx, by.Org, Letter{Kind: TransferNews, Transfer: &t})
	if err != nil {
		return nil, err
	}
	t.Told = int64(told)
	return &t, x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		k, err := x.d.Keys.Org(ctx, int64(by.Org.ID))
		if err != nil {
			return err
		}
		sealed, err := sealJSON(k, "transfers|"+t.ID, transferContent{t.Successor, t.Reason, t.Contact})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO transfers (org_id, `+transferColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, $9)`,
			by.Org.ID, t.ID, t.State, ms(t.Announced), ms(t.Until), t.Policy, t.By, t.Told, sealed); err != nil {
			return err
		}
		return x.noteTransfer(ctx, tx, by, t.ID, audit.TransferChanged, map[string]string{"change": "announced", "told": strconv.Itoa(told)})
	})
}

// Object writes down that a person objects to a transfer. What they have stays behind.
func (x *Incidents) Object(ctx context.Context, by *account.Actor, transfer string, who subject.Ref) error {
	if err := by.Require(account.ManagePrivacy); err != nil {
		return err
	}
	t, err := x.transfer(ctx, by.Org.ID, transfer)
	if err != nil {
		return err
	}
	if t.State != Announced {
		return fault.New(fault.Conflict, "This transfer has ended, so nobody can object to it any more.")
	}
	return x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO transfer_objections (org_id, transfer, person, at_ms, by_member) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			by.Org.ID, transfer, who.String(), ms(x.d.Now()), by.Member.ID); err != nil {
			return err
		}
		_, err := x.d.Log.Append(ctx, tx, int64(by.Org.ID), audit.Entry{Actor: string(by.Member.ID), Action: audit.TransferChanged, About: who.String(), Object: "transfer/" + transfer,
			Details: map[string]string{"change": "objection"}})
		return err
	})
}

// HandOver lets the data go to the successor, by the given function, which leaves out whoever objected. It is refused
// before the time to object is over.
func (x *Incidents) HandOver(ctx context.Context, by *account.Actor, transfer string, export func(without []subject.Ref) error) (*Transfer, error) {
	if err := by.Require(account.ManageOrg); err != nil {
		return nil, err
	}
	t, err := x.transfer(ctx, by.Org.ID, transfer)
	if err != nil {
		return nil, err
	}
	now := x.d.Now()
	switch {
	case t.State != Announced:
		return nil, fault.New(fault.Conflict, "This transfer has ended already.")
	case now.Before(t.Until):
		return nil, fault.New(fault.Denied, "People can object to this transfer until %s. Nothing is handed over before.", t.Until.In(by.Org.Location()).Format(time.DateOnly))
	}
	var without []subject.Ref
	for _, o := range t.Objections {
		without = append(without, o.Who)
	}
	if err := export(without); err != nil {
		return nil, err
	}
	return t, x.endTransfer(ctx, by, t, Done, audit.TransferExported)
}

// Withdraw ends a transfer that will not happen.
func (x *Incidents) Withdraw(ctx context.Context, by *account.Actor, transfer string) (*Transfer, error) {
	if err := by.Require(account.ManageOrg); err != nil {
		return nil, err
	}
	t, err := x.transfer(ctx, by.Org.ID, transfer)
	if err != nil {
		return nil, err
	}
	return t, x.endTransfer(ctx, by, t, Withdrawn, audit.TransferChanged)
}

func (x *Incidents) endTransfer(ctx context.Context, by *account.Actor, t *Transfer, state TransferState, action audit.Action) error {
	t.State, t.EndedBy, t.EndedAt = state, by.Member.ID, x.d.Now()
	return x.d.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE transfers SET state = $3, ended_by = $4, ended_ms = $5 WHERE org_id = $1 AND id = $2 AND state = 'announced'`,
			by.Org.ID, t.ID, t.State, t.EndedBy, ms(t.EndedAt))
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "This transfer has ended already.")
		}
		if err != nil {
			return err
		}
		return x.noteTransfer(ctx, tx, by, t.ID, action, map[string]string{"change": string(state), "without": strconv.Itoa(len(t.Objections))})
	})
}

// Transfer gives one transfer with the objections to it.
func (x *Incidents) Transfer(ctx context.Context, by *account.Actor, transfer string) (*Transfer, error) {
	if err := by.Require(account.ReadPrivacy); err != nil {
		return nil, err
	}
	return x.transfer(ctx, by.Org.ID, transfer)
}

// Transfers lists the transfers of an organisation, newest first.
func (x *Incidents) Transfers(ctx context.Context, by *account.Actor) ([]*Transfer, error) {
	if err := by.Require(account.ReadPrivacy); err != nil {
		return nil, err
	}
	all, err := db.Select(ctx, x.d.DB, x.scanTransfer(ctx, by.Org.ID), `SELECT `+transferColumns+` FROM transfers WHERE org_id = $1 ORDER BY announced_ms DESC, id DESC`, by.Org.ID)
	for _, t := range all {
		if err == nil {
			err = x.addObjections(ctx, by.Org.ID, t)
		}
	}
	return all, err
}

func (x *Incidents) transfer(ctx context.Context, org account.OrgID, transfer string) (*Transfer, error) {
	t, ok, err := db.One(ctx, x.d.DB, x.scanTransfer(ctx, org), `SELECT `+transferColumns+` FROM transfers WHERE org_id = $1 AND id = $2`, org, transfer)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no transfer %q.", transfer)
	}
	return t, x.addObjections(ctx, org, t)
}

func (x *Incidents) addObjections(ctx context.Context, org account.OrgID, t *Transfer) (err error) {
	t.Objections, err = db.Select(ctx, x.d.DB, func(r db.Scanner) (o Objection, err error) {
		var person string
		var objected int64
		if err := r.Scan(&person, &objected, &o.By); err != nil {
			return o, err
		}
		o.At = at(objected)
		o.Who, err = subject.Parse(person)
		return o, err
	}, `SELECT person, at_ms, by_member FROM transfer_objections WHERE org_id = $1 AND transfer = $2 ORDER BY at_ms, person`, org, t.ID)
	return err
}

const transferColumns = `id, state, announced_ms, until_ms, policy, announced_by, told, ended_by, ended_ms, sealed`

func (x *Incidents) scanTransfer(ctx context.Context, org account.OrgID) func(db.Scanner) (*Transfer, error) {
	return func(r db.Scanner) (*Transfer, error) {
		var t Transfer
		var announced, until, ended int64
		var sealed []byte
		if err := r.Scan(&t.ID, &t.State, &announced, &until, &t.Policy, &t.By, &t.Told, &t.EndedBy, &ended, &sealed); err != nil {
			return nil, err
		}
		t.Announced, t.Until, t.EndedAt = at(announced), at(until), at(ended)
		k, err := x.d.Keys.Org(ctx, int64(org))
		if err != nil {
			return nil, err
		}
		var c transferContent
		err = openJSON(k, "transfers|"+t.ID, sealed, &c)
		t.Successor, t.Reason, t.Contact = c.Successor, c.Reason, c.Contact
		return &t, err
	}
}

func (x *Incidents) noteTransfer(ctx context.Context, tx *db.Tx, by *account.Actor, transfer string, action audit.Action, details map[string]string) error {
	_, err := x.d.Log.Append(ctx, tx, int64(by.Org.ID), audit.Entry{Actor: string(by.Member.ID), Action: action, Object: "transfer/" + transfer, Details: details})
	return err
}
