package ra

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/ident"
	"senim/internal/trust"
	"senim/pki"
)

// Gate checks whether an application of this kind may be begun with this certificate: R1, R4, R5,
// and for first keys of a head that the registry names him. A nil error means it may.
func (o *Office) Gate(ctx context.Context, ask Ask) (Subject, string, error) {
	if report := o.c.Judge.Certificate(ctx, ask.Signer, trust.Signing); report.Verdict() != trust.Good {
		return Subject{}, "", fromReport(report, ask.Signer)
	}
	h := ask.Signer.Holder()
	subject := Subject{CommonName: h.CommonName, Surname: h.Surname, Patronymic: h.Given, IIN: h.IIN}
	if h.IIN == "" {
		return Subject{}, "", refuse("NOT_A_PERSON")
	}
	switch ask.Kind {
	case Reissue:
		switch k, err := o.c.Keys.Key(ctx, ask.Signer.SerialHex()); {
		case err != nil && !errors.Is(err, ErrNoKey):
			return Subject{}, "", err
		case err != nil || !bytes.Equal(k.Raw, ask.Signer.Raw): // a serial alone is another authority's too
			return Subject{}, "", refuse("NOT_OUR_KEY", "issuer", ask.Signer.Issuer.String())
		}
		role := RoleOf(h)
		if role == "" {
			return Subject{}, "", refuse("NOT_A_PERSON")
		}
		if from := ask.Signer.NotAfter.Add(-o.c.RenewWindow); o.c.RenewWindow > 0 && o.c.Now().Before(from) {
			return Subject{}, "", refuse("RENEW_TOO_EARLY", "date", from.UTC().Format(time.RFC3339))
		}
		subject.BIN, subject.Organization = h.BIN, h.Organization
		if err := o.livingPerson(ctx, subject); err != nil {
			return Subject{}, "", err
		}
		return subject, role, o.notDismissed(ctx, subject, role)
	case FirstHead:
		return o.gateHead(ctx, subject, h, ask.Form.BIN)
	case Employee:
		return o.gateEmployee(ctx, subject, h, ask.Form)
	case Issuance: // begun without a key, at a desk
	}
	return Subject{}, "", fmt.Errorf("apply: unknown kind %q", ask.Kind)
}

func (o *Office) gateHead(ctx context.Context, s Subject, h pki.Holder, bin string) (Subject, string, error) {
	s, _, err := o.headed(ctx, s, h, bin)
	if err != nil {
		return Subject{}, "", err
	}
	return s, RoleHead, nil
}

// headed is the person with the organisation the registry names him head of. A silent registry is no verdict: the
// answer is unknown, the organisation's name stays empty, and both are asked for when the application is routed.
func (o *Office) headed(ctx context.Context, s Subject, h pki.Holder, bin string) (Subject, HeadAnswer, error) {
	if h.BIN != "" {
		return Subject{}, HeadAnswer{}, refuse("PERSONAL_KEY_NEEDED")
	}
	admitted, err := o.c.Identities.AdmitBIN(bin)
	if err != nil {
		return Subject{}, HeadAnswer{}, refuse("BIN_INVALID")
	}
	head := o.c.Registry.Head(ctx, s.IIN, admitted)
	if head.bad() {
		return Subject{}, HeadAnswer{}, &Refusal{Code: head.code(), Evidence: head.evidence()}
	}
	if err := o.livingPerson(ctx, s); err != nil {
		return Subject{}, HeadAnswer{}, err
	}
	if head.unknown() {
		s.BIN = string(admitted)
		return s, head, nil
	}
	if head.IIN != s.IIN {
		return Subject{}, HeadAnswer{}, &Refusal{Code: "HEAD_NOT_IN_REGISTRY", Evidence: head.evidence()}
	}
	s.BIN, s.Organization = string(admitted), head.Organization
	return s, head, nil
}

// headOf asks the registry who heads a company; an answer that is not good is a refusal.
func (o *Office) headOf(ctx context.Context, by string, bin ident.BIN) (HeadAnswer, error) {
	head := o.c.Registry.Head(ctx, by, bin)
	switch {
	case head.unknown():
		return HeadAnswer{}, &Refusal{Code: "CHECK_UNAVAILABLE", Evidence: head.Silence()}
	case head.bad():
		return HeadAnswer{}, &Refusal{Code: head.code(), Evidence: head.evidence()}
	}
	return head, nil
}

// Silence is the evidence of an unknown answer: of which registry, why, and since when.
func (h HeadAnswer) Silence() map[string]string {
	e := withWhat(h.evidence())
	if h.Code != "" {
		e["cause"] = h.Code
	}
	if !h.Since.IsZero() {
		e["t"] = h.Since.UTC().Format(time.RFC3339)
	}
	return e
}

func withWhat(e map[string]string) map[string]string {
	e["what"] = "web.check.registry"
	return e
}

// fromReport makes a refusal of the first check that is not good.
func fromReport(r trust.Report, cert *pki.Certificate) *Refusal {
	first, _ := r.First()
	code := first.Code
	if code == "" {
		code = trust.CodeUnavailable
	}
	e := map[string]string{"issuer": cert.Issuer.String(), "what": "web.check." + first.Name}
	for k, v := range first.Evidence {
		e[k] = v
	}
	switch code {
	case trust.CodeExpired:
		e["date"] = cert.NotAfter.UTC().Format(time.RFC3339)
	case trust.CodeNotYetValid:
		e["date"] = cert.NotBefore.UTC().Format(time.RFC3339)
	case trust.CodeRevoked:
		e["date"] = e["revokedAt"]
		if e["reason"] == "certificateHold" {
			code = "CERT_ON_HOLD"
		}
	}
	return &Refusal{Code: code, Evidence: e}
}
