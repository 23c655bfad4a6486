package policy

import (
	_ "embed"
	"strconv"
	"strings"

	"parley/platform/fault"
)

//go:embed default.yaml
var defaultText string

// Facts are what the shipped document does not know of an organisation. What is empty stays open, and Lint names it.
type Facts struct {
	Name, Address, Country string
	RegulatorID            string
	Contact, Phone         string
	Privacy, Grievance     Officer
}

// DefaultText is the shipped document filled in with the facts of an organisation.
func DefaultText(f Facts) string {
	text := strings.NewReplacer(
		"${name}", scalar(f.Name), "${address}", scalar(f.Address), "${country}", scalar(f.Country), "${contact}", scalar(f.Contact),
	).Replace(defaultText)
	var more []string
	for _, line := range []struct{ key, value string }{{"regulator_id", f.RegulatorID}, {"phone", f.Phone}} {
		if line.value != "" {
			more = append(more, "  "+line.key+": "+scalar(line.value))
		}
	}
	for _, o := range []struct {
		key     string
		officer Officer
	}{{"privacy_officer", f.Privacy}, {"grievance_officer", f.Grievance}} {
		if o.officer.Name != "" {
			more = append(more, "  "+o.key+": {name: "+scalar(o.officer.Name)+", email: "+scalar(o.officer.Email)+"}")
		}
	}
	if len(more) == 0 {
		return strings.Replace(text, "${more}\n", "", 1)
	}
	return strings.Replace(text, "${more}", strings.Join(more, "\n"), 1)
}

// scalar writes any text as one quoted value of YAML, whatever is in it: what an organisation is called cannot become
// part of its policy's structure.
func scalar(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, ""))
	s = strings.ReplaceAll(strconv.QuoteToGraphic(s), "${", "$ {")
	return s
}

// Default is the shipped document with the facts of an organisation.
func Default(f Facts) (*Document, error) {
	d, err := Parse([]byte(DefaultText(f)))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "The shipped privacy policy cannot be read.")
	}
	return d, nil
}

// Shipped lists the categories that this program keeps, as the shipped document names them.
func Shipped() (*Document, error) { return Default(Facts{}) }
