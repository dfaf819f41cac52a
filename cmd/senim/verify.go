package main

import (
	"context"
	"errors"
	"fmt"

	"senim/internal/trust"
	"senim/pki"
)

type verify struct {
	JSON         bool     `name:"json" help:"Answer in JSON: every check, its verdict, its evidence."`
	Trust        string   `help:"Directory with the certificates of the authorities you trust: roots, and those between. Revocation lists beside them are used too." placeholder:"DIR"`
	At           string   `help:"Judge as of this moment (RFC 3339); default now." placeholder:"TIME"`
	CRL          []string `name:"crl" sep:"none" help:"Revocation list, full or delta; may be given several times." placeholder:"FILE"`
	NoRevocation bool     `help:"Do not ask whether certificates are revoked; the check is listed as skipped."`
	OCSP         []string `name:"ocsp" sep:"none" help:"OCSP answer (DER) about a certificate in a signature; may be given several times." placeholder:"FILE"`
	Timestamp    []string `name:"timestamp" sep:"none" help:"Time-stamp (DER) over the whole signed file, XML or CMS, or over a list of --list, kept beside it; may be given several times." placeholder:"FILE"`
	List         []string `name:"list" sep:"none" help:"List of SHA-256 digests, as senim hash writes, that a time-stamp is over; may be given several times." placeholder:"FILE"`
	Content      string   `help:"What a detached CMS signature was made over, of any size." placeholder:"FILE"`
	Certificate  string   `help:"Certificate of who should have signed a JWT, which carries none." placeholder:"FILE"`
	File         string   `arg:"" help:"CMS, signed XML, signed PDF, JWT, certificate, request or revocation list; - is standard input."`
}

// Help is what --help adds.
func (*verify) Help() string {
	return `For every signature these checks are made: signature, chain, validity, revocation, purpose.
Each is good, bad, or unknown when it could not be made; the exit status is 0 only if all are good
(or skipped because of --no-revocation). The network is never asked: give revocation lists as files.

The time the signer says proves nothing. A time-stamp in a signature proves when it existed, if
its authority is trusted too; the certificate is then judged as of that time, else as of --at. Lists
and answers inside the message are used. A time-stamp that cannot be judged is shown as unproved.

A plain XML signature has no place for a time-stamp, and a CMS may have been kept as it came: one over the
whole file is given by --timestamp.
One over a list of digests (--list) proves in the same way what the list names: the signed file, earlier
time-stamps, OCSP answers, revocation lists. So is proof renewed before certificates end.

For a signature in a PDF document there is one check more, document: whether anything but further
signatures was added since.

  senim verify --trust authorities/ --crl nca.crl act.pdf.p7s
  senim verify --trust authorities/ --crl nca.crl --content disk.img disk.img.p7s`
}

// Codes of the checks that are made here.
const (
	codeSignature = "SIGNATURE_INVALID"
	codeStale     = "LIST_STALE"
	codeUnproved  = "TIME_UNPROVED"
)

// report is the answer: one subject for every signature, or for the certificate, request or list.
type report struct {
	File     string        `json:"file"`
	Kind     string        `json:"kind"`
	At       string        `json:"at"`
	Verdict  trust.Verdict `json:"verdict"`
	Subjects []subject     `json:"subjects"`
}

// subject is one thing with a signature on it. Signer is what the certificate says; it is proved only
// if the verdict is good.
type subject struct {
	Signer  *card         `json:"signer,omitempty"`
	Verdict trust.Verdict `json:"verdict"`
	Checks  trust.Report  `json:"checks"`
	proof
}

func (c *verify) run(ctx context.Context, p *program) (int, error) {
	at, err := (&trusting{c.Trust, c.At, c.CRL, c.NoRevocation}).moment(p)
	if err != nil {
		return 0, err
	}
	if c.NoRevocation && len(c.OCSP) > 0 {
		return 0, &hinted{errors.New("--ocsp and --no-revocation exclude each other"), "leave one of them out"}
	}
	things, err := p.open(c.File)
	if err != nil {
		return 0, err
	}
	t, err := p.gather(c.Trust, c.CRL, c.NoRevocation, at)
	if err != nil {
		return 0, err
	}
	defer t.close()
	r := report{File: c.File, At: stamp(at), Kind: things[0].kind}
	for _, found := range things {
		subjects, err := c.check(ctx, p, t, found)
		if err != nil {
			return 0, err
		}
		r.Subjects = append(r.Subjects, subjects...)
	}
	r.conclude()
	if c.JSON {
		p.json(r)
	} else {
		r.print(p, at)
	}
	if r.Verdict == trust.Good {
		return statusGood, nil
	}
	return statusBad, nil
}

// conclude takes the worst verdict of all. Nothing checked is unknown, never good.
func (r *report) conclude() {
	r.Verdict = trust.Unknown
	for i := range r.Subjects {
		s := &r.Subjects[i]
		var made trust.Report
		for _, c := range s.Checks {
			if c.Verdict != skipped && c.Verdict != unproved {
				made = append(made, c)
			}
		}
		s.Verdict = made.Verdict()
		switch {
		case i == 0 || s.Verdict == trust.Bad:
			r.Verdict = s.Verdict
		case s.Verdict == trust.Unknown && r.Verdict == trust.Good:
			r.Verdict = trust.Unknown
		}
	}
}

