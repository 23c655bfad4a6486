// Package recipient is the one way out of the process. Nothing is sent to a server but those of recipients: the ones that
// whoever runs the program named in its configuration, such as the mail server, and the ones that an organisation's policy
// declares. The same list is the register of processors that people read.
package recipient

import (
	"cmp"
	"context"
	"crypto/x509"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/account"
	"parley/platform/fault"
	"parley/trust/policy"
)

// Own is a recipient that whoever runs the program declared in its configuration.
type Own struct {
	Key   string // "mail"
	Name  string // for people: "the mail server"
	Host  string // with a port where it is not the usual one of its protocol
	Plain bool   // may be spoken to without TLS, by HTTP
}

// Options say how the way out is made.
type Options struct {
	Own []Own
	// Policy gives the policy in force; a new recipient is in it only after the notice that the policy promises. Without it,
	// organisations have no recipients.
	Policy func(ctx context.Context, org account.OrgID) (*policy.Document, error)
	// Private lets organisations declare recipients whose servers lie in the network of this machine. Where strangers may
	// open organisations that would let them reach into it.
	Private bool
	Roots   *x509.CertPool // authorities whose certificates are taken; nil = those of this machine
	Now     func() time.Time
}

// Out is the way out.
type Out struct {
	own     map[string]Own
	policy  func(ctx context.Context, org account.OrgID) (*policy.Document, error)
	private bool
	roots   *x509.CertPool
	now     func() time.Time

	inside, outside *transport // for our own recipients, and for those of organisations

	mu      sync.Mutex
	refused map[Refusal]int64
}

// New makes the way out.
func New(o Options) *Out {
	out := &Out{own: map[string]Own{}, policy: o.Policy, private: o.Private, roots: o.Roots, now: o.Now, refused: map[Refusal]int64{}}
	for _, r := range o.Own {
		if r.Host != "" {
			out.own[r.Key] = r
		}
	}
	out.inside, out.outside = newTransport(o.Roots, nil), newTransport(o.Roots, out.checkAddress)
	return out
}

// Refusal is a connection that was not made. Hosts that nobody declared are not named: an address may tell of a person.
type Refusal struct {
	Org       account.OrgID // 0 = the installation
	Recipient string
	Reason    Reason
}

// Reason says in a word why a connection is refused.
type Reason string

// The reasons.
const (
	Undeclared     Reason = "undeclared"      // there is no such recipient in the configuration or the policy in force
	OtherHost      Reason = "other_host"      // the recipient has not declared this server
	NotReady       Reason = "not_ready"       // no contract, no ground for a transfer abroad, a sale
	NoTLS          Reason = "no_tls"          // the connection would not be encrypted
	PrivateAddress Reason = "private_address" // the server lies in the network of this machine
	OtherField     Reason = "other_field"     // a field that the recipient may not get for the purpose
)

// mostRefusals bounds what is counted.
const mostRefusals = 10_000

// refuse counts a refusal and gives its error.
func (o *Out) refuse(org account.OrgID, key string, why Reason, format string, a ...any) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := Refusal{org, key, why}
	if _, known := o.refused[r]; !known && len(o.refused) >= mostRefusals {
		r = Refusal{Reason: why}
	}
	o.refused[r]++
	return fault.New(fault.Denied, format, a...)
}

// Refused tells how often connections were refused since the start.
func (o *Out) Refused() map[Refusal]int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.refused)
}

// Recipient is one line of the register.
type Recipient struct {
	Key       string
	Own       bool // of the installation, not of the organisation
	Name      string
	Kind      string
	Country   string // "" for an own one: it stands where whoever runs the program put it
	Mechanism string // what allows a transfer abroad
	Contract  time.Time
	PolicyURL string
	Purposes  []string
	Fields    []string // category/field
	Hosts     []string
	Problem   error // why nothing is sent there; nil = it is switched on
}

// Register lists the recipients of an organisation and of the installation: all that data can go to.
func (o *Out) Register(ctx context.Context, org account.OrgID) ([]Recipient, error) {
	var out []Recipient
	for _, r := range o.own {
		out = append(out, Recipient{Key: r.Key, Own: true, Name: r.Name, Kind: string(policy.ByOrder), Hosts: []string{r.Host}})
	}
	if org != 0 && o.policy != nil {
		d, err := o.policy(ctx, org)
		if err != nil {
			return nil, err
		}
		for key, r := range d.Recipients {
			out = append(out, Recipient{Key: key, Name: r.LegalName, Kind: string(r.Kind), Country: r.Country, Mechanism: r.Mechanism,
				Contract: r.Contract.Time, PolicyURL: r.PolicyURL, Purposes: r.Purposes, Fields: r.Fields, Hosts: r.Hosts, Problem: o.ready(d, r)})
		}
	}
	slices.SortFunc(out, func(a, b Recipient) int {
		if a.Own != b.Own {
			return map[bool]int{true: -1, false: 1}[a.Own]
		}
		return cmp.Compare(a.Key, b.Key)
	})
	return out, nil
}

