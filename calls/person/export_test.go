package person

import (
	"context"

	"parley/account"
	"parley/trust/subject"
)

// Copies takes the tables of a person's copy.
type Copies = copies

// Export writes what calls hold of a person.
func (p *Persons) Export(ctx context.Context, org account.OrgID, who subject.Ref, out Copies) error {
	return p.export(ctx, org, who, out)
}
