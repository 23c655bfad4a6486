package api

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"parley/account"
	"parley/crm/field"
	"parley/platform/db"
	"parley/platform/fault"
)

// OwnField is a field that an organisation added to its contacts or leads.
type OwnField struct {
	Key      string     `json:"key" doc:"Made from the first title; never changes"`
	Of       string     `json:"of" enum:"contact,lead"`
	Title    string     `json:"title"`
	Kind     field.Kind `json:"kind" enum:"text,number,date,choice,yesno"`
	Choices  []string   `json:"choices,omitempty" doc:"Of a choice"`
	Required bool       `json:"required" doc:"Asked for by forms and imports"`
	Place    int        `json:"place"`
	Gone     bool       `json:"gone" doc:"Taken out: values stay, and are neither shown nor asked for"`
}

// NewField is a field to be added.
type NewField struct {
	Of       string     `json:"of" enum:"contact,lead"`
	Title    string     `json:"title" minLength:"1" maxLength:"200"`
	Kind     field.Kind `json:"kind" enum:"text,number,date,choice,yesno" doc:"Dates are written 2026-03-02, numbers with a point, yes and no as these words"`
	Choices  []string   `json:"choices,omitempty" maxItems:"200"`
	Required bool       `json:"required,omitempty"`
	Place    int        `json:"place,omitempty"`
}

// FieldChanges changes a field; its kind cannot change.
type FieldChanges struct {
	Title    *string   `json:"title,omitempty" minLength:"1" maxLength:"200"`
	Choices  *[]string `json:"choices,omitempty" maxItems:"200"`
	Required *bool     `json:"required,omitempty"`
	Place    *int      `json:"place,omitempty"`
	Gone     *bool     `json:"gone,omitempty"`
}

// FieldValue is what a field of one's own holds.
type FieldValue struct {
	Key   string `json:"key" maxLength:"100"`
	Value string `json:"value" maxLength:"2000" doc:"Empty text removes it"`
}

func fieldValues(custom map[string]string) []FieldValue {
	out := []FieldValue{}
	for _, key := range slices.Sorted(maps.Keys(custom)) {
		out = append(out, FieldValue{key, custom[key]})
	}
	return out
}

// customOf are fields by their keys; nil when there are none.
func customOf(all []FieldValue) map[string]string {
	if len(all) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, x := range all {
		out[x.Key] = x.Value
	}
	return out
}

func (s *API) ownFields() {
	handle(s, does(http.MethodGet, "/fields", "list-fields", account.ReadLeads, tagContacts, "The organisation's own fields").
		saying("Of contacts and leads, with those that were taken out."),
		func(ctx context.Context, _ *struct{}) (*body[Page[OwnField]], error) {
			out := Page[OwnField]{Items: []OwnField{}}
			for _, of := range []string{field.OfContact, field.OfLead} {
				all, err := s.Fields.All(ctx, s.DB, callerOf(ctx).org.ID, of)
				if err != nil {
					return nil, err
				}
				for _, d := range all {
					out.Items = append(out.Items, fieldOf(d))
				}
			}
			return answerOf(out), nil
		})
	handle(s, does(http.MethodPost, "/fields", "add-field", account.ManagePipelines, tagContacts, "Add a field of one's own").giving(http.StatusCreated),
		func(ctx context.Context, in *struct{ Body NewField }) (*body[OwnField], error) {
			b := in.Body
			return s.saveField(ctx, field.Def{Of: b.Of, Title: b.Title, Kind: b.Kind, Choices: b.Choices, Required: b.Required, Place: b.Place})
		})
	handle(s, does(http.MethodPatch, "/fields/{of}/{field}", "change-field", account.ManagePipelines, tagContacts, "Change a field of one's own"), s.changeField)
}

func fieldOf(d field.Def) OwnField {
	return OwnField{Key: d.Key, Of: d.Of, Title: d.Title, Kind: d.Kind, Choices: d.Choices, Required: d.Required, Place: d.Place, Gone: d.Gone}
}

func (s *API) saveField(ctx context.Context, d field.Def) (*body[OwnField], error) {
	err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		d, err = s.Fields.Save(ctx, tx, callerOf(ctx).org.ID, d)
		return err
	})
	return answerOf(fieldOf(d)), err
}

func (s *API) changeField(ctx context.Context, in *struct {
	Of    string `path:"of" enum:"contact,lead"`
	Field string `path:"field"`
	Body  FieldChanges
}) (*body[OwnField], error) {
	all, err := s.Fields.All(ctx, s.DB, callerOf(ctx).org.ID, in.Of)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if d.Key != in.Field {
			continue
		}
		b := in.Body
		if b.Title != nil {
			d.Title = *b.Title
		}
		if b.Choices != nil {
			d.Choices = *b.Choices
		}
		if b.Required != nil {
			d.Required = *b.Required
		}
		if b.Place != nil {
			d.Place = *b.Place
		}
		if b.Gone != nil {
			d.Gone = *b.Gone
		}
		return s.saveField(ctx, d)
	}
	return nil, fault.New(fault.NotFound, "There is no field %.80q of a %s.", in.Field, in.Of)
}
