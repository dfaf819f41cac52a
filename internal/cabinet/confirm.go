package cabinet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

// What documents are signed for; each has a challenge of its own, and a new one replaces the old.
const (
	purposeApply    = "apply"
	purposeDecide   = "decide"
	purposeDelegate = "delegate"
	purposeDismiss  = "dismiss"
)

func (s *cabinet) confirmRoutes(at routes) {
	at.own("GET /confirm", s.inbox)
	at.own("GET /confirm/sign", s.askDecision)
	at.own("POST /confirm/sign", s.decide)
	at.own("GET /confirm/reject", s.askReject)
	at.own("POST /confirm/reject", s.reject)
	at.own("GET /confirm/done", s.decided)
}

// mayConfirm reports that the key one signed in with could be a confirmer's: only then is the inbox in
// the menu. Whether he is one, the inbox finds out.
func mayConfirm(r *web.Request) bool {
	cert, err := r.Certificate()
	if err != nil || r.Session().BIN == "" {
		return false
	}
	role := ra.RoleOf(cert.Holder())
	return role == ra.RoleHead || role == ra.RoleSignRight
}

// waiting is one application as its confirmer sees it: who, in which role, where the keys will live,
// the fingerprints of the requests, and what keys the person had in the company.
type waiting struct {
	ra.Application
	Prints   []string
	Previous []ra.Key
	Chosen   bool
	Closes   time.Time // when it ends unconfirmed
}

// inboxView is the page of «Заявки на подтверждение».
type inboxView struct {
	List []waiting
	All  bool
	More bool
}

// inbox lists what waits for the signed-in head or delegate.
func (s *cabinet) inbox(w http.ResponseWriter, r *web.Request) error {
	v, err := s.waitingFor(r)
	if err != nil {
		return err
	}
	return r.OK(w, inboxPage(r, v, nil))
}

func (s *cabinet) waitingFor(r *web.Request) (inboxView, error) {
	cert, err := r.Certificate()
	if err != nil {
		return inboxView{}, err
	}
	list, more, err := s.c.Office.Inbox(r.Context(), cert)
	if err != nil {
		return inboxView{}, toInbox(err)
	}
	v := inboxView{More: more, All: r.URL.Query().Get("all") != ""}
	chosen := chosenNumbers(r)
	if v.List, err = s.seen(r, list); err != nil {
		return inboxView{}, err
	}
	for i := range v.List {
		v.List[i].Chosen = v.All || slices.Contains(chosen, v.List[i].Number)
	}
	return v, nil
}

// seen adds what a confirmer wants to know to each application.
func (s *cabinet) seen(r *web.Request, list []ra.Application) ([]waiting, error) {
	all := make([]waiting, 0, len(list))
	for _, a := range list {
		keys, err := s.c.Keys.Of(r.Context(), a.Subject.IIN)
		if err != nil {
			return nil, err
		}
		one := waiting{Application: a, Closes: a.SignedAt.Add(s.c.Office.Terms().Confirm), Previous: slices.DeleteFunc(keys, func(k ra.Key) bool { return k.BIN != a.Subject.BIN })}
		for _, q := range a.Requests {
			sum := sha256.Sum256(q.CSR)
			one.Prints = append(one.Prints, hex.EncodeToString(sum[:]))
		}
		all = append(all, one)
	}
	return all, nil
}

// chosenNumbers are the applications ticked, from the address or the form.
func chosenNumbers(r *web.Request) []string {
	if r.Method == http.MethodPost {
		return r.PostForm["number"]
	}
	return r.URL.Query()["number"]
}

// askDecision shows exactly what will be signed.
func (s *cabinet) askDecision(w http.ResponseWriter, r *web.Request) error {
	if len(chosenNumbers(r)) == 0 {
		return s.noneChosen(w, r)
	}
	return s.askToSign(w, r, ra.ActConfirm, "")
}

func (s *cabinet) noneChosen(w http.ResponseWriter, r *web.Request) error {
	v, err := s.waitingFor(r)
	if err != nil {
		return err
	}
	if len(v.List) == 0 {
		return r.OK(w, inboxPage(r, v, nil))
	}
	return r.Invalid(w, inboxPage(r, v, web.Errors{{Field: "number", Text: r.T("confirm.error.none")}}))
}

// signView is a decision ready to be signed.
type signView struct {
	Act     ra.Act
	List    []waiting
	Dropped []ra.Outcome
	Reason  string
	Text    string
	Call    web.AgentCall
}

func (s *cabinet) askToSign(w http.ResponseWriter, r *web.Request, act ra.Act, reason string) error {
	cert, err := r.Certificate()
	if err != nil {
		return err
	}
	p, err := s.c.Office.Prepare(r.Context(), cert, act, chosenNumbers(r), reason)
	if err != nil {
		return toInbox(err)
	}
	document, err := r.Bind(purposeDecide, p.Document)
	if err != nil {
		return err
	}
	v := signView{Act: act, Dropped: p.Dropped, Reason: reason, Text: document,
		Call: web.SignXML(r.Lang(), document, web.Signer{IIN: r.Session().IIN, BIN: r.Session().BIN})}
	if v.List, err = s.seen(r, p.Applications); err != nil {
		return err
	}
	return r.OK(w, decisionPage(r, v))
}

// askReject asks why.
func (s *cabinet) askReject(w http.ResponseWriter, r *web.Request) error {
	if len(chosenNumbers(r)) == 0 {
		return s.noneChosen(w, r)
	}
	return s.rejecting(w, r, nil)
}

