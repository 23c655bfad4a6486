package policy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Attribution names whose vocabularies the exports use.
const Attribution = "Uses keys of fideslang (https://github.com/ethyca/fideslang, CC BY 4.0) and terms of the Data Privacy Vocabulary (https://w3id.org/dpv)."

// Names of our words in fideslang.
var (
	fidesBases = map[Basis]string{
		Contract: "Contract", Consent: "Consent", LegitimateInterest: "Legitimate interests", LegalObligation: "Legal obligations",
		VitalInterest: "Vital interests", PublicTask: "Public interest",
	}
	fidesSubjects = map[Subject]string{Contact: "customer", Member: "employee", Visitor: "visitor"}
)

type fidesManifest struct {
	Comment      string              `json:"_comment"`
	Organization []fidesOrganization `json:"organization"`
	System       []fidesSystem       `json:"system"`
}

type fidesOrganization struct {
	FidesKey string `json:"fides_key"`
	Name     string `json:"name"`
}

type fidesSystem struct {
	FidesKey     string             `json:"fides_key"`
	Organization string             `json:"organization_fides_key"`
	Name         string             `json:"name"`
	SystemType   string             `json:"system_type"`
	Declarations []fidesDeclaration `json:"privacy_declarations"`
}

type fidesDeclaration struct {
	Name       string   `json:"name"`
	Categories []string `json:"data_categories"`
	Use        string   `json:"data_use"`
	Subjects   []string `json:"data_subjects"`
	Basis      string   `json:"legal_basis_for_processing"`
	Retention  string   `json:"retention_period"`
	Shared     []string `json:"third_parties,omitempty"`
}

// Fideslang writes the document as a manifest of fideslang: one declaration for each use of each category. Categories
// without a key there, such as tags, are left out.
func (d *Document) Fideslang() ([]byte, error) {
	s := speak(d, "en")
	system := fidesSystem{FidesKey: "parley", Organization: "controller", Name: "Parley", SystemType: "Application"}
	for _, key := range d.kept(On, Ask) {
		c := d.Categories[key]
		if len(c.Fides) == 0 {
			continue
		}
		var subjects []string
		for _, x := range c.Subjects {
			subjects = append(subjects, fidesSubjects[x])
		}
		for _, p := range d.Live(key) {
			purpose := d.Purposes[p]
			if purpose.Fides == "" {
				continue
			}
			one := fidesDeclaration{
				Name: key + "." + p, Categories: c.Fides, Use: purpose.Fides, Subjects: subjects, Basis: fidesBases[purpose.Basis], Retention: strings.Join(s.keeping(key), " "),
			}
			for _, r := range c.Recipients {
				one.Shared = append(one.Shared, d.Recipients[r].LegalName)
			}
			system.Declarations = append(system.Declarations, one)
		}
	}
	return json.MarshalIndent(fidesManifest{Attribution, []fidesOrganization{{"controller", d.Controller.Name}}, []fidesSystem{system}}, "", "  ")
}

// Names of our words in the Data Privacy Vocabulary.
var (
	dpvBases = map[Basis]string{
		Contract: "dpv:Contract", Consent: "dpv:Consent", LegitimateInterest: "dpv:LegitimateInterest", LegalObligation: "dpv:LegalObligation",
		VitalInterest: "dpv:VitalInterest", PublicTask: "dpv:PublicInterest",
	}
	dpvSubjects = map[Subject]string{Contact: "dpv:Customer", Member: "dpv:Employee", Visitor: "dpv:Visitor"}
)

// DPV writes the document as JSON-LD in the words of the Data Privacy Vocabulary: one process for each category.
func (d *Document) DPV() ([]byte, error) {
	s := speak(d, "en")
	graph := []map[string]any{{"@id": "#controller", "@type": "dpv:DataController", "dpv:hasName": d.Controller.Name, "dpv:hasContact": d.Controller.Contact}}
	for _, key := range slices.Sorted(maps.Keys(d.Recipients)) {
		r := d.Recipients[key]
		graph = append(graph, map[string]any{"@id": "#recipient-" + key, "@type": "dpv:Recipient", "dpv:hasName": r.LegalName, "dpv:hasCountry": r.Country})
	}
	for _, key := range d.kept(On, Ask) {
		c := d.Categories[key]
		purposes, bases, subjects := []string{}, []string{}, []string{}
		for _, p := range d.Live(key) {
			if purpose := d.Purposes[p]; purpose.DPV != "" {
				purposes = appendNew(purposes, purpose.DPV)
				bases = appendNew(bases, dpvBases[purpose.Basis])
			}
		}
		for _, x := range c.Subjects {
			subjects = append(subjects, dpvSubjects[x])
		}
		process := map[string]any{
			"@id": "#" + key, "@type": "dpv:Process", "rdfs:label": s.category(key), "dpv:hasDataController": refs("#controller"), "dpv:hasPurpose": refs(purposes...),
			"dpv:hasLegalBasis": refs(bases...), "dpv:hasDataSubject": refs(subjects...),
			"dpv:hasStorageCondition": map[string]any{"@type": "dpv:StorageDuration", "rdfs:comment": strings.Join(s.keeping(key), " ")},
		}
		if len(c.DPV) > 0 {
			process["dpv:hasPersonalData"] = refs(c.DPV...)
		}
		if len(c.Recipients) > 0 {
			var to []string
			for _, r := range c.Recipients {
				to = append(to, "#recipient-"+r)
			}
			process["dpv:hasRecipient"] = refs(to...)
		}
		graph = append(graph, process)
	}
	return json.MarshalIndent(map[string]any{
		"@context": map[string]string{"dpv": "https://w3id.org/dpv#", "pd": "https://w3id.org/dpv/pd#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#"},
		"@graph":   graph, "rdfs:comment": Attribution,
	}, "", "  ")
}

func appendNew(to []string, s string) []string {
	if slices.Contains(to, s) {
		return to
	}
	return append(to, s)
}

func refs(all ...string) []map[string]string {
	out := make([]map[string]string, len(all))
	for i, a := range all {
		out[i] = map[string]string{"@id": a}
	}
	return out
}
