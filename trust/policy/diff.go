package policy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Change is one difference between two documents.
type Change struct {
	Kind     string `json:"kind"` // such as retention_longer
	Material bool   `json:"material"`
	Path     string `json:"path"`          // in the newer document
	Of       string `json:"of,omitempty"`  // what changed: key of a category, purpose, recipient, right, …
	To       string `json:"to,omitempty"`  // the other party, such as the purpose that a category got
	Was      string `json:"was,omitempty"` // "" for nothing
	Is       string `json:"is,omitempty"`
}

// Diff tells what changed from one document to a newer one, and what of it is material: whatever lets more be done with
// people's data, for longer, by more or for less safety. Wording of titles is not; clauses that the organisation wrote
// itself are, since they can say anything.
func Diff(was, is *Document) []Change {
	d := &differ{was: was, is: is}
	d.purposes()
	d.categories()
	d.recipients()
	d.promises()
	d.controller()
	d.clauses()
	slices.SortStableFunc(d.out, func(a, b Change) int {
		if a.Material != b.Material {
			if a.Material {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Path+"\x00"+a.Kind+"\x00"+a.To, b.Path+"\x00"+b.Kind+"\x00"+b.To)
	})
	return d.out
}

// Material tells whether one of the changes is.
func Material(all []Change) bool {
	return slices.ContainsFunc(all, func(c Change) bool { return c.Material })
}

type differ struct {
	was, is *Document
	out     []Change
}

func (d *differ) add(c Change) { d.out = append(d.out, c) }

// both gives the keys of two maps, sorted.
func both[V any](a, b map[string]V) []string {
	keys := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// sets tells what a list gained and lost.
func sets[S ~string](was, is []S, gained, lost func(s string)) {
	for _, s := range is {
		if !slices.Contains(was, s) {
			gained(string(s))
		}
	}
	for _, s := range was {
		if !slices.Contains(is, s) {
			lost(string(s))
		}
	}
}

// period compares two periods; longer ones are material where longer is worse.
func (d *differ) period(path, kind, of string, was, is Period, longerIsWorse bool) {
	if was == is {
		return
	}
	longer := !was.Said() || is.Said() && is.Most() > was.Most()
	if !is.Said() {
		longer = false
	}
	word := "_shorter"
	if longer {
		word = "_longer"
	}
	d.add(Change{Kind: kind + word, Material: longer == longerIsWorse, Path: path, Of: of, Was: was.String(), Is: is.String()})
}

func (d *differ) purposes() {
	for _, key := range both(d.was.Purposes, d.is.Purposes) {
		was, is, path := d.was.Purposes[key], d.is.Purposes[key], "purposes."+key
		switch {
		case was == nil:
			d.add(Change{Kind: "purpose_added", Material: true, Path: path, Of: key, Is: string(is.Basis)})
		case is == nil:
			d.add(Change{Kind: "purpose_removed", Path: path, Of: key})
		case was.Basis != is.Basis:
			d.add(Change{Kind: "basis_changed", Material: true, Path: path + ".basis", Of: key, Was: string(was.Basis), Is: string(is.Basis)})
		case was.ConsentPoint != is.ConsentPoint:
			d.add(Change{Kind: "consent_point_changed", Material: true, Path: path + ".consent_point", Of: key, Was: was.ConsentPoint, Is: is.ConsentPoint})
		case !maps.Equal(was.Interest, is.Interest):
			d.add(Change{Kind: "interest_changed", Material: true, Path: path + ".interest", Of: key})
		case !maps.Equal(was.Title, is.Title):
			d.add(Change{Kind: "wording_changed", Path: path + ".title", Of: key})
		}
	}
}

func (d *differ) categories() {
	for _, key := range both(d.was.Categories, d.is.Categories) {
		was, is, path := d.was.Categories[key], d.is.Categories[key], "categories."+key
		switch {
		case was == nil:
			d.add(Change{Kind: "category_added", Material: true, Path: path, Of: key})
			for _, p := range is.Purposes {
				d.use(path, key, p)
			}
		case is == nil:
			d.add(Change{Kind: "category_removed", Path: path, Of: key})
		default:
			d.category(path, key, was, is)
			d.retention(path+".retention", key, was.Retention, is.Retention)
		}
	}
}

func (d *differ) use(path, category, purpose string) {
	d.add(Change{Kind: "use_added", Material: true, Path: path + ".purposes", Of: category, To: purpose})
}

// collects orders the switches by how much they let in.
func collects(s Switch) int { return slices.Index([]Switch{Off, Ask, On}, s) }

// protects orders the classes by how much they keep from reading.
func protects(c StoreClass) int {
	return slices.Index([]StoreClass{StoredClear, StoredOrg, StoredSubject, StoredBlob, StoredHash}, c)
}

func (d *differ) category(path, key string, was, is *Category) {
	sets(was.Purposes, is.Purposes, func(p string) { d.use(path, key, p) },
		func(p string) { d.add(Change{Kind: "use_removed", Path: path + ".purposes", Of: key, To: p}) })
	sets(was.Subjects, is.Subjects, func(s string) {
		d.add(Change{Kind: "subject_added", Material: true, Path: path + ".subjects", Of: key, To: s})
	}, func(s string) { d.add(Change{Kind: "subject_removed", Path: path + ".subjects", Of: key, To: s}) })
	sets(was.Rights, is.Rights, func(r string) { d.add(Change{Kind: "right_added", Path: path + ".rights", Of: key, To: r}) },
		func(r string) {
			d.add(Change{Kind: "right_removed", Material: true, Path: path + ".rights", Of: key, To: r})
		})
	sets(was.EraseOn, is.EraseOn, func(string) {}, func(s string) {
		d.add(Change{Kind: "right_removed", Material: true, Path: path + ".erase_on", Of: key, To: string(Erase)})
	})
	for _, f := range both(was.Fields, is.Fields) {
		switch a, b := was.Fields[f], is.Fields[f]; {
		case a == nil:
			d.add(Change{Kind: "field_added", Material: true, Path: path + ".fields." + f, Of: key, To: f})
		case b == nil:
			d.add(Change{Kind: "field_removed", Path: path + ".fields", Of: key, To: f})
		case b.Required && !a.Required:
			d.add(Change{Kind: "field_required", Material: true, Path: path + ".fields." + f, Of: key, To: f})
		}
	}
	if was.Default != is.Default {
		d.add(Change{Kind: "collection_changed", Material: collects(is.Default) > collects(was.Default), Path: path + ".default", Of: key, Was: string(was.Default), Is: string(is.Default)})
	}
	if was.Store.Class != is.Store.Class {
		d.add(Change{Kind: "store_changed", Material: protects(is.Store.Class) < protects(was.Store.Class), Path: path + ".store", Of: key, Was: string(was.Store.Class), Is: string(is.Store.Class)})
	}
	if was.Role != is.Role {
		d.add(Change{Kind: "role_changed", Material: true, Path: path + ".role", Of: key, Was: string(was.Role), Is: string(is.Role)})
	}
	if was.NeverShare && !is.NeverShare {
		d.add(Change{Kind: "sharing_allowed", Material: true, Path: path, Of: key})
	}
	if is.Special && !was.Special {
		d.add(Change{Kind: "special_added", Material: true, Path: path, Of: key})
	}
	if !maps.Equal(was.Title, is.Title) || !maps.Equal(was.About, is.About) || !maps.Equal(was.Source, is.Source) {
		d.add(Change{Kind: "wording_changed", Path: path, Of: key})
	}
}

func (d *differ) retention(path, key string, was, is Retention) {
	if was.From != is.From {
		d.add(Change{Kind: "retention_event", Material: true, Path: path + ".from", Of: key, Was: string(was.From), Is: string(is.From)})
	}
	d.period(path+".max", "retention", key, was.Max, is.Max, true)
	d.period(path+".archive", "archive", key, was.Archive, is.Archive, true)
	switch {
	case was.Ceiling == is.Ceiling:
	case was.Ceiling.Said() && !is.Ceiling.Said():
		d.add(Change{Kind: "ceiling_removed", Material: true, Path: path, Of: key, Was: was.Ceiling.String()})
	case !was.Ceiling.Said():
		d.add(Change{Kind: "ceiling_added", Path: path + ".ceiling", Of: key, Is: is.Ceiling.String()})
	default:
		d.period(path+".ceiling", "ceiling", key, was.Ceiling, is.Ceiling, true)
	}
	for _, place := range both(was.Floor, is.Floor) {
		a, b := was.Floor[place], is.Floor[place]
		switch {
		case a == nil:
			d.add(Change{Kind: "floor_added", Material: true, Path: path + ".floor." + place, Of: key, To: place, Is: b.Min.String()})
		case b == nil:
			d.add(Change{Kind: "floor_removed", Path: path, Of: key, To: place, Was: a.Min.String()})
		case *a != *b:
			d.add(Change{Kind: "floor_changed", Material: b.Min.Most() > a.Min.Most() || b.NotBefore.Before(a.NotBefore.Time), Path: path + ".floor." + place, Of: key, To: place, Was: a.Min.String(), Is: b.Min.String()})
		}
	}
}

func (d *differ) recipients() {
	for _, key := range both(d.was.Recipients, d.is.Recipients) {
		was, is, path := d.was.Recipients[key], d.is.Recipients[key], "recipients."+key
		switch {
		case was == nil:
			d.add(Change{Kind: "recipient_added", Material: true, Path: path, Of: key, Is: is.LegalName})
			continue
		case is == nil:
			d.add(Change{Kind: "recipient_removed", Path: path, Of: key, Was: was.LegalName})
			continue
		case was.LegalName != is.LegalName || was.Country != is.Country || was.Kind != is.Kind || was.Mechanism != is.Mechanism:
			d.add(Change{Kind: "recipient_changed", Material: true, Path: path, Of: key, Was: was.LegalName + ", " + was.Country, Is: is.LegalName + ", " + is.Country})
		case !slices.Equal(was.Hosts, is.Hosts) || was.PolicyURL != is.PolicyURL || was.Contract != is.Contract:
			d.add(Change{Kind: "wording_changed", Path: path, Of: key})
		}
		for _, l := range []struct{ was, is []string }{{was.Purposes, is.Purposes}, {was.Categories, is.Categories}, {was.Fields, is.Fields}} {
			sets(l.was, l.is, func(s string) {
				d.add(Change{Kind: "recipient_gets_more", Material: true, Path: path, Of: key, To: s, Is: is.LegalName})
			}, func(s string) {
				d.add(Change{Kind: "recipient_gets_less", Path: path, Of: key, To: s, Is: is.LegalName})
			})
		}
	}
}

// promises compares the clocks, security, cookies, regions and notice.
func (d *differ) promises() {
	a, b := d.was, d.is
	for _, p := range []struct {
		key     string
		was, is Period
		worse   bool // longer is worse
	}{
		{"answer", a.Deadlines.Answer, b.Deadlines.Answer, true}, {"grievance", a.Deadlines.Grievance, b.Deadlines.Grievance, true},
		{"erase_live", a.Deadlines.EraseLive, b.Deadlines.EraseLive, true}, {"erase_account", a.Deadlines.EraseAccount, b.Deadlines.EraseAccount, true},
		{"erase_minor", a.Deadlines.EraseMinor, b.Deadlines.EraseMinor, true}, {"backup_residue", a.Deadlines.BackupResidue, b.Deadlines.BackupResidue, true},
		{"platform_log", a.Deadlines.PlatformLog, b.Deadlines.PlatformLog, true}, {"mask_web_log", a.Deadlines.MaskWebLog, b.Deadlines.MaskWebLog, true},
		{"erase_notice", a.Deadlines.EraseNotice, b.Deadlines.EraseNotice, false}, {"undo", a.Deadlines.Undo, b.Deadlines.Undo, false},
		{"review_archive", a.Deadlines.ReviewArchive, b.Deadlines.ReviewArchive, true},
	} {
		d.period("deadlines."+p.key, "deadline", p.key, p.was, p.is, p.worse)
	}
	if was, is := a.Notice.MaterialChangeDays, b.Notice.MaterialChangeDays; was != is {
		d.period("notice.material_change_days", "deadline", "notice", Period{was, Days}, Period{is, Days}, false)
	}
	if a.Age.Minimum != b.Age.Minimum {
		d.add(Change{Kind: "age_changed", Material: b.Age.Minimum < a.Age.Minimum, Path: "age.minimum", Was: strconv.Itoa(a.Age.Minimum), Is: strconv.Itoa(b.Age.Minimum)})
	}
	if a.Security != b.Security {
		d.add(Change{Kind: "security_changed", Material: true, Path: "security"})
	}
	for _, name := range both(a.Cookies, b.Cookies) {
		switch was, is := a.Cookies[name], b.Cookies[name]; {
		case was == nil:
			d.add(Change{Kind: "cookie_added", Material: !is.Essential, Path: "cookies." + name, Of: name})
		case is == nil:
			d.add(Change{Kind: "cookie_removed", Path: "cookies", Of: name})
		default:
			d.period("cookies."+name+".lifetime", "cookie", name, was.Lifetime, is.Lifetime, true)
		}
	}
	sets(a.Regions.Allowed, b.Regions.Allowed, func(s string) {
		d.add(Change{Kind: "region_added", Material: true, Path: "regions.allowed", To: s})
	}, func(s string) { d.add(Change{Kind: "region_removed", Path: "regions.allowed", To: s}) })
	if a.Regions.Storage != b.Regions.Storage || a.Regions.Backup != b.Regions.Backup {
		d.add(Change{Kind: "region_moved", Material: true, Path: "regions.storage", Was: a.Regions.Storage + ", " + a.Regions.Backup, Is: b.Regions.Storage + ", " + b.Regions.Backup})
	}
	sets(a.Laws, b.Laws, func(s string) { d.add(Change{Kind: "law_added", Path: "laws", To: s}) },
		func(s string) { d.add(Change{Kind: "law_removed", Material: true, Path: "laws", To: s}) })
	sets(a.Languages, b.Languages, func(s string) { d.add(Change{Kind: "language_added", Path: "languages", To: s}) },
		func(s string) { d.add(Change{Kind: "language_removed", Material: true, Path: "languages", To: s}) })
	sets(a.Rights.Channels, b.Rights.Channels, func(s string) { d.add(Change{Kind: "channel_added", Path: "rights.channels", To: s}) },
		func(s string) {
			d.add(Change{Kind: "channel_removed", Material: true, Path: "rights.channels", To: s})
		})
}

func (d *differ) controller() {
	a, b := d.was.Controller, d.is.Controller
	if a.Name != b.Name && a.Name != "" {
		d.add(Change{Kind: "controller_changed", Material: true, Path: "controller.name", Was: a.Name, Is: b.Name})
	}
	a.Name, b.Name = "", ""
	if a != b {
		d.add(Change{Kind: "contacts_changed", Path: "controller"})
	}
}

func (d *differ) clauses() {
	same := slices.EqualFunc(d.was.Clauses, d.is.Clauses, func(a, b Clause) bool { return maps.Equal(a.Title, b.Title) && maps.Equal(a.Text, b.Text) })
	if !same {
		d.add(Change{Kind: "clauses_changed", Material: true, Path: "clauses"})
	}
}
