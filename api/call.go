package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/call"
	"parley/calls/device"
	"parley/calls/number"
	"parley/platform/db"
	"parley/platform/fault"
)

const tagCalls = "Calls"

// Call is one call.
type Call struct {
	ID           string           `json:"id"`
	Start        time.Time        `json:"start"`
	Direction    string           `json:"direction" enum:"incoming,outgoing,unknown"`
	Type         string           `json:"type" doc:"As the source logged it"`
	Outcome      string           `json:"outcome" enum:"connected,missed,rejected,blocked,not_picked_up,voicemail,unknown"`
	Seconds      int              `json:"seconds" doc:"Talk time"`
	Number       string           `json:"number,omitempty" doc:"E.164 where it can be; absent when withheld or erased"`
	NumberID     number.Key       `json:"number_id,omitempty" doc:"The number's id; absent when withheld"`
	Presentation string           `json:"presentation" doc:"Whether the network showed the number"`
	Name         string           `json:"name,omitempty" doc:"Contact name as phones logged it"`
	Agent        *AgentRef        `json:"agent" doc:"Who held the line when the call took place"`
	Line         device.LineID    `json:"line,omitempty"`
	Source       string           `json:"source" enum:"phone,browser,assistant,pbx,messenger"`
	Note         string           `json:"note,omitempty"`
	NoteBy       account.MemberID `json:"note_by,omitempty"`
	Tags         []string         `json:"tags"`
	SyncedAt     *time.Time       `json:"synced_at" doc:"When it was stored or last changed here"`
}

// CallChange is what to change; what is left out stays.
type CallChange struct {
	Note *string   `json:"note,omitempty" maxLength:"10000" doc:"Empty text removes it"`
	Tags *[]string `json:"tags,omitempty" doc:"All tags that the call is to have"`
}

// CallIDs names several calls.
type CallIDs struct {
	IDs []string `json:"ids" nullable:"false" minItems:"1" maxItems:"500"`
}

// Deleted says what became of calls that were to be deleted.
type Deleted struct {
	Deleted int      `json:"deleted"`
	Missing []string `json:"missing" doc:"Ids of calls that were not there"`
}

// CallPath names a call.
type CallPath struct {
	Call string `path:"call"`
}

func (s *API) calls() {
	handle(s, does(http.MethodGet, "/calls", "list-calls", account.ReadCalls, tagCalls, "Call history").
		saying("Newest first. A page costs the same however far back it lies."), s.listCalls)
	handle(s, does(http.MethodGet, "/calls/{call}", "get-call", account.ReadCalls, tagCalls, "One call"), s.getCall)
	handle(s, does(http.MethodPost, "/calls/get", "get-calls", account.ReadCalls, tagCalls, "Several calls by id").
		saying("Those that are there and that you may see, in the order of the ids."), s.getCalls)
	handle(s, does(http.MethodPatch, "/calls/{call}", "annotate-call", account.WriteCalls, tagCalls, "Write a note or tags"), s.annotateCall)
	handle(s, does(http.MethodDelete, "/calls/{call}", "delete-call", account.DeleteCalls, tagCalls, "Delete a call for good").giving(http.StatusNoContent), s.deleteCall)
	handle(s, does(http.MethodPost, "/calls/delete", "delete-calls", account.DeleteCalls, tagCalls, "Delete several calls for good"), s.deleteCalls)
	handle(s, does(http.MethodGet, "/tags", "list-tags", account.ReadCalls, tagCalls, "Tags in use"),
		func(ctx context.Context, _ *struct{}) (*body[Page[string]], error) {
			tags, err := s.Calls.Tags(ctx, callerOf(ctx).org.ID)
			if tags == nil {
				tags = []string{}
			}
			return answerOf(Page[string]{Items: tags}), err
		})
}

// dresser makes answers of calls.
type dresser struct {
	org    *account.Org
	agents map[account.AgentNo]AgentRef
	lines  map[call.LineNo]device.LineID
}

func (s *API) dresser(ctx context.Context) (*dresser, error) {
	org := callerOf(ctx).org
	agents, err := s.agentsByNo(ctx, org)
	if err != nil {
		return nil, err
	}
	lines, err := s.linesByNo(ctx, org)
	return &dresser{org: org, agents: agents, lines: lines}, err
}

func (d *dresser) call(c *call.Call) Call {
	out := Call{
		ID: c.ID, Start: c.Row.At().In(d.org.Location()), Direction: c.Row.Direction.String(), Type: c.Row.Type.String(), Outcome: c.Outcome.String(),
		Seconds: c.Row.Seconds, Number: c.Number, NumberID: c.NumberKey, Presentation: c.Presentation.String(), Name: c.Name,
		Line: d.lines[c.Row.Line], Source: c.Row.Source.String(), Note: c.Note, NoteBy: c.NoteBy, Tags: c.Tags,
		SyncedAt: at(d.org, time.Unix(c.Row.Synced, 0)),
	}
	if out.Tags == nil {
		out.Tags = []string{}
	}
	out.Agent = refTo(d.agents, c.Row.Agent)
	return out
}

