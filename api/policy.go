package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/trust/policy"
)

const tagPolicy = "Privacy policy"

// PolicyVersion is one version of the privacy policy.
type PolicyVersion struct {
	Version     int              `json:"version" doc:"0: the document that ships with Parley, where nothing was published"`
	Hash        string           `json:"hash" doc:"SHA-256 of the text, in hexadecimal; it stands in the audit log, too"`
	PublishedAt *time.Time       `json:"published_at"`
	EffectiveAt *time.Time       `json:"effective_at"`
	Material    bool             `json:"material" doc:"It let more be done with people's data than the one before"`
	Author      account.MemberID `json:"author,omitempty" doc:"Absent: the operator"`
	Text        string           `json:"text,omitempty" doc:"YAML; left out in lists"`
}

// PolicyFinding is something wrong with a text.
type PolicyFinding struct {
	Line    int    `json:"line"`
	Rule    string `json:"rule"`
	Promise string `json:"promise,omitempty"`
	Reason  string `json:"reason"`
	Mend    string `json:"mend"`
}

// PolicyChange is one difference to the version in force.
type PolicyChange struct {
	Kind     string `json:"kind"`
	Material bool   `json:"material"`
	Path     string `json:"path"`
	Sentence string `json:"sentence"`
}

// PolicyCheck says what publishing a text would mean.
type PolicyCheck struct {
	Version     int             `json:"version" doc:"The number that it would get"`
	Findings    []PolicyFinding `json:"findings" doc:"What must be mended; none: it can be published"`
	Changes     []PolicyChange  `json:"changes"`
	Material    bool            `json:"material"`
	EffectiveAt *time.Time      `json:"effective_at" doc:"When it would take effect, published now"`
}

// PolicyText is a text to be looked at or published.
type PolicyText struct {
	Text     string `json:"text" minLength:"1" maxLength:"262144" doc:"The policy as YAML; the number of its version is written for you"`
	Language string `json:"language,omitempty" enum:"en,hi" doc:"Of the sentences about changes"`
}

func (s *API) policies() {
	handle(s, does(http.MethodGet, "/policy", "get-policy", account.ReadPrivacy, tagPolicy, "The privacy policy in force"), func(ctx context.Context, _ *struct{}) (*body[PolicyVersion], error) {
		org := callerOf(ctx).org
		v, err := s.Policies.At(ctx, org.ID, s.Now())
		return policyAnswer(org, v, err)
	})
	handle(s, does(http.MethodGet, "/policy/versions", "list-policy-versions", account.ReadPrivacy, tagPolicy, "What was published").saying("Newest first, a coming version included."), s.policyVersions)
	handle(s, does(http.MethodGet, "/policy/versions/{version}", "get-policy-version", account.ReadPrivacy, tagPolicy, "One version"), func(ctx context.Context, in *struct {
		Version int `path:"version" minimum:"0"`
	}) (*body[PolicyVersion], error) {
		org := callerOf(ctx).org
		v, err := s.Policies.Get(ctx, org.ID, in.Version)
		return policyAnswer(org, v, err)
	})
	handle(s, does(http.MethodPost, "/policy/check", "check-policy", account.ManagePrivacy, tagPolicy, "Look at a text without publishing it").
		saying("Finds the traps that policies fall into, each with its line, and says what would change."), s.checkPolicy)
	handle(s, does(http.MethodPost, "/policy/versions", "publish-policy", account.ManagePrivacy, tagPolicy, "Publish a version").
		saying("Refused while it has findings. A material change takes effect after the notice that the version in force promises, anything else at once.").giving(http.StatusCreated),
		func(ctx context.Context, in *struct{ Body PolicyText }) (*body[PolicyVersion], error) {
			v, err := s.Policies.Publish(ctx, actorOf(ctx), in.Body.Text)
			return policyAnswer(callerOf(ctx).org, v, err)
		})
	handle(s, does(http.MethodGet, "/policy/texts/{text}", "get-policy-text", account.ReadPrivacy, tagPolicy, "A text that is made from the policy in force").
		saying("The public page, the register of processing activities, the register of recipients, or the annex to an agreement."), s.policyText)
}

func policyAnswer(org *account.Org, v *policy.Version, err error) (*body[PolicyVersion], error) {
	if err != nil {
		return nil, err
	}
	out := policyOf(org, v)
	out.Text = v.Document.Source()
	return answerOf(out), nil
}

func policyOf(org *account.Org, v *policy.Version) PolicyVersion {
	return PolicyVersion{Version: v.Number, Hash: v.Hash, PublishedAt: at(org, v.Published), EffectiveAt: at(org, v.Effective), Material: v.Material, Author: v.Author}
}

// PolicyVersions are versions, newest first.
type PolicyVersions struct {
	Items []PolicyVersion `json:"items"`
}

func (s *API) policyVersions(ctx context.Context, _ *struct{}) (*body[PolicyVersions], error) {
	org := callerOf(ctx).org
	all, err := s.Policies.Versions(ctx, org.ID)
	out := PolicyVersions{Items: []PolicyVersion{}}
	for i := len(all) - 1; i >= 0; i-- {
		out.Items = append(out.Items, policyOf(org, all[i]))
	}
	return answerOf(out), err
}

func (s *API) checkPolicy(ctx context.Context, in *struct{ Body PolicyText }) (*body[PolicyCheck], error) {
	org := callerOf(ctx).org
	p, err := s.Policies.Propose(ctx, org.ID, in.Body.Text)
	if err != nil {
		return nil, err
	}
	out := PolicyCheck{Version: p.Version, Findings: []PolicyFinding{}, Changes: []PolicyChange{}, Material: p.Material, EffectiveAt: at(org, p.Effective)}
	for _, f := range p.Findings {
		out.Findings = append(out.Findings, PolicyFinding{f.Line, f.Rule, f.Promise, f.Reason, f.Mend})
	}
	for _, c := range p.Changes {
		out.Changes = append(out.Changes, PolicyChange{c.Kind, c.Material, c.Path, policy.Say(c, p.Against.Document, p.Document, in.Body.Language)})
	}
	return answerOf(out), nil
}

// PolicyPage is a text made from the policy, as Markdown.
type PolicyPage struct {
	Language string `json:"language"`
	Title    string `json:"title"`
	Text     string `json:"text" doc:"Markdown"`
}

func (s *API) policyText(ctx context.Context, in *struct {
	Text     string `path:"text" enum:"page,register,recipients,annex"`
	Language string `query:"language" enum:"en,hi" default:"en"`
	Customer string `query:"customer" maxLength:"200" doc:"For the annex"`
}) (*body[PolicyPage], error) {
	org := callerOf(ctx).org
	v, err := s.Policies.At(ctx, org.ID, s.Now())
	if err != nil {
		return nil, err
	}
	var page *policy.Page
	switch in.Text {
	case "register":
		page = v.Document.Register(in.Language, v)
	case "recipients":
		page = v.Document.Subprocessors(in.Language, v)
	case "annex":
		page = v.Document.Annex(in.Language, v, in.Customer)
	default:
		f, err := s.Policies.Facts(ctx, org.ID, v, "/privacy/")
		if err != nil {
			return nil, err
		}
		page = v.Document.PublicPage(in.Language, f)
	}
	return answerOf(PolicyPage{page.Language, page.Title, page.Text()}), nil
}
