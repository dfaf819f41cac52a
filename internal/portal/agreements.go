package portal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/web"
)

// myAgreements is «Мои соглашения»: what the person signed, and what is asked of him.
func (s *site) myAgreements(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	signed, err := s.office.Agreements(r.Context(), iin)
	if err != nil {
		return err
	}
	open, err := s.office.ToResign(r.Context(), iin)
	if err != nil {
		return err
	}
	return r.OK(w, agreementsView(r, signed, open))
}

// signedAgreement is everything kept about one of them.
type signedAgreement struct {
	participant.AgreementSignature
	agreement participant.Agreement
	evidence  participant.Evidence
}

// rows are its facts.
func (a signedAgreement) rows(r *web.Request) []web.Row {
	stamped := r.T("agreement.stamp.none")
	if len(a.TimeStamp) > 0 {
		stamped = r.T("agreement.stamp.yes")
	}
	return []web.Row{{Label: r.T("agreement.version"), Value: a.Version}, {Label: r.T("agreement.since"), Value: r.Date(a.agreement.From)},
		{Label: r.T("agreement.lang"), Value: langName(a.Lang)}, {Label: r.T("agreement.hash"), Value: a.agreement.Hash(a.Lang), Mono: true},
		{Label: r.T("agreement.for"), Value: grouped(a.TIN)}, {Label: r.T("agreement.signed"), Value: r.DateTime(a.At)}, {Label: r.T("agreement.stamp"), Value: stamped}}
}

func (s *site) readAgreement(r *web.Request, iin ident.IIN) (a signedAgreement, err error) {
	a.AgreementSignature, a.agreement, a.evidence, err = s.office.SignedAgreement(r.Context(), iin, r.PathValue("id"))
	return a, err
}

func (s *site) myAgreement(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	a, err := s.readAgreement(r, iin)
	if err != nil {
		return err
	}
	return r.OK(w, agreementOneView(r, a))
}

// agreementFile gives a signed agreement with all proof of it, or one part as a file: the text as it was read, the
// document with its signature, the time-stamp, or the evidence.
func (s *site) agreementFile(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	a, err := s.readAgreement(r, iin)
	if err != nil {
		return err
	}
	name := "agreement-" + fileSafe(a.Version) + "-" + a.At.UTC().Format("20060102")
	var body []byte
	switch part := r.PathValue("part"); {
	case part == "all":
		text := participant.File{Name: "text.txt", Body: []byte(a.agreement.Text[a.Lang])}
		return sendBundle(w, name, a.At, append(a.Proofs[:len(a.Proofs):len(a.Proofs)], text))
	case part == "text":
		web.Attach(w, "text/plain; charset=utf-8", name+".txt")
		body = []byte(a.agreement.Text[a.Lang])
	case part == "signed":
		web.Attach(w, "application/xml", name+".xml")
		body = a.Document
	case part == "stamp" && len(a.TimeStamp) > 0:
		web.Attach(w, "application/vnd.etsi.timestamp-token", name+".tst")
		body = a.TimeStamp
	case part == "evidence":
		if body, err = json.MarshalIndent(a.evidence, "", "  "); err != nil {
			return fmt.Errorf("write evidence: %w", err)
		}
		web.Attach(w, "application/json", name+".json")
	default:
		return web.ErrNotFound
	}
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("send agreement: %w", err)
	}
	return nil
}

// fileSafe keeps of a version what a file name may have.
func fileSafe(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' {
			return c
		}
		return '-'
	}, s)
}

// resignAt is in the session when the agreement to be signed again was shown: the time in the document.
const resignAt = "resign.at"

// resignTTL is how long the document shown may be signed.
const resignTTL = time.Hour

// shownAt is the time in the document, kept in the session; false when none is, or it is too old.
func shownAt(r *web.Request) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, r.Value(resignAt))
	return at, err == nil && r.Now().Sub(at) < resignTTL
}

// resignPage shows the agreement in force, to be signed for a profile.
func (s *site) resignPage(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	return s.showResign(w, r, http.StatusOK, iin, nil)
}

func (s *site) showResign(w http.ResponseWriter, r *web.Request, status int, iin ident.IIN, failed []failure) error {
	at, ok := shownAt(r)
	if !ok {
		at = r.Now().UTC().Truncate(time.Second)
		if err := r.Set(map[string]string{resignAt: at.Format(time.RFC3339)}); err != nil {
			return err
		}
	}
	open, doc, err := s.office.ResignDocument(r.Context(), iin, r.PathValue("profile"), r.Lang(), at)
	if err != nil {
		return err
	}
	signer := web.Signer{IIN: string(iin)}
	if open.Profile.Type.Enterprise() {
		signer.BIN = open.Profile.TIN
	}
	later := ""
	if !open.Overdue {
		if later, err = s.ahead(r, "/me"); err != nil {
			return err
		}
	}
	return r.Render(w, status, resignView(r, open, string(doc), signer, failed, s.ways(r, failed), later))
}

// resigned takes the signature; one that fails leaves the page with the cause, and with the new text
// when the version changed meanwhile.
func (s *site) resigned(w http.ResponseWriter, r *web.Request, iin ident.IIN) error {
	at, ok := shownAt(r)
	if !ok {
		return &stopped{err: &participant.Denied{Code: "ACT_STALE"}, retry: "/me/agreements"}
	}
	signed, err := web.SignedXML(r.Field("answer"))
	if err == nil {
		err = s.office.Resign(r.Context(), iin, r.PathValue("profile"), at, signed)
	}
	if err == nil {
		return s.onward(r, "/me/agreements")
	}
	failed := failures(r, err)
	if len(failed) == 0 {
		return err
	}
	return s.showResign(w, r, http.StatusUnprocessableEntity, iin, failed)
}
