package desk

import (
	"errors"
	"net/http"
	"strings"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

func (d *desk) participantRoutes(own func(string, web.Handler)) {
	own("GET /desk/participants", d.participants)
	own("POST /desk/participants", d.findParticipant)
	own("GET /desk/participants/signed/{id}", d.participantProof)
	own("POST /desk/participants/act", d.beginAdmin)
	own("GET /desk/participants/acts/{id}", d.showAdmin)
	own("POST /desk/participants/acts/{id}", d.decideAdmin)
}

// administrator is who is signed in, for the portal's office.
func administrator(r *web.Request) (participant.Administrator, error) {
	by, err := operator(r)
	return participant.Administrator{IIN: ident.IIN(by.IIN), Serial: by.Serial, Name: by.Name}, err
}

// participants asks for a number, and lists what waits for a second operator and what was done.
func (d *desk) participants(w http.ResponseWriter, r *web.Request) error {
	return d.showParticipants(w, r, http.StatusOK, nil)
}

func (d *desk) showParticipants(w http.ResponseWriter, r *web.Request, status int, errs web.Errors) error {
	acts, err := d.c.Participants.AdminActs(r.Context(), 100)
	if err != nil {
		return err
	}
	return r.Render(w, status, participantsPage(r, acts, errs))
}

// findParticipant answers in the same request, so that no number stands in an address.
func (d *desk) findParticipant(w http.ResponseWriter, r *web.Request) error {
	number := strings.Join(strings.Fields(r.Field("q")), "")
	by, err := administrator(r)
	if err != nil {
		return err
	}
	found, err := d.c.Participants.FindParticipant(r.Context(), by, number)
	if err != nil {
		return err
	}
	if len(number) != 12 || found.Account == nil && found.Enterprise == nil {
		var errs web.Errors
		errs.Add("q", r.T("desk.part.none"))
		return d.showParticipants(w, r, http.StatusUnprocessableEntity, errs)
	}
	return r.OK(w, participantPage(r, number, found, nil))
}

// beginAdmin makes the draft of a block, or of the lifting of one, and leads to where it is signed.
func (d *desk) beginAdmin(w http.ResponseWriter, r *web.Request) error {
	kind, ok := participant.ParseAdminKind(r.Field("kind"))
	if !ok {
		return web.ErrNotFound
	}
	by, err := administrator(r)
	if err != nil {
		return err
	}
	a, err := d.c.Participants.Administer(r.Context(), by, kind, r.Field("object"), r.Field("lift") == "yes", r.Field("reason"))
	if wrong, ok := errors.AsType[participant.FieldErrors](err); ok {
		found, err := d.c.Participants.FindParticipant(r.Context(), by, r.Field("number"))
		if err != nil {
			return err
		}
		var errs web.Errors
		errs.Add("reason", r.T("desk.part."+wrong["reason"]))
		return r.Invalid(w, participantPage(r, r.Field("number"), found, errs))
	}
	if err != nil {
		return refusedAdmin(err, "/desk/participants")
	}
	return r.Redirect("/desk/participants/acts/" + a.ID)
}

func (d *desk) showAdmin(w http.ResponseWriter, r *web.Request) error {
	by, err := administrator(r)
	if err != nil {
		return err
	}
	a, doc, err := d.c.Participants.AdminAct(r.Context(), by, r.PathValue("id"))
	if err != nil {
		return refusedAdmin(err, "/desk/participants")
	}
	var ask web.AgentCall
	if mine := a.MadeBy.IIN == by.IIN; a.State == participant.AdminDraft || a.State == participant.AdminWaiting && !mine {
		if ask, err = call(r, string(doc)); err != nil {
			return err
		}
	}
	return r.OK(w, adminPage(r, a, ask, a.MadeBy.IIN == by.IIN))
}

// decideAdmin takes a signature over an act, or ends it.
func (d *desk) decideAdmin(_ http.ResponseWriter, r *web.Request) error {
	by, err := administrator(r)
	if err != nil {
		return err
	}
	to := "/desk/participants/acts/" + r.PathValue("id")
	a, doc, err := d.c.Participants.AdminAct(r.Context(), by, r.PathValue("id"))
	if err != nil {
		return refusedAdmin(err, "/desk/participants")
	}
	switch r.Field("do") {
	case "reject":
		_, err = d.c.Participants.RejectAdmin(r.Context(), by, a.ID)
	case "record", "confirm":
		signed, _, serr := d.signature(r, doc, to, func(code string) error { return d.c.Participants.RefusedAdmin(r.Context(), by, a, code) })
		if serr != nil {
			return serr
		}
		_, err = d.c.Participants.SignAdmin(r.Context(), by, a.ID, signed)
	default:
		return web.ErrNotFound
	}
	if err != nil {
		return refusedAdmin(err, to)
	}
	return r.Redirect(to)
}

// refusedAdmin is a refusal of the portal's office as a page with a way back.
func refusedAdmin(err error, back string) error {
	if errors.Is(err, participant.ErrNotFound) {
		return web.ErrNotFound
	}
	no, ok := errors.AsType[*participant.Denied](err)
	if !ok {
		return err
	}
	return web.Refusal{Code: no.Code, Evidence: no.Evidence, Next: []web.Link{{Text: "desk.next.back", Href: back}}}
}

// adminTitle names an act.
func adminTitle(r *web.Request, a participant.AdminAct) string {
	return r.T("desk.part." + a.Action() + "." + string(a.Kind))
}

func adminTag(a participant.AdminAct) string {
	switch a.State {
	case participant.AdminDone:
		return "good"
	case participant.AdminRejected:
		return "stop"
	case participant.AdminDraft, participant.AdminWaiting:
	}
	return "soon"
}

// participantProof gives what a participant signed with all that proves it, as one file.
func (d *desk) participantProof(w http.ResponseWriter, r *web.Request) error {
	by, err := administrator(r)
	if err != nil {
		return err
	}
	b, err := d.c.Participants.ParticipantProof(r.Context(), by, r.PathValue("id"))
	if errors.Is(err, participant.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	files := make([]web.BundleFile, len(b.Files))
	for i, f := range b.Files {
		files[i] = web.BundleFile(f)
	}
	return web.SendBundle(w, b.Name, r.Now(), files)
}
