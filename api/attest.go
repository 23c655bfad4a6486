package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"parley/account"
	"parley/trust/attest"
	"parley/trust/subject"
)

const tagAttest = "Attestations"

// Duty is something that people attest by a day, since no program can prove it.
type Duty struct {
	ID        string           `json:"id"`
	Kind      attest.Kind      `json:"kind" enum:"audit,training,scan"`
	Title     string           `json:"title"`
	Member    account.MemberID `json:"member,omitempty" doc:"Of a training: who is trained"`
	EveryDays int              `json:"every_days" doc:"0 is once, and for a scan once for each release"`
	DueAt     *time.Time       `json:"due_at,omitempty" doc:"Absent when it is never due again by its day"`
	Overdue   bool             `json:"overdue" doc:"A scan is also overdue when another release runs than the one that was scanned"`
	CreatedAt *time.Time       `json:"created_at"`
	Last      *Attested        `json:"last,omitempty" doc:"What was attested last"`
	Results   []Attested       `json:"results,omitempty" doc:"Of one duty that was asked for, newest first"`
}

// Attested is a result that somebody signed.
type Attested struct {
	N       int64            `json:"n" doc:"Counted per duty, from 1"`
	Result  attest.Result    `json:"result" enum:"passed,findings,failed"`
	Release string           `json:"release,omitempty" doc:"Of a scan: the version of the program"`
	Note    string           `json:"note,omitempty"`
	Signer  account.MemberID `json:"signer,omitempty" doc:"Absent when it was the operator"`
	DoneAt  *time.Time       `json:"done_at"`
	NextAt  *time.Time       `json:"next_at,omitempty" doc:"When it is due again"`
}

// NewDuty puts a duty on the list.
type NewDuty struct {
	Kind      string           `json:"kind" enum:"audit,training,scan"`
	Title     string           `json:"title" minLength:"1" maxLength:"200"`
	Member    account.MemberID `json:"member,omitempty" doc:"Of a training: who is trained"`
	EveryDays int              `json:"every_days,omitempty" minimum:"0" maximum:"1830"`
	DueAt     time.Time        `json:"due_at" doc:"The end of the last day on which it is in time"`
}

// NewAttested is a result to be signed.
type NewAttested struct {
	Result string     `json:"result" enum:"passed,findings,failed" doc:"What failed is kept, and stays due"`
	Note   string     `json:"note,omitempty" maxLength:"4000" doc:"Needed unless it passed: what was found, or where the report is"`
	DoneAt *time.Time `json:"done_at,omitempty" doc:"Now, when it is left out"`
	NextAt *time.Time `json:"next_at,omitempty" doc:"When it is due again; counted from every_days when it is left out"`
}

// DutyPath names a duty.
type DutyPath struct {
	Duty string `path:"duty"`
}

func (s *API) attestations() {
	handle(s, does(http.MethodGet, "/attestations", "list-attestations", account.ReadPrivacy, tagAttest, "List what people attest").
		saying("What is overdue first, then what is due next."), s.listDuties)
	handle(s, does(http.MethodPost, "/attestations", "add-attestation", account.ManagePrivacy, tagAttest, "Put a duty on the list").giving(http.StatusCreated), s.addDuty)
	handle(s, does(http.MethodGet, "/attestations/{duty}", "get-attestation", account.ReadPrivacy, tagAttest, "One duty with its results"),
		func(ctx context.Context, in *DutyPath) (*body[Duty], error) {
			d, err := s.Attested.Get(ctx, callerOf(ctx).org.ID, in.Duty)
			return s.dutyAnswer(ctx, d, err)
		})
	handle(s, does(http.MethodPost, "/attestations/{duty}/results", "sign-attestation", account.ManagePrivacy, tagAttest, "Attest a result").
		saying("It becomes a statement in the name of the caller's member, which the audit log certifies.").giving(http.StatusCreated), s.signDuty)
	handle(s, does(http.MethodGet, "/attestations/{duty}/statement", "get-attestation-statement", account.ReadPrivacy, tagAttest, "The newest statement with its proof").
		saying("The file that `parley attest verify` checks anywhere, against the public key of the audit log."), s.dutyStatement)
	handle(s, does(http.MethodDelete, "/attestations/{duty}", "drop-attestation", account.ManagePrivacy, tagAttest, "Take a duty off the list").
		saying("Its results go with it; the audit log keeps that they were. A legal hold stops it.").giving(http.StatusNoContent),
		func(ctx context.Context, in *DutyPath) (*struct{}, error) {
			return nil, s.Attested.Drop(ctx, actorOf(ctx), in.Duty)
		})
	handle(s, does(http.MethodGet, "/materials", "get-materials", account.ReadPrivacy, tagAttest, "What the program is made of").
		saying("A bill of materials in the form of CycloneDX 1.5, which scanners for known vulnerabilities read."), s.materials)
}

