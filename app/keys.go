package app

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"

	"parley/platform/audit"
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
	Log    bool   `help:"The keys that sign audit logs, of the installation and all organisations or the one of --org."`
	inOrg
}

func (c *keysRotateCmd) onData(ctx context.Context, r *Run) error {
	switch what := c.what(); {
	case c.Master && c.Org != "" || c.To != "" && !c.Master || what == "":
		return fault.New(fault.Invalid, "Say which key to change: --master, --org NAME, --index, or --log.")
	case c.Master:
		return c.rotateMaster(ctx, r)
	case c.Index:
		return c.rotateIndexes(ctx, r)
	case c.Log:
		return c.rotateLogs(ctx, r)
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

// what is the kind of key that is meant; "" when that is none or more than one.
func (c *keysRotateCmd) what() string {
	switch {
	case c.Master && !c.Index && !c.Log:
		return "master"
	case c.Index && !c.Master && !c.Log:
		return "index"
	case c.Log && !c.Master && !c.Index:
		return "log"
	case !c.Master && !c.Index && !c.Log && c.Org != "":
		return "organisation"
	default:
		return ""
	}
}

// orgs are the organisations whose keys are meant, 0 for the installation.
func (c *keysRotateCmd) orgs(ctx context.Context, r *Run) ([]int64, error) {
	if c.Master {
		return []int64{0}, nil
	}
	if c.Org != "" {
		org, err := c.find(ctx, r)
		if err != nil {
			return nil, err
		}
		return []int64{int64(org.ID)}, nil
	}
	return r.p.Keys.Orgs(ctx)
}

// logged carries the change out and enters it in the log of each organisation whose key it is, as what it is.
func (c *keysRotateCmd) logged(ctx context.Context, r *Run) error {
	orgs, err := c.orgs(ctx, r)
	if err == nil {
		err = c.onData(ctx, r)
	}
	if c.Log && err == nil { // each log has it already, in the transaction of the change
		return nil
	}
	if len(orgs) == 0 {
		orgs = []int64{0}
	}
	what := c.what()
	e := audit.Entry{Actor: audit.Operator, Action: audit.KeyChanged, Object: "key", Purpose: "security"}
	if what != "" {
		e.Object, e.Details = "key/"+what, map[string]string{"what": what}
	}
	if err != nil {
		e.Result = "failed"
	}
	for _, org := range orgs {
		err = errors.Join(err, r.p.Audit.Record(context.WithoutCancel(ctx), org, e))
	}
	return err
}

// rotateLogs gives audit logs other keys to sign their checkpoints with.
func (c *keysRotateCmd) rotateLogs(ctx context.Context, r *Run) error {
	orgs, err := c.orgs(ctx, r)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		key, err := r.p.Audit.RotateKey(ctx, org, audit.Operator)
		if err != nil {
			return err
		}
		if err := r.printf("%s\n", key); err != nil {
			return err
		}
	}
	return r.printf("%d audit logs are signed with new keys. Tell the new keys to whoever verifies: \"parley audit checkpoint --keys\" writes them with the old ones, which what was signed before still needs.\n", len(orgs))
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
	orgs, err := c.orgs(ctx, r)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := r.p.rotateIndex(ctx, org); err != nil {
			return err
		}
	}
	return r.printf("%d index keys were changed, and every index was made anew. Addresses of pages about single numbers have changed with them.\n", len(orgs))
}
