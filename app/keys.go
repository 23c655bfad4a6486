package app

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"

	"parley/platform/fault"
	"parley/platform/vault"
)

type keysCmd struct {
	Status keysStatusCmd `cmd:"" default:"1" help:"Show which keys there are. None is shown itself."`
	Rotate keysRotateCmd `cmd:"" help:"Change a key. No content is written anew; only --index makes indexes anew."`
}

type keysStatusCmd struct{ asJSON }

// keysView is what "parley keys status" shows.
type keysView struct {
	Master        string    `json:"master_key"`
	Store         string    `json:"key_store"`
	Organisations []orgKeys `json:"organisations"`
	Epochs        []string  `json:"backup_days"`
	Erased        int       `json:"destroyed_keys"`
}

type orgKeys struct {
	Org   int64 `json:"organisation"` // 0 = the installation itself
	Index int64 `json:"index_generation"`
}

func (c *keysStatusCmd) onData(ctx context.Context, r *Run) error {
	v := keysView{Master: r.p.Keys.MasterID(), Store: r.p.Keys.StoreID(), Epochs: []string{}}
	orgs, err := r.p.Keys.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		generation, _, err := r.p.Keys.IndexGeneration(ctx, org)
		if err != nil {
			return err
		}
		v.Organisations = append(v.Organisations, orgKeys{org, generation})
	}
	for _, day := range r.p.Keys.Epochs().Days() {
		v.Epochs = append(v.Epochs, day.String())
	}
	raw, err := r.p.Keys.ErasedFile()
	if err != nil {
		return err
	}
	erased, err := vault.ReadErasures(raw)
	if err != nil {
		return err
	}
	v.Erased = len(erased)
	return c.write(r, v, func(t *table) {
		t.row("master key", v.Master)
		t.row("key store", v.Store)
		t.row("days whose backups open", len(v.Epochs))
		t.row("destroyed keys", v.Erased)
		t.row(" ")
		t.row("ORGANISATION", "INDEX KEY")
		for _, o := range v.Organisations {
			name := strconv.FormatInt(o.Org, 10)
			if o.Org == 0 {
				name = "installation"
			}
			t.row(name, "generation "+strconv.FormatInt(o.Index, 10))
		}
	})
}

type keysRotateCmd struct {
	Master bool   `help:"The master key: a new one in the place of the file, or the one that --to names."`
	To     string `placeholder:"PLACE" help:"With --master: a file to make the new key in, or vault://HOST/transit/KEY."`
	Index  bool   `help:"The index keys, of all organisations or the one of --org. The server must not run."`
	inOrg
}

func (c *keysRotateCmd) onData(ctx context.Context, r *Run) error {
	switch {
	case c.Master && (c.Index || c.Org != "") || c.To != "" && !c.Master || !c.Master && !c.Index && c.Org == "":
		return fault.New(fault.Invalid, "Say which key to change: --master, --org NAME, or --index.")
	case c.Master:
		return c.rotateMaster(ctx, r)
	case c.Index:
		return c.rotateIndexes(ctx, r)
	default:
		org, err := c.find(ctx, r)
		if err != nil {
			return err
		}
		if err := r.p.Keys.RotateOrg(ctx, int64(org.ID)); err != nil {
			return err
		}
		return r.printf("%s has a new key. The keys under it were sealed anew, and no content was.\n", org.Name)
	}
}

// rotateMaster moves the tree of keys under another master key, and tells the places that have backups.
func (c *keysRotateCmd) rotateMaster(ctx context.Context, r *Run) error {
	path := filepath.Join(r.Config.Data, masterFile)
	own := c.To == "" && r.Config.MasterKey == "" // the file in the data folder
	if c.To == "" && !own {
		return fault.New(fault.Invalid, "The master key comes from %s. Say with --to where the new one is: a file to make it in, or vault://HOST/transit/KEY.", r.Config.masterName())
	}
	var next vault.Master
	var err error
	switch {
	case own:
		next, err = vault.NextMaster(path)
	case vault.IsTransit(c.To):
		to := *r.Config
		to.MasterKey = c.To
		next, err = (&Parley{Config: &to, Now: r.p.Now}).openMaster()
	default:
		next, err = vault.NewMasterFile(r.path(c.To))
	}
	if err != nil {
		return err
	}
	if err := r.p.Keys.RotateMaster(ctx, next); err != nil {
		return err
	}
	if own {
		if err := vault.AdoptMaster(path); err != nil {
			return err
		}
	}
	r.p.master, r.p.Backups.Master = next, next
	if err := r.printf("The master key is now %s. The old one opens nothing any more.\n%s\n", next.KeyID(), c.after(r, own)); err != nil {
		return err
	}
	if err := r.p.Backups.Sync(ctx); err != nil {
		return fault.Wrap(fault.KindOf(err), err, "The master key was changed, but not every place with backups could be told: %s Run \"parley backup sync\" when it can.", fault.Sentence(err))
	}
	return nil
}

// after says what is left to do.
func (c *keysRotateCmd) after(r *Run, own bool) string {
	switch {
	case own:
		return "Copy " + filepath.Join(r.Config.Data, masterFile) + " to another place now: if it is lost, the data is gone."
	case vault.IsTransit(c.To):
		return "Set master_key to " + c.To + " before the next start, or nothing will open."
	default:
		return "Set PARLEY_MASTER_KEY_FILE to " + r.path(c.To) + " before the next start, and keep a copy in another place: if it is lost, the data is gone."
	}
}

func (c *keysRotateCmd) rotateIndexes(ctx context.Context, r *Run) error {
	if r.served {
		return fault.New(fault.Conflict, "The index keys cannot be changed while the server runs: every index is made anew. Stop the server first.")
	}
	orgs, err := r.p.Keys.Orgs(ctx)
	if err != nil {
		return err
	}
	if c.Org != "" {
		org, err := c.find(ctx, r)
		if err != nil {
			return err
		}
		orgs = slices.DeleteFunc(orgs, func(n int64) bool { return n != int64(org.ID) })
	}
	for _, org := range orgs {
		if err := r.p.rotateIndex(ctx, org); err != nil {
			return err
		}
	}
	return r.printf("%d index keys were changed, and every index was made anew. Addresses of pages about single numbers have changed with them.\n", len(orgs))
}