func (s *API) dutyOf(org *account.Org, d *attest.Duty) Duty {
	out := Duty{ID: d.ID, Kind: d.Kind, Title: d.Title, Member: d.Member, EveryDays: d.Every, DueAt: at(org, d.Due), Overdue: s.Attested.Overdue(d, s.Now()), CreatedAt: at(org, d.CreatedAt)}
	if d.Last != nil {
		last := attestedOf(org, d.Last)
		out.Last = &last
	}
	return out
}

func attestedOf(org *account.Org, x *attest.Attestation) Attested {
	return Attested{N: x.N, Result: x.Result, Release: x.Release, Note: x.Note, Signer: x.Signer, DoneAt: at(org, x.Done), NextAt: at(org, x.Next)}
}

// dutyAnswer is one duty with its results.
func (s *API) dutyAnswer(ctx context.Context, d *attest.Duty, err error) (*body[Duty], error) {
	if err != nil {
		return nil, err
	}
	org := callerOf(ctx).org
	if d.Member != "" {
		concern(ctx, subject.OfMember(string(d.Member)))
	}
	out := s.dutyOf(org, d)
	all, err := s.Attested.Of(ctx, org.ID, d.ID)
	for _, x := range all {
		out.Results = append(out.Results, attestedOf(org, x))
	}
	return answerOf(out), err
}

func (s *API) listDuties(ctx context.Context, in *struct{ Paging }) (*body[Page[Duty]], error) {
	org := callerOf(ctx).org
	all, err := s.Attested.Duties(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Duty, len(all))
	for i, d := range all {
		out[i] = s.dutyOf(org, d)
	}
	return pageOf(out, in.Paging, func(d Duty) string { return d.ID })
}

func (s *API) addDuty(ctx context.Context, in *struct{ Body NewDuty }) (*body[Duty], error) {
	b := in.Body
	d, err := s.Attested.Add(ctx, actorOf(ctx), attest.Duty{Kind: attest.Kind(b.Kind), Title: b.Title, Member: b.Member, Every: b.EveryDays, Due: b.DueAt})
	return s.dutyAnswer(ctx, d, err)
}

func (s *API) signDuty(ctx context.Context, in *struct {
	DutyPath
	Body NewAttested
}) (*body[Duty], error) {
	b := in.Body
	if _, err := s.Attested.Sign(ctx, actorOf(ctx), in.Duty, attest.Outcome{Result: attest.Result(b.Result), Note: b.Note, Done: moment(b.DoneAt), Next: moment(b.NextAt)}); err != nil {
		return nil, err
	}
	d, err := s.Attested.Get(ctx, callerOf(ctx).org.ID, in.Duty)
	return s.dutyAnswer(ctx, d, err)
}

func (s *API) dutyStatement(ctx context.Context, in *DutyPath) (*body[json.RawMessage], error) {
	d, err := s.Attested.Get(ctx, callerOf(ctx).org.ID, in.Duty)
	if err != nil {
		return nil, err
	}
	statement, err := d.Statement()
	return answerOf(json.RawMessage(statement)), err
}

func (s *API) materials(context.Context, *struct{}) (*body[json.RawMessage], error) {
	b, err := s.Bill()
	if err != nil {
		return nil, err
	}
	text, err := b.CycloneDX()
	return answerOf(json.RawMessage(text)), err
}
