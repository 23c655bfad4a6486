// Package policy is the privacy policy as a document: a file that people sign and the program carries out. It reads the
// file strictly, refuses the traps that policies fall into, keeps every version that an organisation published, and gives
// everybody who acts on personal data one answer to what is allowed, for how long and for whom. The pages that people
// read are written from the same document, so that a page cannot promise anything but what the program does.
package policy

import (
	"slices"
	"time"

	"parley/platform/flaw"
)

// Document is one organisation's privacy policy.
type Document struct {
	Version    int                   `yaml:"version"`
	Languages  []string              `yaml:"languages"` // the first is the one that counts when they differ
	Controller Controller            `yaml:"controller,optional"`
	Laws       []string              `yaml:"laws"` // places whose law applies: ISO 3166-1 codes, or EU
	Notice     Notice                `yaml:"notice"`
	Purposes   map[string]*Purpose   `yaml:"purposes"`
	Categories map[string]*Category  `yaml:"categories"`
	Recipients map[string]*Recipient `yaml:"recipients,optional"`
	Rights     Rights                `yaml:"rights"`
	Deadlines  Deadlines             `yaml:"deadlines"`
	Security   Security              `yaml:"security"`
	Cookies    map[string]*Cookie    `yaml:"cookies,optional"`
	Devices    Devices               `yaml:"devices"`
	Regions    Regions               `yaml:"regions"`
	Age        Age                   `yaml:"age"`
	Clauses    []Clause              `yaml:"clauses,optional"`

	text  string
	lines map[string]int // of every value, by its path, such as categories.call.meta.retention.max
}

// Text is a passage in each language of the document, by its code.
type Text map[string]string

// In gives the passage in a language, else in the first language that has one.
func (t Text) In(language string, languages []string) string {
	if s := t[language]; s != "" {
		return s
	}
	for _, l := range languages {
		if s := t[l]; s != "" {
			return s
		}
	}
	return ""
}

// Controller is who answers for the data.
type Controller struct {
	Name             string  `yaml:"name"`
	Address          string  `yaml:"address,optional"`
	Country          string  `yaml:"country"`
	RegulatorID      string  `yaml:"regulator_id,optional"`
	Contact          string  `yaml:"contact,optional"` // e-mail address
	Phone            string  `yaml:"phone,optional"`
	PrivacyOfficer   Officer `yaml:"privacy_officer,optional"`
	GrievanceOfficer Officer `yaml:"grievance_officer,optional"`
}

// Officer is a named person.
type Officer struct {
	Name  string `yaml:"name"`
	Email string `yaml:"email"`
	Phone string `yaml:"phone,optional"`
}

// Notice says how changes of this document are told.
type Notice struct {
	MaterialChangeDays int      `yaml:"material_change_days"`
	Channels           []string `yaml:"channels"`   // email, in_app
	Acceptance         string   `yaml:"acceptance"` // act: a material change needs a fresh act
}

// Purpose is a use of data.
type Purpose struct {
	Title        Text   `yaml:"title"`
	Basis        Basis  `yaml:"basis,optional"`
	ConsentPoint string `yaml:"consent_point,optional"` // where consent is given: needed for the basis consent
	Interest     Text   `yaml:"interest,optional"`      // which interest, for the basis legitimate_interest
	Fides        string `yaml:"fides,optional"`
	DPV          string `yaml:"dpv,optional"`
}

