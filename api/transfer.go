package api

import (
	"context"
	"net/http"
	"time"

	"parley/account"
	"parley/calls/person"
	"parley/platform/fault"
	"parley/trust/incident"
	"parley/trust/subject"
)

// Transfer is the handing over of the business, with its data, to a successor. The operator writes what is handed over to a
// file, once the time to object is over; programs do not.
type Transfer struct {
	ID          string                 `json:"id"`
	State       incident.TransferState `json:"state" enum:"announced,done,withdrawn"`
	Successor   string                 `json:"successor"`
	Reason      string                 `json:"reason,omitempty"`
	Contact     string                 `json:"contact" doc:"Where people object"`
	AnnouncedAt *time.Time             `json:"announced_at"`
	ObjectUntil *time.Time             `json:"object_until" doc:"Nothing is handed over before"`
	Policy      int                    `json:"policy" doc:"Version of the privacy policy that binds the successor"`
	Told        int64                  `json:"told" doc:"Members who got the news by mail"`
	EndedAt     *time.Time             `json:"ended_at,omitempty"`
	Objections  []Objection            `json:"objections"`
}

// Objection is a person's wish not to be handed over.
type Objection struct {
	Person string           `json:"person" example:"number/17"`
	At     *time.Time       `json:"at"`
	By     account.MemberID `json:"by,omitempty" doc:"Who wrote it down"`
}

// NewTransfer announces a transfer.
type NewTransfer struct {
	Successor   string    `json:"successor" minLength:"1" maxLength:"200"`
	Reason      string    `json:"reason,omitempty" maxLength:"20000"`
	Contact     string    `json:"contact" minLength:"1" maxLength:"200" doc:"Where people object: an e-mail address or a telephone number"`
	ObjectUntil time.Time `json:"object_until" doc:"At least 30 days from now"`
}

// NewObjection is somebody who objects: a number, or a member.
type NewObjection struct {
	Number string           `json:"number,omitempty" maxLength:"64"`
	Member account.MemberID `json:"member,omitempty"`
}

// TransferPath names a transfer.
type TransferPath struct {
	Transfer string `path:"transfer"`
}

func (s *API) transfers() {
	handle(s, does(http.MethodGet, "/transfers", "list-transfers", account.ReadPrivacy, tagIncidents, "List transfers of the business, newest first"), s.listTransfers)
	handle(s, does(http.MethodPost, "/transfers", "announce-transfer", account.ManageOrg, tagIncidents, "Announce that the business goes to a successor").
		saying("Members are told at once. People can object for 30 days at least, and nothing is handed over before. The data itself leaves by `parley transfer export`.").giving(http.StatusCreated), s.announceTransfer)
	handle(s, does(http.MethodGet, "/transfers/{transfer}", "get-transfer", account.ReadPrivacy, tagIncidents, "One transfer with the objections"),
		func(ctx context.Context, in *TransferPath) (*body[Transfer], error) {
			return transferAnswer(ctx)(s.Incidents.Transfer(ctx, actorOf(ctx), in.Transfer))
		})
	handle(s, does(http.MethodPost, "/transfers/{transfer}/objections", "object-to-transfer", account.ManagePrivacy, tagIncidents, "Write down that a person objects").
		saying("What is kept about them stays behind.").giving(http.StatusCreated), s.objectToTransfer)
	handle(s, does(http.MethodPost, "/transfers/{transfer}/withdraw", "withdraw-transfer", account.ManageOrg, tagIncidents, "End a transfer that will not happen"),
		func(ctx context.Context, in *TransferPath) (*body[Transfer], error) {
			return transferAnswer(ctx)(s.Incidents.Withdraw(ctx, actorOf(ctx), in.Transfer))
		})
}

func transferOf(org *account.Org, t *incident.Transfer) Transfer {
	out := Transfer{ID: t.ID, State: t.State, Successor: t.Successor, Reason: t.Reason, Contact: t.Contact, AnnouncedAt: at(org, t.Announced), ObjectUntil: at(org, t.Until), Policy: t.Policy, Told: t.Told,
		EndedAt: at(org, t.EndedAt), Objections: []Objection{}}
	for _, o := range t.Objections {
		out.Objections = append(out.Objections, Objection{o.Who.String(), at(org, o.At), o.By})
	}
	return out
}

func transferAnswer(ctx context.Context) func(t *incident.Transfer, err error) (*body[Transfer], error) {
	return func(t *incident.Transfer, err error) (*body[Transfer], error) {
		if err != nil {
			return nil, err
		}
		return answerOf(transferOf(callerOf(ctx).org, t)), nil
	}
}

func (s *API) listTransfers(ctx context.Context, in *struct{ Paging }) (*body[Page[Transfer]], error) {
	all, err := s.Incidents.Transfers(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]Transfer, len(all))
	for i, t := range all {
		out[i] = transferOf(callerOf(ctx).org, t)
	}
	return pageOf(out, in.Paging, func(t Transfer) string { return t.ID })
}

func (s *API) announceTransfer(ctx context.Context, in *struct{ Body NewTransfer }) (*body[Transfer], error) {
	b := in.Body
	return transferAnswer(ctx)(s.Incidents.Announce(ctx, actorOf(ctx), incident.Transfer{Successor: b.Successor, Reason: b.Reason, Contact: b.Contact, Until: b.ObjectUntil}))
}

func (s *API) objectToTransfer(ctx context.Context, in *struct {
	TransferPath
	Body NewObjection
}) (*body[Transfer], error) {
	a, b := actorOf(ctx), in.Body
	var who []subject.Ref
	var err error
	switch {
	case (b.Number == "") == (b.Member == ""):
		err = fault.Field("number", "Say who objects: a number, or a member.")
	case b.Member != "":
		_, err = s.Accounts.Member(ctx, a.Org.ID, b.Member)
		who = []subject.Ref{subject.OfMember(string(b.Member))}
	default:
		who, err = person.Enter(ctx, s.DB, s.Book, a.Org, "number", []string{b.Number})
	}
	if err != nil {
		return nil, err
	}
	if err := s.Incidents.Object(ctx, a, in.Transfer, who[0]); err != nil {
		return nil, err
	}
	concern(ctx, who[0])
	return transferAnswer(ctx)(s.Incidents.Transfer(ctx, a, in.Transfer))
}