func (d *dresser) page(p *call.Page) *body[Page[Call]] {
	out := Page[Call]{Items: make([]Call, len(p.Calls)), Next: p.Next}
	for i := range p.Calls {
		out.Items[i] = d.call(&p.Calls[i])
	}
	return answerOf(out)
}

func (s *API) listCalls(ctx context.Context, in *struct {
	Ask
	Paging
}) (*body[Page[Call]], error) {
	v, err := s.view(ctx, &in.Ask)
	if err != nil {
		return nil, err
	}
	page, err := s.Reporter.History(ctx, v.Org, call.HistoryQuery{
		Agents: v.Query.Agents, From: v.From, To: v.To, Filter: v.Query.Filter, After: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	d, err := s.dresser(ctx)
	if err != nil {
		return nil, err
	}
	return d.page(page), nil
}

// callKey reads a call's id; one that the caller may not see is NotFound.
func (s *API) callKey(ctx context.Context, id string) (call.Key, error) {
	k, err := call.ParseID(callerOf(ctx).org.ID, id)
	if err != nil {
		return k, err
	}
	if err := mustSee(ctx, k.Agent, "There is no call %.80q here. It may have been deleted.", id); err != nil {
		return k, err
	}
	return k, s.concernCall(ctx, k)
}

func (s *API) getCall(ctx context.Context, in *CallPath) (*body[Call], error) {
	k, err := s.callKey(ctx, in.Call)
	if err != nil {
		return nil, err
	}
	c, err := s.Calls.One(ctx, callerOf(ctx).org, k)
	if err != nil {
		return nil, err
	}
	d, err := s.dresser(ctx)
	if err != nil {
		return nil, err
	}
	return answerOf(d.call(c)), nil
}

func (s *API) getCalls(ctx context.Context, in *struct{ Body CallIDs }) (*body[Page[Call]], error) {
	org := callerOf(ctx).org
	d, err := s.dresser(ctx)
	if err != nil {
		return nil, err
	}
	mine, err := seen(ctx)
	if err != nil {
		return nil, err
	}
	var page call.Page
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		var rows []call.Row
		for _, id := range in.Body.IDs {
			k, err := call.ParseID(org.ID, id)
			if fault.KindOf(err) == fault.NotFound || err == nil && !sees(mine, k.Agent) {
				continue
			}
			if err != nil {
				return err
			}
			row, ok, err := call.RowByKey(ctx, tx, org.ID, k)
			if err != nil {
				return err
			}
			if ok {
				rows = append(rows, row)
			}
		}
		page.Calls, err = s.Calls.Dress(ctx, tx, org, rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.page(&page), nil
}

func (s *API) annotateCall(ctx context.Context, in *struct {
	CallPath
	Body CallChange
}) (*body[Call], error) {
	k, err := s.callKey(ctx, in.Call)
	if err != nil {
		return nil, err
	}
	a := actorOf(ctx)
	if in.Body.Tags != nil { // checked before the note is written, so that it is both or neither
		if _, err := call.CleanTags(*in.Body.Tags); err != nil {
			return nil, err
		}
	}
	if in.Body.Note != nil {
		if err := s.Calls.SetNote(ctx, a.Org, k, *in.Body.Note, a.Member.ID); err != nil {
			return nil, err
		}
	}
	if in.Body.Tags != nil {
		if err := s.Calls.SetTags(ctx, a.Org, k, *in.Body.Tags); err != nil {
			return nil, err
		}
	}
	return s.getCall(ctx, &in.CallPath)
}

func (s *API) deleteCall(ctx context.Context, in *CallPath) (*struct{}, error) {
	k, err := s.callKey(ctx, in.Call)
	if err != nil {
		return nil, err
	}
	there, err := s.Writer.Delete(ctx, callerOf(ctx).org, []call.Key{k})
	if err == nil && !there[0] {
		err = fault.New(fault.NotFound, "There is no call %.80q here. It may have been deleted already.", in.Call)
	}
	return nil, err
}

func (s *API) deleteCalls(ctx context.Context, in *struct{ Body CallIDs }) (*body[Deleted], error) {
	out := Deleted{Missing: []string{}}
	var keys []call.Key
	var ids []string
	for _, id := range in.Body.IDs {
		k, err := s.callKey(ctx, id)
		switch {
		case err == nil:
			keys, ids = append(keys, k), append(ids, id)
		case fault.KindOf(err) == fault.NotFound:
			out.Missing = append(out.Missing, id)
		default:
			return nil, err
		}
	}
	there, err := s.Writer.Delete(ctx, callerOf(ctx).org, keys)
	if err != nil {
		return nil, err
	}
	for i, ok := range there {
		if ok {
			out.Deleted++
		} else {
			out.Missing = append(out.Missing, ids[i])
		}
	}
	return answerOf(out), nil
}