// ready tells why nothing may be sent to a recipient yet; nil when something may.
func (o *Out) ready(d *policy.Document, r *policy.Recipient) error {
	switch {
	case r.Kind == policy.Sale:
		return fault.New(fault.Denied, "Data is not sold, so %s gets none.", r.LegalName)
	case r.Contract.IsZero():
		return fault.New(fault.Denied, "No contract with %s is dated in the policy, so nothing is sent there. Write the date of the contract into the policy.", r.LegalName)
	case r.Contract.After(o.now()):
		return fault.New(fault.Denied, "The contract with %s begins on %s; nothing is sent there before.", r.LegalName, r.Contract)
	case r.Country != d.Controller.Country && r.Mechanism == "":
		return fault.New(fault.Denied, "%s is in %s, and the policy names nothing that allows a transfer there. Write the mechanism into the policy.", r.LegalName, cmp.Or(r.Country, "an unnamed country"))
	case r.Country != d.Controller.Country && !slices.Contains(d.Regions.Allowed, r.Country):
		return fault.New(fault.Denied, "%s is in %s, which is not among the regions that the policy allows.", r.LegalName, r.Country)
	}
	return nil
}

// door is what a recipient may be reached by.
type door struct {
	org   account.OrgID
	key   string
	name  string
	hosts []string
	own   bool
	plain bool
}

// open finds a recipient's door: of the installation for organisation 0, else of the policy in force.
func (o *Out) open(ctx context.Context, org account.OrgID, key string) (*door, error) {
	if org == 0 {
		r, ok := o.own[key]
		if !ok {
			return nil, o.refuse(0, key, Undeclared, "The configuration declares no recipient %q, so nothing is sent there.", key)
		}
		return &door{key: key, name: r.Name, hosts: []string{r.Host}, own: true, plain: r.Plain}, nil
	}
	d, r, err := o.declared(ctx, org, key)
	if err != nil {
		return nil, err
	}
	if err := o.ready(d, r); err != nil {
		return nil, o.refuse(org, key, NotReady, "%s", fault.Sentence(err))
	}
	return &door{org: org, key: key, name: r.LegalName, hosts: r.Hosts}, nil
}

// declared finds a recipient in an organisation's policy.
func (o *Out) declared(ctx context.Context, org account.OrgID, key string) (*policy.Document, *policy.Recipient, error) {
	if o.policy != nil {
		d, err := o.policy(ctx, org)
		if err != nil {
			return nil, nil, err
		}
		if r := d.Recipient(key); r != nil {
			return d, r, nil
		}
	}
	return nil, nil, o.refuse(org, key, Undeclared, "The policy in force declares no recipient %q, so nothing is sent there. Add it to the policy; it may be used when the notice of the change is over.", key)
}

// lets refuses a server that the recipient did not declare.
func (o *Out) lets(d *door, host, port, usual string) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, declared := range d.hosts {
		h, p, err := net.SplitHostPort(declared)
		if err != nil {
			h, p = declared, usual
		}
		if strings.EqualFold(h, host) && p == port {
			return nil
		}
	}
	return o.refuse(d.org, d.key, OtherHost, "A connection to a server that %s did not declare was refused. Its declared servers are: %s.", d.name, cmp.Or(strings.Join(d.hosts, ", "), "none"))
}

// Fields lets through what a recipient may get for a purpose. Keys of the payload are category/field, as the policy names
// them. One field that is not declared refuses the whole payload: something asked for more than was promised.
func (o *Out) Fields(ctx context.Context, org account.OrgID, key, purpose string, payload map[string]any) (map[string]any, error) {
	d, r, err := o.declared(ctx, org, key)
	if err != nil {
		return nil, err
	}
	for _, field := range slices.Sorted(maps.Keys(payload)) {
		category, name, _ := strings.Cut(field, "/")
		if !d.Sends(key, purpose, category, name) {
			return nil, o.refuse(org, key, OtherField, "%s may not get %s for the purpose %s: the policy does not say so. Nothing was sent.", r.LegalName, field, purpose)
		}
	}
	return maps.Clone(payload), nil
}
