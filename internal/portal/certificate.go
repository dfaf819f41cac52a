package portal

import (
	"encoding/hex"
	"errors"
	"net/http"

	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/trust"
	"senim/internal/web"
)

// certificatePage is step 1, «Выбор сертификата»: nothing of any registry is shown before the key
// was proved (R1).
func (s *site) certificatePage(w http.ResponseWriter, r *web.Request) error {
	reg, _, err := s.draft(r)
	if err != nil {
		return err
	}
	if reg.State == participant.StateSigned {
		return r.Redirect(step(reg, 4))
	}
	e, err := s.office.LastGate(r.Context(), reg)
	if err != nil {
		return err
	}
	return s.showCertificate(w, r, http.StatusOK, reg, gateFailures(r, e), e)
}

// certificateGiven takes the signed challenge, or checks again what was proved before.
func (s *site) certificateGiven(w http.ResponseWriter, r *web.Request) error {
	reg, secret, err := s.draft(r)
	if err != nil {
		return err
	}
	if r.Field("act") == "recheck" {
		reg, err = s.office.Recheck(r.Context(), reg.ID, secret)
	} else {
		reg, err = s.chooseCertificate(r, reg, secret)
	}
	if err == nil {
		return r.Redirect(step(reg, 2))
	}
	var gate *participant.GateClosed
	var refused *auth.Refusal
	switch {
	case errors.As(err, &gate):
		return s.showCertificate(w, r, http.StatusUnprocessableEntity, reg, gateFailures(r, gate.Evidence), gate.Evidence)
	case errors.As(err, &refused), errors.Is(err, web.ErrAnswer):
		return s.showCertificate(w, r, http.StatusUnprocessableEntity, reg, failures(r, err), participant.Evidence{})
	}
	return &stopped{err: err, retry: step(reg, 1)}
}

// chooseCertificate proves that the key is in this person's hands and asks the gate.
func (s *site) chooseCertificate(r *web.Request, reg participant.Registration, secret string) (participant.Registration, error) {
	der, err := web.Signature(r.Field("answer"))
	if err != nil {
		return reg, err
	}
	proof, err := s.proofs.From(r.Network()).Prove(r.Context(), r.SID(), registerPurpose, der, trust.Any)
	if err != nil {
		return reg, err
	}
	sum := proof.Certificate.Fingerprint()
	if err := r.CountCertificate(hex.EncodeToString(sum[:])); err != nil {
		return reg, err
	}
	return s.office.Certificate(r.Context(), reg.ID, secret, proof)
}

// showCertificate renders step 1 with what failed, and a fresh challenge.
func (s *site) showCertificate(w http.ResponseWriter, r *web.Request, status int, reg participant.Registration, failed []failure, e participant.Evidence) error {
	c, err := r.Ask(registerPurpose, "")
	if err != nil {
		return err
	}
	v := certificateData{reg: reg, evidence: e, failed: failed, challenge: c, next: s.ways(r, failed), registered: len(failed) > 0 && e.Registered()}
	v.recheck = reg.Certificate != nil && len(e.Failed()) > 0
	if v.consent = s.consents != nil && reg.Certificate != nil && wantsConsent(e); v.consent {
		v.recheck = false // the one thing to do is to ask
		for i := range failed {
			if failed[i].Consent {
				failed[i].Todo = r.T("portal.consent.todo")
			}
		}
	}
	if reg.Category.Enterprise() {
		v.order = order(e)
	}
	return r.Render(w, status, certificateView(r, v))
}

// certificateData is what step 1 shows.
type certificateData struct {
	reg        participant.Registration
	evidence   participant.Evidence // of the last run of the gate
	failed     []failure
	challenge  auth.Challenge
	next       []web.Link
	order      []string // states of the checklist
	recheck    bool     // a certificate was proved and can be checked again
	consent    bool     // the person can be asked for the consent that is missing
	registered bool     // the enterprise has an active head already (section 9)
}

// order says of each item of the checklist (8.1) whether it is done, from the evidence of the gate, and
// only from it: what nobody looked at is not known. That the registry names another head does not tell
// whether the application was made; that it names this one, also from a later day, does.
func order(e participant.Evidence) []string {
	const done, not, unknown = "done", "not", "unknown"
	states := []string{unknown, unknown, unknown, unknown}
	if len(e.Checks) == 0 {
		return states
	}
	states[1], states[3] = keys(e), not
	head, _ := e.Find("G7")
	switch {
	case head.Verdict == trust.Good:
		states[0], states[2] = done, done
	case head.Code == "REGISTRY_HEAD_FUTURE":
		states[0], states[2] = done, not
	case head.Verdict == trust.Bad:
		states[2] = not
	}
	for _, c := range e.Failed() {
		if c.Code == "ALREADY_SAME_HEAD" {
			states[3] = done
		}
	}
	return states
}

// keys says whether the head has his new keys: the certificate he showed is good and of a first head.
func keys(e participant.Evidence) string {
	state := "done"
	for _, rule := range []string{"G1", "G2", "G3", "G4", "G5"} {
		c, _ := e.Find(rule)
		switch c.Verdict {
		case trust.Good:
		case trust.Bad:
			return "not"
		default:
			state = "unknown"
		}
	}
	return state
}

// keyOf shows the chosen certificate as a key people recognise. One that could not be checked is
// not shown as one that failed.
func keyOf(r *web.Request, v certificateData) web.Key {
	reg := v.reg
	p := reg.Person
	k := web.Key{Owner: p.Name(), Company: p.Organization, IIN: string(reg.IIN), Role: p.Role, NotBefore: p.NotBefore, NotAfter: p.NotAfter,
		Serial: p.Serial, Can: []string{r.T("web.can.sign")}}
	if reg.Category.Enterprise() {
		k.BIN = reg.TIN
	}
	if lang.Has("web.role." + p.Role) {
		k.Role = r.T("web.role." + p.Role)
	}
	k.State, k.Kind = r.T("portal.key.checked"), "good"
	if reg.State != participant.StateCategory {
		return k
	}
	k.State, k.Kind = r.T("portal.key.not_checked"), "soon"
	for _, f := range v.failed {
		if !f.Unknown {
			k.State, k.Kind = r.T("portal.key.not_passed"), "stop"
		}
	}
	return k
}
