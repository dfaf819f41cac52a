package portal

import (
	"encoding/hex"
	"errors"
	"net/http"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/trust"
	"senim/internal/web"
)

// identityForm is the first page of a change of e-mail and of a new password.
type identityForm struct {
	key          string // of its texts
	action, back string
	iin          string // typed, or of who is signed in
	twice        bool
}

// actData is a page that asks for the signature of an act.
type actData struct {
	key          string
	act          participant.Act
	action, back string
	rows         []web.Row
	signer       web.Signer
}

// wrongFields says what is wrong beside each field; the summary names the fields that are empty.
func wrongFields(r *web.Request, wrong participant.FieldErrors, fields ...string) web.Errors {
	var errs web.Errors
	for _, f := range fields {
		switch code := wrong[f]; code {
		case "":
		case "FIELD_EMPTY":
			errs.Add(f, r.T("portal.data.empty", "field", r.T(fieldLabel(f))))
		default:
			errs.Add(f, r.T("codes."+code))
		}
	}
	return errs
}

func fieldLabel(field string) string {
	switch field {
	case "iin":
		return "portal.recovery.iin"
	case "password":
		return "portal.reset.password"
	}
	return "portal.data." + field
}

// showAct asks for the signature of what this browser is about to do.
func (s *site) showAct(w http.ResponseWriter, r *web.Request, k participant.Kind, page func(participant.Act) actData) error {
	a, err := s.office.Act(r.Context(), r.SID(), k)
	if err != nil {
		return &stopped{err: err}
	}
	c, err := r.Ask(string(k), a.Digest())
	if err != nil {
		return err
	}
	v := page(a)
	v.act = a
	return r.OK(w, actView(r, v, c))
}

// proveAct verifies the signature: challenge, its digest, certificate fit for signing and good now.
func (s *site) proveAct(r *web.Request, k participant.Kind) (participant.Signed, error) {
	der, err := web.Signature(r.Field("answer"))
	if err != nil {
		return participant.Signed{}, err
	}
	p, err := s.signIn.From(r.Network()).Prove(r.Context(), r.SID(), string(k), der, trust.Signing)
	if err == nil && !r.Session().SignedIn() { // who is signed in was counted when he asked
		sum := p.Certificate.Fingerprint()
		err = r.CountCertificate(hex.EncodeToString(sum[:]))
	}
	return participant.Signed{Proof: p, Answer: der}, err
}

// tokenOf reads a letter's token; LINK_STALE when it cannot be one.
func tokenOf(token, kind string) (participant.LinkKey, error) {
	if token == "" || len(token) > maxToken {
		return "", &stopped{err: &participant.Denied{Code: "LINK_STALE", Evidence: map[string]string{"kind": kind}}}
	}
	return participant.KeyOf(token), nil
}

// emailPage is «Изменить e-mail».
func (s *site) emailPage(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, identityView(r, emailForm(r), nil))
}

func emailForm(r *web.Request) identityForm {
	f := identityForm{key: "portal.email", action: "/login/change-email", back: "/login", twice: true, iin: typed(r, "iin", r.Session().IIN)}
	if r.Session().SignedIn() {
		f.back = "/me"
	}
	return f
}

// emailAsked keeps what was typed, for the signature on the next page. It tells nothing of accounts.
func (s *site) emailAsked(w http.ResponseWriter, r *web.Request) error {
	sid, err := r.Begin()
	if err != nil {
		return err
	}
	err = s.office.AskEmail(r.Context(), sid, participant.Identity{IIN: r.Field("iin"), Email: r.Field("email"), EmailAgain: r.Field("email2"),
		SignedIn: ident.IIN(r.Session().IIN)}, r.Lang())
	var wrong participant.FieldErrors
	switch {
	case errors.As(err, &wrong):
		return r.Invalid(w, identityView(r, emailForm(r), wrongFields(r, wrong, "iin", "email", "email2")))
	case err != nil:
		return err
	}
	return r.Redirect("/login/change-email/sign")
}

func (s *site) emailSignPage(w http.ResponseWriter, r *web.Request) error {
	return s.showAct(w, r, participant.ActEmail, func(a participant.Act) actData {
		return actData{key: "portal.email", action: "/login/change-email/sign", back: "/login/change-email", signer: web.Signer{IIN: string(a.IIN)},
			rows: []web.Row{{Label: r.T("portal.recovery.iin"), Value: ident.FormatIIN(string(a.IIN))}, {Label: r.T("portal.email.email"), Value: a.Email}}}
	})
}

func (s *site) emailSigned(_ http.ResponseWriter, r *web.Request) error {
	signed, err := s.proveAct(r, participant.ActEmail)
	var c participant.EmailChange
	if err == nil {
		c, err = s.office.ChangeEmail(r.Context(), r.SID(), signed)
	}
	if err != nil {
		return &stopped{err: err, retry: "/login/change-email/sign"}
	}
	if err := r.Set(map[string]string{changedTo: ident.MaskEmail(ident.Email(c.New)), changedUntil: c.Expires.Format(http.TimeFormat)}); err != nil {
		return err
	}
	if !r.Session().SignedIn() {
		r.SetCookie(s.cookieOf(recoveryCookie, c.ID, int(recoveryLife.Seconds())))
	}
	return r.Redirect("/login/change-email/sent")
}

