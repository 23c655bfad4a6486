package app

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"parley/account"
	"parley/calls/device"
	"parley/calls/number"
	"parley/calls/person"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/revoke"
	"parley/platform/vault"
	"parley/trust/rights"
	"parley/trust/subject"
)

// Replay is what happened since a backup was made, and must be so in the restored data too before anybody sees it.
type Replay struct {
	Erased   []vault.Erasure // since then
	Revoked  []revoke.Entry  // since then
	Live     *Parley         // the data that is replaced; nil when there is none of this installation, or it cannot be opened
	Restored *Parley         // the keys of the erased may be there still
	Notes    []string        // sentences for who restores
}

// replays are the steps that carry over what happened since, in their order. Each does no harm when it runs twice.
func replays() []func(context.Context, *Replay) error {
	return []func(context.Context, *Replay) error{replayClosedOrgs, replayNumbering, replayErasures, replayRecords, replayMembers, replayRevoked, replayStates}
}

func (r *Replay) run(ctx context.Context) error {
	for _, step := range replays() {
		if err := step(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// replayClosedOrgs removes organisations that were closed since.
func replayClosedOrgs(ctx context.Context, r *Replay) error {
	for _, e := range r.Erased {
		if e.Subject != vault.Everybody || e.Org <= 0 {
			continue
		}
		// A hold of then may have been lifted since: that it was closed shows that it could be.
		may := func(context.Context, *db.Tx) error { return nil }
		if err := r.Restored.removeRows(ctx, account.OrgID(e.Org), may); err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	return nil
}

// eachOrg visits the organisations that are in the restored data and, where that is open, in the live data.
func (r *Replay) eachOrg(ctx context.Context, do func(org *account.Org) error) error {
	orgs, err := r.Restored.Accounts.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, o := range orgs {
		if r.Live != nil {
			_, err := r.Live.Accounts.Org(ctx, o.ID)
			if fault.KindOf(err) == fault.NotFound {
				continue
			}
			if err != nil {
				return err
			}
		}
		if err := do(o); err != nil {
			return err
		}
	}
	return nil
}

// replayNumbering lets nobody get the id of a person who came after the backup: records that are carried over say it.
func replayNumbering(ctx context.Context, r *Replay) error {
	if r.Live == nil {
		return nil
	}
	return r.eachOrg(ctx, func(o *account.Org) error {
		given, err := r.Live.Book.Count(ctx, r.Live.DB, o.ID)
		if err != nil {
			return err
		}
		return r.Restored.DB.Tx(ctx, func(tx *db.Tx) error { return r.Restored.Book.Reserve(ctx, tx, o.ID, given) })
	})
}

// callsStore is the store that replayErasures asks for all persons at once.
const callsStore = "calls"

// replayErasures erases the persons outside who were erased since, and leaves their tombstones.
func replayErasures(ctx context.Context, r *Replay) error {
	at := map[account.OrgID]map[number.ID]time.Time{}
	for _, e := range r.Erased {
		if e.Subject <= 0 || e.Org <= 0 {
			continue
		}
		org := account.OrgID(e.Org)
		if at[org] == nil {
			at[org] = map[number.ID]time.Time{}
		}
		at[org][number.ID(e.Subject)] = e.At
	}
	return r.eachOrg(ctx, func(o *account.Org) error {
		for n, when := range at[o.ID] {
			for _, who := range []subject.Ref{subject.OfNumber(int64(n)), subject.OfContact(int64(n))} { // a key is of one or the other
				if err := r.Restored.Rights.EraseBeside(ctx, o.ID, who, callsStore, rights.Decision{At: when}); err != nil {
					return err
				}
			}
		}
		return r.Restored.Persons.EraseAgain(ctx, o, r.Restored.Consents, at[o.ID])
	})
}

// replayRecords carries over what must never be known less of than is known: the audit log, the policy, holds, consents and
// suppressions, requests and restrictions, incidents, and orders to phones.
func replayRecords(ctx context.Context, r *Replay) error {
	if r.Live == nil {
		return nil
	}
	from, to := r.Live, r.Restored
	if err := to.DB.Tx(ctx, func(tx *db.Tx) error { return to.Audit.Carry(ctx, from.Audit, tx, 0) }); err != nil {
		return err
	}
	return r.eachOrg(ctx, func(o *account.Org) error {
		return to.DB.Tx(ctx, func(tx *db.Tx) error {
			rename := func(who subject.Ref) (subject.Ref, error) { return r.rename(ctx, tx, o.ID, who) }
			for _, carry := range []func() error{
				func() error { return to.Audit.Carry(ctx, from.Audit, tx, int64(o.ID)) },
				func() error { return to.Policies.Carry(ctx, from.Policies, tx, o.ID) },
				func() error { return to.Holds.Carry(ctx, from.Holds, tx, o.ID, rename) },
				func() error { return to.Consents.Carry(ctx, from.Consents, tx, o.ID, rename) },
				func() error { return to.Rights.Carry(ctx, from.Rights, tx, o.ID, rename) },
				func() error { return to.Incidents.Carry(ctx, from.Incidents, tx, o.ID, rename) },
				func() error { return to.Attested.Carry(ctx, from.Attested, tx, o.ID) },
				func() error { return to.Devices.CarryOrders(ctx, from.Devices, tx, o.ID) },
			} {
				if err := carry(); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// rename tells who a person of the live data is in the restored data: who has the same number, entered where the backup does
// not know it.
func (r *Replay) rename(ctx context.Context, tx *db.Tx, org account.OrgID, who subject.Ref) (subject.Ref, error) {
	if who.Kind != subject.Number {
		return who, nil
	}
	n := number.ID(who.Num())
	texts, err := r.Live.Book.Texts(ctx, r.Live.DB, org, []number.ID{n})
	if err != nil {
		return who, err
	}
	text, ok := texts[n]
	if !ok { // erased there, or archived: nobody else gets the id, see replayNumbering
		return who, nil
	}
	return person.InBook(r.Restored.Book).Make(ctx, tx, org, text)
}

// replayMembers ends the access that has ended since, and erases the members who were erased since.
func replayMembers(ctx context.Context, r *Replay) error {
	if r.Live == nil {
		return nil
	}
	return r.eachOrg(ctx, func(o *account.Org) error {
		var erased []account.MemberID
		if err := r.Restored.DB.Tx(ctx, func(tx *db.Tx) (err error) {
			erased, err = r.Restored.Accounts.Carry(ctx, r.Live.Accounts, tx, o.ID)
			return err
		}); err != nil {
			return err
		}
		for _, m := range erased {
			err := r.Restored.Rights.EraseBeside(ctx, o.ID, subject.OfMember(string(m)), "", rights.Decision{At: r.Restored.Now()})
			if fault.KindOf(err) == fault.Conflict {
				r.Notes = append(r.Notes, "The member "+string(m)+" of "+o.Name+" was erased since, and could not be erased in the backup: "+fault.Sentence(err))
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// replayRevoked takes away the access that was taken away since. Where the data that is replaced cannot tell which sessions,
// links, invitations and codes still stand, none does.
func replayRevoked(ctx context.Context, r *Replay) error {
	return r.Restored.DB.Tx(ctx, func(tx *db.Tx) error {
		if r.Live == nil {
			if err := errors.Join(account.EndVisits(ctx, tx), device.EndCodes(ctx, tx)); err != nil {
				return err
			}
			r.Notes = append(r.Notes, "Everybody signs in anew. Invitations, links and pairing codes that were on their way must be sent again.")
		}
		passwords := 0
		for _, e := range r.Revoked {
			if e.What == revoke.Phone {
				if err := r.Restored.Devices.TakeAway(ctx, tx, account.OrgID(e.Org), e.ID, e.At); err != nil {
					return err
				}
				continue
			}
			kept, err := r.Restored.Accounts.TakeAway(ctx, tx, e)
			if err != nil {
				return err
			}
			if kept {
				r.Notes = append(r.Notes, "The member "+e.ID+" is not an active owner any more, but is the only one in the backup, and so stays one. Look under People.")
			}
			if e.What == revoke.Password {
				passwords++
			}
		}
		if passwords > 0 {
			r.Notes = append(r.Notes, "Whoever changed their password since sets a new one, under \"Forgot password\" or with \"parley user reset-link\".")
		}
		return nil
	})
}

// replayStates removes what was removed of people whom a law keeps locked, and restricts whom a request restricts.
func replayStates(ctx context.Context, r *Replay) error {
	if r.Live == nil {
		return nil
	}
	return r.eachOrg(ctx, func(o *account.Org) error {
		if err := r.Restored.Rights.LockAgain(ctx, o.ID); err != nil {
			return err
		}
		return r.Restored.heed(ctx, o.ID, subject.Ref{}, true)
	})
}

// openLive opens the data that a restore replaces, to learn from it. It gives nil when there is none of the same
// installation, and says on the way when there is some that cannot be opened.
func openLive(ctx context.Context, r *Run, restoring *Parley, store string) (*Parley, error) {
	if !exists(r.Config.Data) {
		return nil, nil
	}
	live := &Parley{Config: r.Config, Log: r.Config.logger(r.Err), Now: time.Now, Out: restoring.Out, master: restoring.master}
	keys, err := vault.Open(ctx, r.Config.Data, restoring.master)
	if err == nil {
		live.Keys = keys
		if keys.StoreID() != store {
			return nil, live.Close()
		}
		err = live.openData(ctx)
	}
	if err == nil {
		return live, nil
	}
	if err := errors.Join(live.Close(), ctx.Err()); err != nil {
		return nil, err
	}
	return nil, r.printf("The data in %s cannot be opened, so what was erased lately is known from the file %s alone. (%s)\n",
		r.Config.Data, vault.ErasedFile, fault.Sentence(readable(err, filepath.Join(r.Config.Data, dataFile))))
}
