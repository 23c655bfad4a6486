package app

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"parley/platform/fault"
	"parley/trust/recipient"
)

type outCmd struct {
	inOrg
	asJSON
}

// recipientView is one recipient as the command shows it.
type recipientView struct {
	Key       string   `json:"key"`
	Of        string   `json:"of"` // installation or organisation
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	Country   string   `json:"country"`
	Mechanism string   `json:"mechanism"`
	Hosts     []string `json:"hosts"`
	Purposes  []string `json:"purposes"`
	Fields    []string `json:"fields"`
	Problem   string   `json:"problem"` // why nothing is sent there; "" = it is in use
}

// refusalView is how often a connection was refused since the process began.
type refusalView struct {
	Recipient string           `json:"recipient"`
	Reason    recipient.Reason `json:"reason"`
	Times     int64            `json:"times"`
}

func (c *outCmd) onData(ctx context.Context, r *Run) error {
	org, err := c.find(ctx, r)
	if err != nil {
		return err
	}
	all, err := r.p.Out.Register(ctx, org.ID)
	if err != nil {
		return err
	}
	shown := struct {
		Recipients []recipientView `json:"recipients"`
		Refused    []refusalView   `json:"refused"`
	}{[]recipientView{}, []refusalView{}}
	for _, x := range all {
		v := recipientView{x.Key, "organisation", x.Name, x.Kind, x.Country, x.Mechanism, x.Hosts, x.Purposes, x.Fields, ""}
		if x.Own {
			v.Of = "installation"
		}
		if x.Problem != nil {
			v.Problem = fault.Sentence(x.Problem)
		}
		shown.Recipients = append(shown.Recipients, v)
	}
	for of, times := range r.p.Out.Refused() {
		if of.Org == org.ID || of.Org == 0 {
			shown.Refused = append(shown.Refused, refusalView{of.Recipient, of.Reason, times})
		}
	}
	slices.SortFunc(shown.Refused, func(a, b refusalView) int {
		return cmp.Or(cmp.Compare(a.Recipient, b.Recipient), cmp.Compare(a.Reason, b.Reason))
	})
	return c.write(r, shown, func(t *table) {
		t.row("RECIPIENT", "OF", "NAME", "COUNTRY", "SERVERS", "PURPOSES", "STATE")
		for _, v := range shown.Recipients {
			t.row(v.Key, v.Of, v.Name, v.Country, strings.Join(v.Hosts, " "), strings.Join(v.Purposes, " "), cmp.Or(v.Problem, "in use"))
		}
		for _, v := range shown.Refused {
			t.row(v.Recipient, "", "", "", "", "", "refused "+string(v.Reason)+": "+strconv.FormatInt(v.Times, 10)+" times")
		}
	})
}