// What the page after the signature shows: the masked address and the link's end.
const (
	changedTo    = "changed.to"
	changedUntil = "changed.until"
)

func (s *site) emailSent(w http.ResponseWriter, r *web.Request) error {
	until, err := http.ParseTime(r.Value(changedUntil))
	if err != nil {
		return r.Redirect("/login/change-email")
	}
	return r.OK(w, saidView(r, "portal.email.sent", []any{"email", r.Value(changedTo), "time", r.DateTime(until)}, wayOn(r)))
}

// emailConfirmPage is where the new address's link leads; it changes nothing.
func (s *site) emailConfirmPage(w http.ResponseWriter, r *web.Request) error {
	token := r.URL.Query().Get("t")
	key, err := tokenOf(token, "email")
	if err != nil {
		return err
	}
	c, err := s.office.EmailLink(r.Context(), key)
	if err != nil {
		return &stopped{err: err}
	}
	if !c.Confirmable(key, r.Now()) {
		return &stopped{err: &participant.Denied{Code: "LINK_STALE", Evidence: map[string]string{"kind": "email"}}}
	}
	return r.OK(w, pressView(r, "portal.email.confirm", "/login/change-email/confirm", token, []web.Row{
		{Label: r.T("portal.email.email"), Value: ident.MaskEmail(ident.Email(c.New))}, {Label: r.T("portal.email.until"), Value: r.DateTime(c.Expires)}}))
}

func (s *site) emailConfirmed(w http.ResponseWriter, r *web.Request) error {
	key, err := tokenOf(r.Field("t"), "email")
	if err != nil {
		return err
	}
	c, err := s.office.ConfirmEmail(r.Context(), key)
	if err != nil {
		return &stopped{err: err}
	}
	said := "portal.email.done"
	if c.State != participant.ChangeDone {
		said = "portal.email.later"
	}
	reset := "/login/reset-password"
	if id := s.recovering(r); id == c.ID { // this browser is on the way: it goes on there
		reset = "/login/recover"
	}
	return r.OK(w, saidView(r, said, []any{"email", ident.MaskEmail(ident.Email(c.New)), "time", r.DateTime(c.Effective)}, []web.Link{
		{Text: r.T("portal.next.reset"), Href: reset}, {Text: r.T("portal.next.login"), Href: "/login"}}))
}

// notMePage is where «Это не я» of the old address's letter leads; it changes nothing.
func (s *site) notMePage(w http.ResponseWriter, r *web.Request) error {
	token := r.URL.Query().Get("t")
	key, c, err := s.disputed(r, token)
	if err != nil {
		return err
	}
	if !c.Disputable(key, r.Now()) {
		return s.showDisputed(w, r, c)
	}
	return r.OK(w, pressView(r, "portal.email.notme", "/login/change-email/not-me", token,
		[]web.Row{{Label: r.T("portal.email.email"), Value: ident.MaskEmail(ident.Email(c.New))}, {Label: r.T("portal.email.asked"), Value: r.DateTime(c.Asked)}}))
}

func (s *site) disputed(r *web.Request, token string) (participant.LinkKey, participant.EmailChange, error) {
	key, err := tokenOf(token, "email")
	if err != nil {
		return key, participant.EmailChange{}, err
	}
	c, err := s.office.EmailLink(r.Context(), key)
	if err == nil && c.Dispute != string(key) {
		err = &participant.Denied{Code: "LINK_STALE", Evidence: map[string]string{"kind": "email"}}
	}
	if err != nil {
		return key, c, &stopped{err: err}
	}
	return key, c, nil
}

func (s *site) notMe(w http.ResponseWriter, r *web.Request) error {
	key, _, err := s.disputed(r, r.Field("t"))
	if err != nil {
		return err
	}
	c, err := s.office.DisputeEmail(r.Context(), key)
	if err != nil {
		return &stopped{err: err}
	}
	return s.showDisputed(w, r, c)
}

// showDisputed says that the change is cancelled, or, when it is too late for that, the way out:
// revoke the key, and the service centre.
func (s *site) showDisputed(w http.ResponseWriter, r *web.Request, c participant.EmailChange) error {
	said := "portal.email.cancelled"
	switch c.State {
	case participant.ChangeDone, participant.ChangeConfirmed:
		said = "portal.email.toolate"
	case participant.ChangeReplaced:
		said = "portal.email.replaced"
	case participant.ChangeAsked, participant.ChangeDisputed: // in time
	}
	var links []web.Link
	if s.cabinet != "" {
		links = append(links, web.Link{Text: r.T("portal.next.revoke"), Href: s.cabinet})
	}
	links = append(links, web.Link{Text: r.T("portal.next.recover"), Href: "/login/recover"})
	return r.OK(w, saidView(r, said, []any{"email", ident.MaskEmail(ident.Email(c.New))}, links))
}

func langOptions() []web.Option {
	var all []web.Option
	for _, l := range lang.All() {
		all = append(all, web.Option{Value: string(l), Text: l.Name()})
	}
	return all
}

func langName(l lang.Tag) string {
	if l == "" {
		return "—"
	}
	return l.Name()
}
