package lead

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"parley/account"
	"parley/crm/contact"
	"parley/crm/field"
	"parley/platform/civil"
	"parley/platform/db"
	"parley/platform/fault"
	"parley/trust/freetext"
)

const (
	maxSource = 80                  // characters
	maxWhy    = 1000                // characters of a reason in words
	maxValue  = 100_000_000_000_000 // of the minor unit: the sums of 90,000 such leads fit
)

// New is a lead to be made.
type New struct {
	Contact         contact.ID
	Pipeline, Stage string // "" = the first
	Value           int64  // in the currency's minor unit
	Currency        string // "" = the pipeline's, or the country's
	Source          string
	SourceDay       civil.Day // 0 = not known
	Owner           account.MemberID
	Team            account.TeamID
	Tags            []string
	// Custom are the custom fields. Required ones are asked for unless it is nil, as for leads that a program makes.
	Custom map[string]string
	Due    time.Time
	Import string
	Why    string // why the owner has it, for the history
}

// Checker checks leads to be made in one organisation, and remembers what it looked up: one for a whole import.
type Checker struct {
	s         *Leads
	org       *account.Org
	pipelines []*Pipeline
	defs      []field.Def
	owners    map[account.MemberID]error
	teams     map[account.TeamID]error
}

// Checker gives one.
func (s *Leads) Checker(ctx context.Context, c db.Conn, org *account.Org) (*Checker, error) {
	pipelines, err := s.Pipelines(ctx, c, org.ID)
	if err != nil {
		return nil, err
	}
	defs, err := s.d.Fields.Of(ctx, c, org.ID, field.OfLead)
	return &Checker{s: s, org: org, pipelines: pipelines, defs: defs, owners: map[account.MemberID]error{}, teams: map[account.TeamID]error{}}, err
}

// Check refuses a lead that cannot be made, with a sentence about the field, and puts what was written into its canonical
// form. Whether the contact is there is not looked at.
func (k *Checker) Check(ctx context.Context, c db.Conn, n *New) error {
	p, err := pipelineOf(k.pipelines, n.Pipeline)
	if err != nil {
		return err
	}
	if p.Archived {
		return fault.Field("pipeline", "The pipeline %q is archived and takes no new leads. Choose another.", p.Title)
	}
	n.Pipeline = p.Key
	if n.Stage == "" {
		n.Stage = p.Stages[0].Key
	} else if err := checkStage(p, n.Stage); err != nil {
		return err
	}
	if n.Currency, err = parseCurrency("currency", n.Currency); err != nil {
		return err
	}
	if n.Currency == "" {
		n.Currency = k.s.CurrencyOf(p, k.org)
	}
	if err := checkValue(n.Value); err != nil {
		return err
	}
	if n.Source, err = line("source", n.Source, maxSource); err != nil {
		return err
	}
	if n.Why, err = line("why", n.Why, maxWhy); err != nil {
		return err
	}
	if n.Tags, err = cleanTags(n.Tags); err != nil {
		return err
	}
	if n.Custom != nil {
		if n.Custom, err = field.Check(k.defs, n.Custom); err != nil {
			return err
		}
	}
	return k.checkWhose(ctx, c, n)
}

func (k *Checker) checkWhose(ctx context.Context, c db.Conn, n *New) error {
	err, known := k.owners[n.Owner]
	if !known {
		err = checkOwner(ctx, c, k.org.ID, n.Owner)
		if err != nil && len(fault.Fields(err)) == 0 && fault.KindOf(err) != fault.NotFound {
			return err // of the engine, not of the owner
		}
		k.owners[n.Owner] = err
	}
	if err != nil {
		return err
	}
	err, known = k.teams[n.Team]
	if !known {
		err = checkTeam(ctx, c, k.org.ID, n.Team)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		k.teams[n.Team] = err
	}
	return err
}

func checkStage(p *Pipeline, key string) error {
	st, ok := p.Stage(key)
	if !ok {
		return fault.New(fault.NotFound, "There is no stage %q in the pipeline %q.", key, p.Title)
	}
	if st.Gone {
		return fault.Field("stage", "The stage %q was taken out of the pipeline. Choose another.", st.Title)
	}
	return nil
}

func checkValue(v int64) error {
	if v < 0 || v > maxValue {
		return fault.Field("value", "A value is between 0 and %d of the currency's minor unit.", int64(maxValue))
	}
	return nil
}

// line tidies a short text in words.
func line(field, text string, most int) (string, error) {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if n := utf8.RuneCountInString(text); n > most {
		return "", fault.Field(field, "The text has %d characters; at most %d fit. Shorten it.", n, most)
	}
	return text, freetext.Check(field, text)
}