func (s *cabinet) rejecting(w http.ResponseWriter, r *web.Request, errs web.Errors) error {
	cert, err := r.Certificate()
	if err != nil {
		return err
	}
	p, err := s.c.Office.Prepare(r.Context(), cert, ra.ActConfirm, chosenNumbers(r), "") // the same right as to confirm
	if err != nil {
		return toInbox(err)
	}
	list, err := s.seen(r, p.Applications)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return r.Invalid(w, rejectPage(r, list, errs))
	}
	return r.OK(w, rejectPage(r, list, nil))
}

// reject checks the reason and shows what will be signed; nothing is changed yet.
func (s *cabinet) reject(w http.ResponseWriter, r *web.Request) error {
	reason := strings.Join(strings.Fields(r.Field("reason")), " ")
	switch n := len([]rune(reason)); {
	case n == 0:
		return s.rejecting(w, r, web.Errors{{Field: "reason", Text: r.T("confirm.error.reason")}})
	case n > 500:
		return s.rejecting(w, r, web.Errors{{Field: "reason", Text: r.T("confirm.error.reason_long")}})
	}
	return s.askToSign(w, r, ra.ActReject, reason)
}

// decide takes the signature. What became of each application is kept for the next page, so that a
// reload does not decide again.
func (s *cabinet) decide(_ http.ResponseWriter, r *web.Request) error {
	signed, err := web.SignedXML(r.Field("answer"))
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: "/confirm"}
	}
	under, err := r.TakeChallenge(purposeDecide, "/confirm")
	if err != nil {
		return err
	}
	out, err := s.c.Office.Decide(r.Context(), under, viewer(r), signed)
	if err != nil {
		return toInbox(err)
	}
	if len(out) == 1 && out[0].Code != "" {
		return toInbox(&ra.Refusal{Code: out[0].Code, Evidence: out[0].Evidence}, out[0].Number)
	}
	kept, err := json.Marshal(out)
	if err != nil {
		return err
	}
	if err := r.Set(map[string]string{"decided": string(kept)}); err != nil {
		return err
	}
	return r.Redirect("/confirm/done")
}

// decided shows what became of each application.
func (s *cabinet) decided(w http.ResponseWriter, r *web.Request) error {
	var out []ra.Outcome
	if err := json.Unmarshal([]byte(r.Value("decided")), &out); err != nil || len(out) == 0 {
		return r.Redirect("/confirm")
	}
	return r.OK(w, decidedPage(r, out))
}

// toInbox gives a refusal the way back to the list, and to the application it is about when the
// confirmer may see that.
func toInbox(err error, number ...string) error {
	var no *ra.Refusal
	if !errors.As(err, &no) {
		return err
	}
	f := web.Refusal{Code: no.Code, Evidence: no.Evidence, Next: []web.Link{{Text: "confirm.done.back", Href: "/confirm"}}}
	switch no.Code {
	case "NOT_YOUR_APPLICATION":
		f.Status = http.StatusNotFound
		return f
	case "CHECK_UNAVAILABLE":
		f.Unknown, f.Retry, f.Next = true, "/confirm", nil
	case "COMPANY_KEY_NEEDED", "ROLE_CANNOT_CONFIRM", "NOT_HEAD_NOW":
		f.Next = []web.Link{{Text: "cabinet.next.keys", Href: "/keys"}, {Text: "cabinet.next.applications", Href: "/applications"}}
	}
	for _, n := range number {
		f.Next = append(f.Next, web.Link{Text: "confirm.card.open", Href: "/applications/" + url.PathEscape(n)})
	}
	return f
}

// keyLine is an earlier key in one line: role, last day, state.
func (s waiting) keyLine(r *web.Request, k ra.Key) string {
	role := ""
	if c, err := pki.ParseCertificate(k.Raw); err == nil {
		role = roleWords(r, c.Holder())
	}
	state := "live"
	switch {
	case k.Reason == "certificateHold":
		state = "hold"
	case !k.RevokedAt.IsZero():
		state = "revoked"
	case !k.Live(r.Now()):
		state = "over"
	}
	return r.T("confirm.card.key", "role", role, "date", r.Date(k.NotAfter), "state", r.T("confirm.card."+state))
}

// facts are what a confirmer looks at before he signs.
func (s waiting) facts(r *web.Request) []web.Row {
	const few = 5
	rows := []web.Row{
		{Label: r.T("confirm.card.number"), Value: ra.FormatNumber(s.Number) + ", " + r.T("confirm.card.revision", "n", s.Revision)},
		{Label: r.T("cabinet.application.kind"), Value: r.T("cabinet.kind." + string(s.Kind))},
		{Label: r.T("web.key.iin"), Value: ident.FormatIIN(s.Subject.IIN)},
		{Label: r.T("confirm.card.role"), Value: r.T(roleKey(s.Role))},
		{Label: r.T("cabinet.field.storage"), Value: r.T("cabinet.storage." + string(s.Storage))},
		{Label: r.T("confirm.card.signed"), Value: r.DateTime(s.SignedAt)},
		{Label: r.T("confirm.card.closes"), Value: r.Date(s.Closes)},
	}
	var lines []string
	for _, k := range s.Previous[:min(few, len(s.Previous))] {
		lines = append(lines, s.keyLine(r, k))
	}
	if n := len(s.Previous) - few; n > 0 {
		lines = append(lines, r.T("confirm.card.more_keys", "n", n))
	}
	if len(lines) == 0 {
		lines = []string{r.T("confirm.card.no_previous")}
	}
	return append(rows, web.Row{Label: r.T("confirm.card.previous"), Value: strings.Join(lines, "; ")})
}

// prints are the fingerprints of what was signed and asked for.
func (s waiting) prints(r *web.Request) []web.Row {
	rows := []web.Row{{Label: r.T("confirm.card.hash"), Value: s.SignedHash, Mono: true}}
	for _, p := range s.Prints {
		rows = append(rows, web.Row{Label: r.T("confirm.card.prints"), Value: p, Mono: true})
	}
	return rows
}
