package portal

import (
	"net/http"
	"slices"
	"time"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// The cookie by which a browser finds its recovery again: the id of the signed change of address. It opens
// nothing: whoever has it learns how far the recovery is, and may have the link sent to the new address.
const (
	recoveryCookie = "recovery"
	recoveryLife   = 72 * time.Hour
)

// recovering is the change of address with which this browser began its recovery; "" for none.
func (s *site) recovering(r *web.Request) string {
	c, err := r.Cookie(s.ownCookie(recoveryCookie))
	if err != nil || len(c.Value) > maxToken {
		return ""
	}
	return c.Value
}

// recoverPage is «Нет доступа к почте и паролю» (E7): where one stands on the way, and the next step.
func (s *site) recoverPage(w http.ResponseWriter, r *web.Request) error {
	state, err := s.recovery(r)
	if err != nil {
		return err
	}
	return r.OK(w, recoverView(r, state, s.cabinet))
}

func (s *site) recovery(r *web.Request) (participant.Recovery, error) {
	id := s.recovering(r)
	if id == "" {
		return participant.Recovery{Step: participant.RecoverAddress}, nil
	}
	return s.office.Recovery(r.Context(), id)
}

// recoverLink has the link of the second step sent to the address of the first.
func (s *site) recoverLink(_ http.ResponseWriter, r *web.Request) error {
	if err := s.office.AskRecoveryLink(r.Context(), s.recovering(r)); err != nil {
		return &stopped{err: err, retry: "/login/recover"}
	}
	if err := r.Set(map[string]string{linkAsked: r.Now().UTC().Format(time.RFC3339)}); err != nil {
		return err
	}
	return r.Redirect("/login/recover")
}

// linkAsked is the value of a session that says when the link was asked for: the letter is written a
// moment later.
const linkAsked = "recover.asked"

// recoverStage is one step as the page shows it.
type recoverStage struct {
	key  string // of its texts
	kind string // done, now, later
}

// stages are the four things that happen, in their order, with what is done.
func stages(step participant.RecoveryStep) []recoverStage {
	at := map[participant.RecoveryStep]int{participant.RecoverAddress: 0, participant.RecoverConfirm: 1, participant.RecoverWait: 1,
		participant.RecoverLink: 2, participant.RecoverSet: 3, participant.RecoverDone: 4}[step]
	all := []recoverStage{{key: "signin.recover.1"}, {key: "signin.recover.2"}, {key: "signin.recover.3"}, {key: "signin.recover.4"}}
	for i := range all {
		switch {
		case i < at:
			all[i].kind = "done"
		case i == at:
			all[i].kind = "now"
		default:
			all[i].kind = "later"
		}
	}
	return all
}

// wayOn leads from the page after the signature to where the recovery is shown; a person who is signed in
// has no need of it.
func wayOn(r *web.Request) []web.Link {
	if r.Session().SignedIn() {
		return nil
	}
	return []web.Link{{Text: r.T("signin.recover.follow"), Href: "/login/recover"}}
}

// signIn is one line of «Мои входы».
type signIn struct {
	participant.Entry
	Open, Own bool // a session of it goes on; it is this one
}

// shownEntries is how many sign-ins are shown that nothing goes on of.
const shownEntries = 20

// signIns lists every sign-in a session of which goes on, then the newest others.
func (s *site) signIns(r *web.Request, iin ident.IIN) ([]signIn, error) {
	all, err := s.office.Entries(r.Context(), iin, participant.KeptEntries)
	if err != nil {
		return nil, err
	}
	open, err := s.office.OpenSessions(r.Context(), iin, s.idle)
	if err != nil {
		return nil, err
	}
	var list []signIn
	listed := map[string]bool{"": true}
	for _, o := range open {
		if listed[o.Entry] {
			continue
		}
		listed[o.Entry] = true
		e := participant.Entry{ID: o.Entry, IIN: iin, At: o.Created} // of one so old that nothing else is kept
		if i := slices.IndexFunc(all, func(e participant.Entry) bool { return e.ID == o.Entry }); i >= 0 {
			e = all[i]
		}
		list = append(list, signIn{Entry: e, Open: true, Own: e.ID == r.Value(participant.EntryValue)})
	}
	for _, e := range all[:min(len(all), shownEntries)] {
		if !listed[e.ID] {
			list = append(list, signIn{Entry: e})
		}
	}
	return list, nil
}