// Category is a kind of data.
type Category struct {
	Title      Text              `yaml:"title"`
	About      Text              `yaml:"about,optional"`
	Subjects   []Subject         `yaml:"subjects"`
	EraseOn    []Subject         `yaml:"erase_on,optional"` // whose erasure ends an item that has several subjects
	Source     Text              `yaml:"source,optional"`   // where it comes from, when not from the person
	Role       Role              `yaml:"role"`
	Special    bool              `yaml:"special,optional"` // a special category of the law
	Basis      Basis             `yaml:"special_basis,optional"`
	Store      Store             `yaml:"store"`
	Fields     map[string]*Field `yaml:"fields"`
	Purposes   []string          `yaml:"purposes"`
	Default    Switch            `yaml:"default"`
	Retention  Retention         `yaml:"retention,optional"`
	Recipients []string          `yaml:"recipients,optional"`
	Rights     []Right           `yaml:"rights"`
	NeverShare bool              `yaml:"never_share,optional"`
	Fides      []string          `yaml:"fides,optional"`
	DPV        []string          `yaml:"dpv,optional"`
}

// Store says how a category lies on the disk.
type Store struct {
	Class  StoreClass `yaml:"class"`
	Cipher string     `yaml:"cipher,optional"`
	Key    string     `yaml:"key,optional"` // subject, org or database
}

// Field is one field of a category.
type Field struct {
	Title    Text `yaml:"title"`
	Required bool `yaml:"required"`
}

// Retention says how long a category is kept.
type Retention struct {
	From    Event             `yaml:"from,optional"`    // what the period max counts from
	Max     Period            `yaml:"max,optional"`     // then archive, or erase where there is no archive
	Archive Period            `yaml:"archive,optional"` // counts from the day of archiving
	Ceiling Period            `yaml:"ceiling,optional"` // counts from when the item was made; the earlier end wins
	Floor   map[string]*Floor `yaml:"floor,optional"`   // by place
}

// Floor is a duty to keep.
type Floor struct {
	Min       Period `yaml:"min"`
	Cite      string `yaml:"cite"`
	NotBefore Date   `yaml:"not_before,optional"`
}

// Recipient is somebody outside who gets data.
type Recipient struct {
	LegalName  string        `yaml:"legal_name"`
	Kind       RecipientKind `yaml:"kind"`
	Country    string        `yaml:"country"`
	Mechanism  string        `yaml:"mechanism,optional"` // of a transfer abroad: adequacy, SCC, BCR, consent, contract
	Contract   Date          `yaml:"contract,optional"`
	PolicyURL  string        `yaml:"policy_url,optional"`
	Purposes   []string      `yaml:"purposes"`
	Categories []string      `yaml:"categories"`
	Fields     []string      `yaml:"fields"` // names of fields, each as category/field
	Hosts      []string      `yaml:"hosts"`  // of its servers
}

// Rights says how people reach their rights.
type Rights struct {
	Channels []string `yaml:"channels"` // page, email, phone, letter, api
	Identity []string `yaml:"identity"` // session, code, two_factors, review
}

// Deadlines are the clocks that the organisation promises.
type Deadlines struct {
	Answer        Period `yaml:"answer"`         // a request of a person, unless a law is shorter
	Grievance     Period `yaml:"grievance"`      // a complaint
	EraseLive     Period `yaml:"erase_live"`     // erased from what is in use
	EraseAccount  Period `yaml:"erase_account"`  // an account that was closed
	EraseMinor    Period `yaml:"erase_minor"`    // a person under age
	BackupResidue Period `yaml:"backup_residue"` // erased from the last backup
	PlatformLog   Period `yaml:"platform_log"`
	MaskWebLog    Period `yaml:"mask_web_log"` // full network addresses
	EraseNotice   Period `yaml:"erase_notice"` // told before retention erases
	Undo          Period `yaml:"undo"`         // an account's deletion can be taken back
	ReviewArchive Period `yaml:"review_archive"`
}

// Security is what is promised of security. Nothing here is free text.
type Security struct {
	TLSMin     string `yaml:"tls_min"`
	Password   string `yaml:"password"`
	AtRest     string `yaml:"at_rest"`
	Fields     string `yaml:"fields"`
	Recordings string `yaml:"recordings"`
	Backups    string `yaml:"backups"`
}

// Cookie is one cookie that pages may set.
type Cookie struct {
	Title     Text   `yaml:"title"`
	Essential bool   `yaml:"essential"`
	Lifetime  Period `yaml:"lifetime"` // 0d: until the browser closes
}

