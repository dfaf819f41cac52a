package cabinet

import (
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"senim/cms"
	"senim/internal/ident"
	"senim/internal/ra"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// askCheck shows the form of the public check page.
func (s *cabinet) askCheck(w http.ResponseWriter, r *web.Request) error {
	return r.OK(w, checkPage(r, nil))
}

// checked is the answer of the check page.
type checked struct {
	// Word is the verdict, as "valid", "expired", "never"; Kind its colour.
	Word, Kind string
	Date       string
	Key        web.Key
	Issuer     string
	Report     trust.Report
}

// check looks at a certificate, by its serial number or from a file.
func (s *cabinet) check(w http.ResponseWriter, r *web.Request) error {
	cert, errs, err := s.wanted(r)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return r.Invalid(w, checkPage(r, errs))
	}
	if cert == nil {
		return r.OK(w, checkedPage(r, checked{Word: "never", Kind: "stop"}))
	}
	report := s.c.Judge.Certificate(r.Context(), cert, trust.Any)
	return r.OK(w, checkedPage(r, s.verdict(r, cert, report)))
}

// wanted finds the certificate meant; nil without errors when it was never issued.
func (s *cabinet) wanted(r *web.Request) (*pki.Certificate, web.Errors, error) {
	if data := upload(r); len(data) > 0 {
		cert := certificateIn(data)
		if cert == nil {
			return nil, web.Errors{{Field: "file", Text: r.T("cabinet.check.no_certificate")}}, nil
		}
		return cert, nil, nil
	}
	serial := strings.ToLower(strings.NewReplacer(" ", "", ":", "", "-", "").Replace(r.Field("serial")))
	if _, err := hex.DecodeString(serial); err != nil || len(serial) == 0 || len(serial) > 40 {
		return nil, web.Errors{{Field: "serial", Text: r.T("cabinet.check.bad_serial")}}, nil
	}
	k, err := s.c.Keys.Key(r.Context(), strings.Repeat("0", 40-len(serial))+serial)
	if errors.Is(err, ra.ErrNoKey) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	cert, err := pki.ParseCertificate(k.Raw)
	return cert, nil, err
}

// upload reads the file of the form; the shell has bounded the body.
func upload(r *web.Request) []byte {
	f, _, err := r.FormFile("file")
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(f)
	if err != nil {
		return nil
	}
	return data
}

// certificateIn reads a certificate, or the signer's certificate of a signed message.
func certificateIn(data []byte) *pki.Certificate {
	blocks, err := pki.Decode(data)
	if err != nil {
		return nil
	}
	for _, b := range blocks {
		if c, err := pki.ParseCertificate(b.DER); err == nil {
			return c
		}
		if sd, err := cms.Parse(b.DER); err == nil && len(sd.Certificates()) > 0 {
			return sd.Certificates()[0]
		}
	}
	return nil
}

// verdict says in a word what the report says; strangers see numbers masked.
func (s *cabinet) verdict(r *web.Request, cert *pki.Certificate, report trust.Report) checked {
	v := checked{Key: cardOf(r, cert, s.c.Now()), Issuer: cert.Issuer.String(), Report: report, Word: "valid", Kind: "good"}
	if v.Key.IIN != r.Session().IIN {
		v.Key.IIN = ident.MaskNumber(v.Key.IIN)
	}
	v.Key.Can = nil
	if first, bad := report.First(); bad {
		v.Kind = "stop"
		switch first.Code {
		case trust.CodeExpired:
			v.Word, v.Date = "expired", cert.NotAfter.UTC().Format(time.RFC3339)
		case trust.CodeNotYetValid:
			v.Word, v.Kind, v.Date = "not_yet", "soon", cert.NotBefore.UTC().Format(time.RFC3339)
		case trust.CodeRevoked:
			v.Word, v.Date = "revoked", first.Evidence["revokedAt"]
			if first.Evidence["reason"] == "certificateHold" {
				v.Word, v.Kind = "hold", "soon"
			}
		case trust.CodeUntrusted:
			v.Word = "untrusted"
		default:
			v.Word, v.Kind = "unknown", "soon"
		}
	}
	v.Key.State, v.Key.Kind = r.T("cabinet.verdict."+v.Word), v.Kind
	return v
}