func (c *verify) check(ctx context.Context, p *program, t *trusted, found thing) ([]subject, error) {
	if c.Content != "" && found.kind != kindCMS {
		return nil, &hinted{fmt.Errorf("--content does not go with a %s", found.kind), "it is for detached CMS signatures"}
	}
	if len(c.Timestamp) > 0 && found.kind != kindXML && found.kind != kindCMS {
		return nil, &hinted{fmt.Errorf("--timestamp does not go with a %s", found.kind), "senim timestamp --verify checks a time-stamp over any file"}
	}
	if len(c.List) > 0 && len(c.Timestamp) == 0 {
		return nil, &hinted{errors.New("--list without --timestamp proves nothing"), "give the time-stamp that is over the list"}
	}
	if len(c.OCSP) > 0 && found.kind != kindCMS && found.kind != kindXML {
		return nil, &hinted{fmt.Errorf("--ocsp does not go with a %s", found.kind), "it is for CMS and XML signatures"}
	}
	switch found.kind {
	case kindCMS:
		return c.checkCMS(ctx, p, t, found.cms)
	case kindXML:
		return c.checkXML(ctx, p, t, found.xml)
	case kindToken:
		return c.checkToken(ctx, p, t, found.token)
	case kindPDF:
		return c.checkPDF(ctx, p, t, found.pdf)
	case kindCertificate:
		return t.checkCertificate(ctx, found.certificate)
	case kindList:
		return t.checkList(found.list), nil
	case kindRequest:
		return checkRequest(found.request), nil
	}
	return nil, &hinted{fmt.Errorf("%s is a %s, which nobody signs", c.File, found.kind), "senim inspect shows it"}
}

// bad is a signature that does not hold, with the reason.
func bad(err error) trust.Check {
	return trust.Check{Name: "signature", Verdict: trust.Bad, Code: codeSignature, Evidence: map[string]string{"error": err.Error()}}
}

// signer puts the check of a signature before those of its certificate.
func (t *trusted) signer(ctx context.Context, signature trust.Check, cert *pki.Certificate) (subject, error) {
	s := subject{Checks: trust.Report{signature}}
	if cert == nil {
		s.Checks = append(s.Checks, unmade()...)
		return s, nil
	}
	s.Signer = newCard(cert)
	checks, err := t.certificate(ctx, cert, trust.Signing)
	s.Checks = append(s.Checks, checks...)
	return s, err
}

const noSigner = "the certificate of the signer is not known"

// unmade are the checks of a certificate that is not there.
func unmade() (r trust.Report) {
	for _, name := range []string{trust.CheckChain, trust.CheckValidity, trust.CheckRevocation, trust.CheckPurpose} {
		r = append(r, trust.Check{Name: name, Verdict: trust.Unknown, Code: trust.CodeUnavailable, Evidence: map[string]string{
			"error": noSigner,
		}})
	}
	return r
}

func (t *trusted) checkCertificate(ctx context.Context, c *pki.Certificate) ([]subject, error) {
	s := subject{Signer: newCard(c)}
	if c.IsCA {
		s.Checks = t.authority(ctx, c)
		return []subject{s}, nil
	}
	var err error
	s.Checks, err = t.certificate(ctx, c, trust.Any)
	return []subject{s}, err
}

// checkRequest proves only that whoever wrote the request has its key.
func checkRequest(r *pki.Request) []subject {
	check := trust.Check{Name: "signature", Verdict: trust.Good, Evidence: map[string]string{"key": r.Key.String(), "subject": r.Subject.String()}}
	if err := r.CheckSignature(); err != nil {
		check = bad(err)
	}
	return []subject{{Checks: trust.Report{check}}}
}

// checkList looks for the authority that signed a list among the trusted ones.
func (t *trusted) checkList(l *pki.RevocationList) []subject {
	signature := trust.Check{Name: "signature", Verdict: trust.Unknown, Code: trust.CodeUnavailable, Evidence: map[string]string{
		"issuer": l.Issuer.String(), "error": "the authority is not among the trusted ones (--trust DIR)",
	}}
	for _, a := range t.Authorities {
		if string(a.RawSubject) != string(l.RawIssuer) {
			continue
		}
		if err := l.CheckSignatureFrom(a); err != nil {
			signature.Verdict, signature.Code, signature.Evidence["error"] = trust.Bad, codeSignature, err.Error()
			continue
		}
		if _, err := t.Pool.Chain(a, trust.Within(a, t.at)); err != nil {
			signature.Verdict, signature.Code, signature.Evidence["error"] = trust.Bad, trust.CodeUntrusted, err.Error()
			continue
		}
		signature.Verdict, signature.Code = trust.Good, ""
		delete(signature.Evidence, "error")
		break
	}
	dates := trust.Check{Name: trust.CheckValidity, Verdict: trust.Good, Evidence: map[string]string{"thisUpdate": stamp(l.ThisUpdate), "at": stamp(t.at)}}
	if !l.NextUpdate.IsZero() {
		dates.Evidence["nextUpdate"] = stamp(l.NextUpdate)
	}
	if t.at.Before(l.ThisUpdate) || l.NextUpdate.IsZero() || t.at.After(l.NextUpdate) {
		dates.Verdict, dates.Code = trust.Bad, codeStale
	}
	return []subject{{Checks: trust.Report{signature, dates}}}
}
