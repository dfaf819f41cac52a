package cabinet

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"senim/cms"
	"senim/dsig"
	"senim/internal/lang"
	"senim/internal/web"
	"senim/pades"
	"senim/pki"
)

// maxDocument bounds what may be sent to be checked.
const maxDocument = 8 << 20

// maxNumber bounds a number as typed, with its spaces and colons.
const maxNumber = 200

// numberOf reads a serial number or a key identifier as people copy them (spaces, colons, hyphens, upper
// case, 0x before it, zeros in front) and gives 40 lower hex digits.
func numberOf(typed string) (string, bool) {
	if len(typed) > maxNumber {
		return "", false
	}
	s := strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || strings.ContainsRune(":-\u200b\ufeff", c) {
			return -1
		}
		return c
	}, typed)
	s = strings.ToLower(s)
	s = strings.TrimPrefix(s, "0x")
	if strings.Trim(s, "0123456789abcdef") != "" {
		return "", false
	}
	s = strings.TrimLeft(s, "0")
	if s == "" || len(s) > 40 {
		return "", false
	}
	return strings.Repeat("0", 40-len(s)) + s, true
}

// momentOf reads the date and time of «Проверить на дату»: nothing is now, a date alone its last second, both in
// Astana. The answer is zero for now.
func momentOf(date, hour string, now time.Time) (time.Time, string) {
	if date == "" {
		if hour != "" {
			return time.Time{}, "check.error.date_missing"
		}
		return time.Time{}, ""
	}
	form, text := "2006-01-02 15:04:05", date+" 23:59:59"
	if hour != "" {
		form, text = "2006-01-02 15:04", date+" "+hour
	}
	at, err := time.ParseInLocation(form, text, lang.Astana)
	if err != nil {
		return time.Time{}, "check.error.date"
	}
	if at.After(now) {
		if hour == "" && at.Add(-24*time.Hour).Before(now) {
			return time.Time{}, "" // today, until now
		}
		return time.Time{}, "check.error.date_future"
	}
	return at, ""
}

// subject is what a file says: one certificate, or the signatures of a document.
type subject struct {
	// Kind is "certificate" or "document"; empty when nothing was found.
	Kind  string
	Signs []signature
}

// signature is a certificate, and how its signature stands to the document.
type signature struct {
	Cert *pki.Certificate
	// Word is "" for a bare certificate; "holds", "broken", "unseen" (the document is not in the file), "unsure".
	Word string
	// At is the time the signer claims; zero for none.
	At time.Time
}

// errTooDeep says that a document passes a bound of what is looked at.
var errTooDeep = errors.New("the document is larger or deeper than is looked at")

// subjectOf finds certificates in what was uploaded. An empty subject without an error: there are none.
func subjectOf(data []byte) (subject, error) {
	switch trimmed := bytes.TrimLeft(data, "\xef\xbb\xbf \t\r\n"); {
	case bytes.HasPrefix(trimmed, []byte("%PDF-")):
		return pdfSigns(data)
	case bytes.HasPrefix(trimmed, []byte("<")):
		return xmlSigns(data)
	}
	blocks, err := pki.Decode(data)
	if err != nil {
		return subject{}, nil //nolint:nilerr // neither binary nor text of ours
	}
	for _, b := range blocks {
		if c, err := pki.ParseCertificate(b.DER); err == nil {
			return subject{"certificate", []signature{{Cert: c}}}, nil
		}
		if sd, err := cms.Parse(b.DER); err == nil {
			return cmsSigns(sd), nil
		}
	}
	return subject{}, nil
}

func cmsSigns(sd *cms.SignedData) subject {
	s := subject{Kind: "document"}
	if len(sd.Signers()) == 0 { // certificates in an envelope
		s.Kind = "certificate"
		for _, c := range sd.Certificates() {
			if !c.IsCA {
				s.Signs = append(s.Signs, signature{Cert: c})
			}
		}
		return s
	}
	signs, err := sd.Verify(nil)
	if err != nil { // the content lies elsewhere: the certificates can be looked at all the same
		for _, c := range sd.Certificates() {
			if !c.IsCA {
				s.Signs = append(s.Signs, signature{Cert: c, Word: "unseen"})
			}
		}
		return s
	}
	for _, v := range signs {
		one := signature{Cert: v.Certificate, Word: "holds", At: v.SigningTime}
		switch {
		case errors.Is(v.Err, cms.ErrDetached):
			one.Word = "unseen"
		case errors.Is(v.Err, cms.ErrDigest), errors.Is(v.Err, cms.ErrSignature), errors.Is(v.Err, cms.ErrSigningCertificate):
			one.Word = "broken"
		case v.Err != nil:
			one.Word = "unsure"
		}
		s.Signs = append(s.Signs, one)
	}
	return s
}

func xmlSigns(data []byte) (subject, error) {
	doc, err := dsig.Parse(data)
	if err != nil {
		return subject{}, nil //nolint:nilerr // no document of ours
	}
	signs, err := doc.Verify()
	if errors.Is(err, dsig.ErrUnsigned) {
		return subject{}, nil
	}
	if err != nil { // one bad signature refuses the whole, and names nobody
		return subject{Kind: "document", Signs: []signature{{Word: "broken"}}}, nil
	}
	s := subject{Kind: "document"}
	for _, v := range signs {
		one := signature{Cert: v.Certificate, Word: "holds"}
		if v.Weak {
			one.Word = "unsure"
		}
		s.Signs = append(s.Signs, one)
	}
	return s, nil
}

func pdfSigns(data []byte) (subject, error) {
	doc, err := pades.Parse(bytes.NewReader(data), int64(len(data)))
	if errors.Is(err, pades.ErrTooMuch) {
		return subject{}, errTooDeep
	}
	if err != nil {
		return subject{}, nil //nolint:nilerr // damaged or encrypted: nothing in it can be relied on
	}
	signs, err := doc.Verify()
	if errors.Is(err, pades.ErrTooMuch) {
		return subject{}, errTooDeep
	}
	if err != nil {
		return subject{}, nil //nolint:nilerr // unsigned
	}
	s := subject{Kind: "document"}
	for _, v := range signs {
		if v.DocumentTimestamp {
			continue
		}
		one := signature{Cert: v.Certificate, Word: "holds", At: v.SigningTime}
		switch v.Outcome {
		case pades.Valid:
		case pades.Invalid:
			one.Word = "broken"
		default:
			one.Word = "unsure"
		}
		s.Signs = append(s.Signs, one)
	}
	return s, nil
}

// upload reads the file of the form; the shell has bounded the body.
func upload(r *web.Request) ([]byte, error) {
	f, _, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return io.ReadAll(f)
}
