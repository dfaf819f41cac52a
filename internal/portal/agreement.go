package portal

import (
	"net/http"
	"strings"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/web"
)

// agreementPage is step 3, «Ознакомление с соглашением».
func (s *site) agreementPage(w http.ResponseWriter, r *web.Request) error {
	reg, _, err := s.draft(r)
	if err != nil {
		return err
	}
	if reg.State != participant.StateData {
		return r.Redirect(step(reg, reg.State.Step()))
	}
	return s.showAgreement(w, r, http.StatusOK, reg, nil)
}

// agreementSigned takes the signed document; a signature that fails leaves the step (R7).
func (s *site) agreementSigned(w http.ResponseWriter, r *web.Request) error {
	reg, secret, err := s.draft(r)
	if err != nil {
		return err
	}
	signed, err := web.SignedXML(r.Field("answer"))
	next := reg
	if err == nil {
		next, err = s.office.Sign(r.Context(), reg.ID, secret, signed)
	}
	if err == nil { // the registration lives longer now, and step 4 with it
		http.SetCookie(w, s.cookie(next.ID, secret, next.Expires.Sub(r.Now())))
		return r.Redirect(step(reg, 4))
	}
	failed := failures(r, err)
	if len(failed) == 0 || reg.State != participant.StateData {
		return &stopped{err: err, retry: "/register/" + reg.ID}
	}
	return s.showAgreement(w, r, http.StatusUnprocessableEntity, reg, err)
}

func (s *site) showAgreement(w http.ResponseWriter, r *web.Request, status int, reg participant.Registration, refused error) error {
	a, doc, err := s.office.Agreement(r.Context(), reg, r.Lang())
	if err != nil {
		return err
	}
	signer := web.Signer{IIN: string(reg.IIN)}
	if reg.Category.Enterprise() {
		signer.BIN = reg.TIN
	}
	failed := failures(r, refused)
	d := agreementData{reg: reg, agreement: a, document: string(doc), signer: signer, failed: failed, gate: gateOf(refused), next: s.ways(r, failed)}
	if unchecked(refused) {
		d.again = r.Field("answer")
	}
	return r.Render(w, status, agreementView(r, d))
}

// agreementData is what step 3 shows.
type agreementData struct {
	reg       participant.Registration
	agreement participant.Agreement
	document  string // the XML to be signed
	signer    web.Signer
	failed    []failure
	gate      participant.Evidence
	again     string // what was signed, when it could not be checked: it is checked again as it is
	next      []web.Link
}

// paragraphs divides the agreement's text at empty lines.
func (d agreementData) paragraphs(l lang.Tag) []string {
	return strings.Split(strings.TrimSpace(d.agreement.Text[l]), "\n\n")
}

func grouped(s string) string { return ident.FormatIIN(s) }
