package cabinet

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"senim/internal/lang"
	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

// delegationRoutes are the pages of «Делегирование прав»: the head's alone.
func (s *cabinet) delegationRoutes(at routes) {
	at.own("GET /delegation", s.delegations)
	at.own("GET /delegation/new", s.askDelegation)
	at.own("POST /delegation/new", s.takeDelegation)
	at.own("GET /delegation/sign", s.askDelegationSignature)
	at.own("POST /delegation/sign", s.signDelegation)
	at.own("GET /delegation/{id}/end", s.askEndDelegation)
	at.own("POST /delegation/{id}/end", s.endDelegation)
}

// holder is the person in the certificate of the session.
func holder(r *web.Request) (pki.Holder, error) {
	c, err := r.Certificate()
	if err != nil {
		return pki.Holder{}, err
	}
	return c.Holder(), nil
}

// delegations lists what the head has given, living ones first.
func (s *cabinet) delegations(w http.ResponseWriter, r *web.Request) error {
	by, err := holder(r)
	if err != nil {
		return err
	}
	all, err := s.c.Office.Delegations(r.Context(), by)
	if err != nil {
		return err
	}
	now := s.c.Now()
	slices.SortStableFunc(all, func(a, b ra.Delegation) int {
		switch {
		case a.Over(now) == b.Over(now):
			return 0
		case a.Over(now):
			return 1
		}
		return -1
	})
	return r.OK(w, delegationsPage(r, all, now))
}

// typedDelegation is the form as it was typed.
type typedDelegation struct {
	IIN, From, Until string
	Confirm, Revoke  string
}

func (s *cabinet) askDelegation(w http.ResponseWriter, r *web.Request) error {
	by, err := holder(r)
	if err != nil {
		return err
	}
	if _, err := s.c.Office.Delegations(r.Context(), by); err != nil {
		return err
	}
	now := s.c.Now().In(lang.Astana)
	return r.OK(w, delegationPage(r, typedDelegation{From: now.Format(time.DateOnly), Until: now.AddDate(0, 3, 0).Format(time.DateOnly), Confirm: "yes"}, nil))
}

// takeDelegation checks what was typed and keeps the delegation for the signature.
func (s *cabinet) takeDelegation(w http.ResponseWriter, r *web.Request) error {
	by, err := holder(r)
	if err != nil {
		return err
	}
	typed := typedDelegation{r.Field("iin"), r.Field("from"), r.Field("until"), r.Field("confirm"), r.Field("revoke")}
	f := ra.DelegationForm{IIN: typed.IIN}
	var errs web.Errors
	for _, one := range []struct {
		name, typed string
		to          *time.Time
	}{{"from", typed.From, &f.From}, {"until", typed.Until, &f.Until}} {
		if *one.to, err = time.ParseInLocation(time.DateOnly, one.typed, lang.Astana); err != nil {
			errs.Add(one.name, r.T("delegation.error.date"))
		}
	}
	if typed.Confirm == "yes" {
		f.Powers = append(f.Powers, ra.PowerConfirm)
	}
	if typed.Revoke == "yes" {
		f.Powers = append(f.Powers, ra.PowerRevoke)
	}
	if len(f.Powers) == 0 {
		errs.Add("confirm", r.T("delegation.error.powers"))
	}
	if len(errs) > 0 {
		return r.Invalid(w, delegationPage(r, typed, errs))
	}
	d, err := s.c.Office.ProposeDelegation(r.Context(), by, f)
	if no, ok := errors.AsType[*ra.Refusal](err); ok {
		switch no.Code {
		case "IIN_INVALID":
			return r.Invalid(w, delegationPage(r, typed, web.Errors{{Field: "iin", Text: r.T("codes.IIN_INVALID")}}))
		case "DELEGATION_TERM":
			return r.Invalid(w, delegationPage(r, typed, web.Errors{{Field: "until", Text: r.T("cabinet.code.DELEGATION_TERM")}}))
		}
		return back(err, "/delegation/new")
	}
	if err != nil {
		return err
	}
	kept, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := r.Set(map[string]string{"delegation": string(kept)}); err != nil {
		return err
	}
	return s.toFactor(r, d.FactorAbout(false), "/delegation/sign")
}

