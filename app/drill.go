package app

import "context"

type drillCmd struct {
	asJSON
	Place string `arg:"" optional:"" help:"Folder or bucket; the one of backup.target when none is named."`
}

func (c *drillCmd) onData(ctx context.Context, r *Run) error {
	show, done := r.progress()
	result, err := r.p.Backups.Drill(ctx, r.place(c.Place), show)
	done()
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(r, result)
	}
	return r.printf("The backup %s\nIt was restored for trial, opened as a start would, and removed again.\n", result.Sentence)
}
