package app

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/platform/vault"
)

// Replay is what happened since a backup was made, and must be so in the restored data too before anybody sees it.
type Replay struct {
	Since    time.Time
	Erased   []vault.Erasure // since then; their keys are destroyed in the restored store already
	Live     *Parley         // the data that is replaced; nil when there is none of this installation, or it cannot be opened
	Restored *Parley
}

// replays are the steps that carry over what happened since: erasures, tombstones, suppressions, holds. Each must do no
// harm when it runs twice.
func replays() []func(context.Context, *Replay) error {
	return []func(context.Context, *Replay) error{replayClosedOrgs}
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