// Devices is what paired phones collect.
type Devices struct {
	Start  string `yaml:"start"`    // pairing: nothing is collected before the employee pairs the phone
	ShowTo string `yaml:"shown_to"` // employee: each switch is shown to whoever carries the phone
}

// Regions is where data lies.
type Regions struct {
	Storage string   `yaml:"storage"` // country of the server
	Backup  string   `yaml:"backup"`
	Allowed []string `yaml:"allowed"` // countries that data may lie in or go to
}

// Age is how young people may be.
type Age struct {
	Minimum int `yaml:"minimum"` // of whoever signs in
}

// Clause is a passage that the organisation adds to the page.
type Clause struct {
	Title Text `yaml:"title"`
	Text  Text `yaml:"text"`
}

// Source is the text that the document was read from.
func (d *Document) Source() string { return d.text }

// Line tells where in the text a value stands, by its path; the nearest value above where the path itself is not there.
func (d *Document) Line(path string) int {
	for {
		if n := d.lines[path]; n > 0 || path == "" {
			return max(n, 1)
		}
		path = parent(path)
	}
}

// Purpose gives a purpose; nil where the document does not know it.
func (d *Document) Purpose(key string) *Purpose { return d.Purposes[key] }

// Category gives a category; nil where the document does not know it.
func (d *Document) Category(key string) *Category { return d.Categories[key] }

// Recipient gives a recipient; nil where the document does not know it.
func (d *Document) Recipient(key string) *Recipient { return d.Recipients[key] }

// Allows tells whether the data of a category may be used for a purpose. What the document does not list is denied.
func (d *Document) Allows(purpose, category string) bool {
	if flaw.On(flaw.AnyPurpose) {
		return true
	}
	c := d.Categories[category]
	return c != nil && d.Purposes[purpose] != nil && slices.Contains(c.Purposes, purpose)
}

// Collects tells whether data of a category may come in at all. Where the category's default is Ask, somebody must have
// switched it on besides; that is for the caller to know.
func (d *Document) Collects(category string) bool {
	c := d.Categories[category]
	return c != nil && c.Default != Off && len(d.Live(category)) > 0
}

// Sends tells whether a recipient may get a field of a category for a purpose.
func (d *Document) Sends(recipient, purpose, category, field string) bool {
	r := d.Recipients[recipient]
	return r != nil && d.Allows(purpose, category) && slices.Contains(r.Purposes, purpose) && slices.Contains(r.Categories, category) &&
		slices.Contains(r.Fields, category+"/"+field) && slices.Contains(d.Categories[category].Recipients, recipient) && !d.Categories[category].NeverShare
}

// Floor is the longest duty to keep data of a category that is in force on a day under the laws of the document; ok is
// false where there is none.
func (d *Document) Floor(category string, day time.Time) (f Floor, ok bool) {
	c := d.Categories[category]
	if c == nil {
		return Floor{}, false
	}
	for place, one := range c.Retention.Floor {
		if one.Cite == "" || !slices.Contains(d.Laws, place) || one.NotBefore.After(day) {
			continue
		}
		if !ok || one.Min.Most() > f.Min.Most() {
			f, ok = *one, true
		}
	}
	return f, ok
}

// Longest is for how many days at most an item of a category can still be found somewhere after the event that its
// retention counts from: in use, then archived, then in backups.
func (d *Document) Longest(category string) (days int) {
	c := d.Categories[category]
	if c == nil {
		return 0
	}
	r := c.Retention
	return r.Max.Most() + r.Archive.Most() + d.Deadlines.BackupResidue.Most()
}

// Live are the purposes of a category that the document still knows. A category without any is to be erased.
func (d *Document) Live(category string) []string {
	c := d.Categories[category]
	if c == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Purposes), func(p string) bool { return d.Purposes[p] == nil })
}