func keptDelegation(r *web.Request) (d ra.Delegation, ok bool) {
	return d, json.Unmarshal([]byte(r.Value("delegation")), &d) == nil && d.ID != ""
}

// askDelegationSignature shows what will be signed.
func (s *cabinet) askDelegationSignature(w http.ResponseWriter, r *web.Request) error {
	d, ok := keptDelegation(r)
	if !ok {
		return r.Redirect("/delegation")
	}
	factor, err := s.factorFor(r, d.FactorAbout(false), "/delegation/sign")
	if err != nil {
		return err
	}
	if factor != "" {
		return r.Redirect(factor)
	}
	document, err := r.Bind(purposeDelegate, s.c.Office.DelegationDocument(d))
	if err != nil {
		return err
	}
	return r.OK(w, delegationSignPage(r, d, web.SignXML(r.Lang(), document, web.Signer{IIN: d.Head, BIN: d.BIN})))
}

// signDelegation takes the signed delegation.
func (s *cabinet) signDelegation(w http.ResponseWriter, r *web.Request) error {
	d, ok := keptDelegation(r)
	if !ok {
		return r.Redirect("/delegation")
	}
	signed, err := web.SignedXML(r.Field("answer"))
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: "/delegation/sign"}
	}
	if d.Head != r.Session().IIN {
		return web.Refusal{Code: "CERT_OTHER_PERSON", Retry: "/delegation"}
	}
	under, err := r.TakeChallenge(purposeDelegate, "/delegation/sign")
	if err != nil {
		return err
	}
	if err := s.c.Office.Delegate(r.Context(), under, d, signed); err != nil {
		return back(err, "/delegation/sign")
	}
	if err := r.Set(map[string]string{"delegation": ""}); err != nil {
		return err
	}
	return r.OK(w, delegatedPage(r, d, false))
}

// askEndDelegation shows which one is to end.
func (s *cabinet) askEndDelegation(w http.ResponseWriter, r *web.Request) error {
	d, err := s.delegation(r)
	if err != nil {
		return err
	}
	if d.Over(s.c.Now()) {
		return r.Redirect("/delegation")
	}
	factor, err := s.factorFor(r, d.FactorAbout(true), "/delegation/"+d.ID+"/end")
	if err != nil {
		return err
	}
	document, err := r.Bind(purposeDelegate, s.c.Office.EndDocument(d))
	if err != nil {
		return err
	}
	return r.OK(w, endDelegationPage(r, d, factor, web.SignXML(r.Lang(), document, web.Signer{IIN: r.Session().IIN, BIN: d.BIN})))
}

func (s *cabinet) delegation(r *web.Request) (ra.Delegation, error) {
	by, err := holder(r)
	if err != nil {
		return ra.Delegation{}, err
	}
	return s.c.Office.Delegation(r.Context(), by, r.PathValue("id"))
}

// endDelegation takes the signed withdrawal.
func (s *cabinet) endDelegation(w http.ResponseWriter, r *web.Request) error {
	d, err := s.delegation(r)
	if err != nil {
		return err
	}
	here := "/delegation/" + d.ID + "/end"
	signed, err := web.SignedXML(r.Field("answer"))
	if err != nil {
		return web.Refusal{Code: "AGENT_ANSWER", Retry: here}
	}
	by, err := holder(r)
	if err != nil {
		return err
	}
	under, err := r.TakeChallenge(purposeDelegate, here)
	if err != nil {
		return err
	}
	if err := s.c.Office.EndDelegation(r.Context(), under, by, d.ID, signed); err != nil {
		return back(err, here)
	}
	return r.OK(w, delegatedPage(r, d, true))
}
