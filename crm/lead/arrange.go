package lead

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/account"
	"parley/platform/db"
	"parley/platform/fault"
)

const (
	maxTitle     = 80 // characters of a title
	maxStages    = 30
	maxPipelines = 50
	maxReasons   = 100
)

var keyForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,39}$`)

// SavePipeline changes a pipeline, or makes one when p.Key is "". p.Rev is the one that the editor saw. Stages that p leaves
// out are taken out of the pipeline: a Conflict while open leads stand in one. A new stage may come without a key.
func (s *Leads) SavePipeline(ctx context.Context, tx *db.Tx, org *account.Org, by account.MemberID, p Pipeline) (*Pipeline, error) {
	if err := s.settle(ctx, tx, org.ID); err != nil {
		return nil, err
	}
	if err := s.lockPipelines(ctx, tx, org.ID); err != nil {
		return nil, err
	}
	all, err := s.Pipelines(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	have := &Pipeline{}
	if p.Key != "" {
		if have, err = pipelineOf(all, p.Key); err != nil {
			return nil, err
		}
		if p.Rev != have.Rev {
			return nil, s.pipelineChanged(ctx, tx, org, p.Key)
		}
	} else {
		p.Key = freeKey(p.Title, "pipeline", func(k string) bool { return slices.ContainsFunc(all, func(o *Pipeline) bool { return o.Key == k }) })
		p.Rev = 0
		p.Place = max(p.Place, len(all)) // the first pipeline stays the first until somebody says otherwise
	}
	if len(all) >= maxPipelines && have.Key == "" {
		return nil, fault.New(fault.Invalid, "There are %d pipelines, and no more fit. Archive one that is not used.", maxPipelines)
	}
	if err := tidyPipeline(&p, have, all); err != nil {
		return nil, err
	}
	if err := s.checkGone(ctx, tx, org.ID, have, &p); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO pipelines (org_id, pipeline, title, place, currency, win_reason, lose_reason, archived, rev, changed_ms, changed_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (org_id, pipeline) DO UPDATE SET title = excluded.title, place = excluded.place, currency = excluded.currency, win_reason = excluded.win_reason,
		lose_reason = excluded.lose_reason, archived = excluded.archived, rev = excluded.rev, changed_ms = excluded.changed_ms, changed_by = excluded.changed_by`,
		org.ID, p.Key, p.Title, p.Place, p.Currency, flag(p.WinReason), flag(p.LoseReason), flag(p.Archived), p.Rev+1, s.d.Now().UnixMilli(), by); err != nil {
		return nil, err
	}
	if err := putStages(ctx, tx, org.ID, &p); err != nil {
		return nil, err
	}
	return s.Pipeline(ctx, tx, org.ID, p.Key)
}

// lockPipelines lets one change an organisation's pipelines at a time.
func (s *Leads) lockPipelines(ctx context.Context, tx *db.Tx, org account.OrgID) error {
	_, err := tx.Exec(ctx, `UPDATE pipelines SET rev = rev WHERE org_id = $1`, org)
	return err
}

func (s *Leads) pipelineChanged(ctx context.Context, c db.Conn, org *account.Org, key string) error {
	type change struct {
		by account.MemberID
		ms int64
	}
	last, _, err := db.One(ctx, c, func(r db.Scanner) (x change, err error) { return x, r.Scan(&x.by, &x.ms) },
		`SELECT changed_by, changed_ms FROM pipelines WHERE org_id = $1 AND pipeline = $2`, org.ID, key)
	if err != nil {
		return err
	}
	who, err := memberName(ctx, c, org.ID, last.by)
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "%s changed this pipeline on %s, after you opened it. Nothing was saved. Open it again and make your change there.", who, moment(at(last.ms), org))
}

// tidyPipeline checks what somebody wrote and puts keys to new stages. Stages of have that p leaves out are added as gone.
func tidyPipeline(p, have *Pipeline, all []*Pipeline) error {
	var err error
	if p.Title, err = title("title", p.Title); err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(o *Pipeline) bool { return o.Key != p.Key && !o.Archived && strings.EqualFold(o.Title, p.Title) }) {
		return fault.Field("title", "There is a pipeline %q already. Choose another name.", p.Title)
	}
	if p.Currency, err = parseCurrency("currency", p.Currency); err != nil {
		return err
	}
	if p.Archived && !slices.ContainsFunc(all, func(o *Pipeline) bool { return o.Key != p.Key && !o.Archived }) {
		return fault.Field("archived", "This is the only pipeline. Make another before you archive it.")
	}
	stages := slices.DeleteFunc(slices.Clone(p.Stages), func(s Stage) bool { return s.Gone })
	if len(stages) == 0 || len(stages) > maxStages {
		return fault.Field("stages", "A pipeline has between 1 and %d stages.", maxStages)
	}
	used := map[string]bool{}
	for _, st := range have.Stages {
		used[st.Key] = true
	}
	kept, titles := map[string]bool{}, map[string]bool{}
	for i := range stages {
		st := &stages[i]
		if st.Title, err = title("stages", st.Title); err != nil {
			return err
		}
		if st.Probability < 0 || st.Probability > 100 {
			return fault.Field("stages", "The stage %q has a probability of %d per cent. Write a number between 0 and 100.", st.Title, st.Probability)
		}
		if st.Key == "" {
			st.Key = freeKey(st.Title, "stage", func(k string) bool { return used[k] })
		} else if !keyForm.MatchString(st.Key) {
			return fault.Field("stages", "%q cannot be the key of a stage. Use at most 40 small letters, digits and underscores.", st.Key)
		}
		if kept[st.Key] || titles[strings.ToLower(st.Title)] {
			return fault.Field("stages", "The stage %q is there twice. Give each stage a name of its own.", st.Title)
		}
		used[st.Key], kept[st.Key], titles[strings.ToLower(st.Title)] = true, true, true
	}
	for _, st := range have.Stages {
		if !kept[st.Key] {
			st.Gone = true
			stages = append(stages, st)
		}
	}
	p.Stages = stages
	return nil
}

// checkGone refuses to take away what open leads stand in.
func (s *Leads) checkGone(ctx context.Context, c db.Conn, org account.OrgID, have, p *Pipeline) error {
	type count struct {
		stage string
		n     int
	}
	open, err := db.Select(ctx, c, func(r db.Scanner) (x count, err error) { return x, r.Scan(&x.stage, &x.n) },
		`SELECT stage, count(*) FROM leads WHERE org_id = $1 AND pipeline = $2 AND state = 0 GROUP BY stage ORDER BY stage`, org, have.Key)
	if err != nil {
		return err
	}
	for _, o := range open {
		if p.Archived {
			return fault.New(fault.Conflict, "There are open leads in the pipeline %q (%d at one of its stages). Close them or move them to another pipeline first.", have.Title, o.n)
		}
		if st, ok := p.Stage(o.stage); ok && st.Gone {
			return fault.New(fault.Conflict, "There are %d open leads at the stage %q. Move them to another stage first.", o.n, st.Title)
		}
	}
	return nil
}

// SaveReasons says why leads are won and lost. Reasons that are left out are not offered any more; a new one may come without
// a key.
func (s *Leads) SaveReasons(ctx context.Context, tx *db.Tx, org *account.Org, reasons []Reason) ([]Reason, error) {
	if err := s.settle(ctx, tx, org.ID); err != nil {
		return nil, err
	}
	have, err := s.Reasons(ctx, tx, org.ID)
	if err != nil {
		return nil, err
	}
	if len(reasons) > maxReasons {
		return nil, fault.Field("reasons", "There are %d reasons; at most %d fit.", len(reasons), maxReasons)
	}
	states := map[string]State{}
	for _, r := range have {
		states[r.Key] = r.State
	}
	out, kept := slices.Clone(reasons), map[string]bool{}
	for i := range out {
		r := &out[i]
		if r.Title, err = title("reasons", r.Title); err != nil {
			return nil, err
		}
		if r.State != Won && r.State != Lost {
			return nil, fault.Field("reasons", "Say of the reason %q whether leads are won or lost for it.", r.Title)
		}
		if r.Key == "" {
			r.Key = freeKey(r.Title, "reason", func(k string) bool { _, ok := states[k]; return ok })
		}
		if old, ok := states[r.Key]; !keyForm.MatchString(r.Key) || ok && old != r.State || kept[r.Key] {
			return nil, fault.Field("reasons", "The reason %q has a key that another reason has, or that is not made of small letters, digits and underscores.", r.Title)
		}
		states[r.Key], kept[r.Key] = r.State, true
	}
	for _, r := range have {
		if !kept[r.Key] {
			r.Gone = true
			out = append(out, r)
		}
	}
	if err := putReasons(ctx, tx, org.ID, out); err != nil {
		return nil, err
	}
	return s.Reasons(ctx, tx, org.ID)
}

// title tidies a title that somebody wrote.
func title(field, text string) (string, error) {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if n := utf8.RuneCountInString(text); n == 0 || n > maxTitle {
		return "", fault.Field(field, "A name has between 1 and %d characters; this one has %d.", maxTitle, n)
	}
	return text, nil
}

// freeKey makes a key out of a title that nothing else has.
func freeKey(text, usual string, taken func(string) bool) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
		if b.Len() >= 30 {
			break
		}
	}
	base := strings.Trim(b.String(), "_")
	if base == "" {
		base = usual
	}
	key := base
	for n := 2; taken(key); n++ {
		key = base + "_" + strconv.Itoa(n)
	}
	return key
}
