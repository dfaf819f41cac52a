package cabinet

import (
	"encoding/pem"
	"io"
	"net/http"
	"strconv"
	"strings"

	"senim/cms"
	"senim/internal/ra"
	"senim/internal/web"
	"senim/pki"
)

// uploadRoutes is the way without our agent: the request comes as a file, any program that speaks
// NCALayer's protocol signs the application, and the certificates are taken home as files.
func (s *cabinet) uploadRoutes(at routes) {
	at.own("GET /applications/{number}/upload", s.askUpload)
	at.own("POST /applications/{number}/upload", s.takeUpload)
	at.own("GET /applications/{number}/certificate", s.certificateFile)
	at.own("GET /applications/{number}/received", s.toApplication)
	at.own("POST /applications/{number}/received", s.received)
}

// maxUpload bounds one request, as the office does.
const maxUpload = 16 << 10

// askUpload asks for one file for each key of the set.
func (s *cabinet) askUpload(w http.ResponseWriter, r *web.Request) error {
	a, err := s.own(r, r.PathValue("number"))
	if err != nil {
		return err
	}
	if a.State != ra.Draft {
		return r.Redirect("/applications/" + a.Number)
	}
	return r.OK(w, uploadPage(r, a, s.c.Office.KeySet(a), nil))
}

// takeUpload takes the files as the agent's requests are taken.
func (s *cabinet) takeUpload(w http.ResponseWriter, r *web.Request) error {
	a, err := s.own(r, r.PathValue("number"))
	if err != nil {
		return err
	}
	set := s.c.Office.KeySet(a)
	var errs web.Errors
	csrs := make([][]byte, len(set))
	for i := range set {
		field := requestField(i)
		der, word := requestIn(r, field)
		if word != "" {
			errs.Add(field, r.T("batch.upload."+word))
		}
		csrs[i] = der
	}
	if len(errs) > 0 {
		return r.Invalid(w, uploadPage(r, a, set, errs))
	}
	if _, err := s.c.Office.Requests(r.Context(), r.Session().IIN, a.Number, csrs); err != nil {
		return back(err, "/applications/"+a.Number+"/upload")
	}
	return r.Redirect("/applications/" + a.Number)
}

func requestField(i int) string { return "request" + strconv.Itoa(i+1) }

// requestIn reads one request, DER or PEM; word says what is wrong.
func requestIn(r *web.Request, field string) (der []byte, word string) {
	f, _, err := r.FormFile(field)
	if err != nil {
		return nil, "missing"
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, 2*maxUpload+1))
	switch {
	case err != nil, len(data) > 2*maxUpload:
		return nil, "unreadable"
	case len(data) == 0:
		return nil, "missing"
	}
	blocks, err := pki.Decode(data)
	if err != nil || len(blocks) != 1 || len(blocks[0].DER) > maxUpload {
		return nil, "unreadable"
	}
	if _, err := pki.ParseRequest(blocks[0].DER); err != nil {
		return nil, "unreadable"
	}
	return blocks[0].DER, ""
}

// issued reads an application of the person whose certificates are there.
func (s *cabinet) issued(r *web.Request) (ra.Application, error) {
	a, err := s.own(r, r.PathValue("number"))
	if err != nil {
		return a, err
	}
	if len(a.Certificates) == 0 {
		return a, &ra.Refusal{Code: "APPLICATION_STATE", Evidence: map[string]string{"state": string(a.State)}}
	}
	return a, nil
}

// certificateFile gives a certificate, or all of them, as a file.
func (s *cabinet) certificateFile(w http.ResponseWriter, r *web.Request) error {
	a, err := s.issued(r)
	if err != nil {
		return err
	}
	var content []byte
	name, kind, as := a.Number, "application/pkix-cert", r.URL.Query().Get("as")
	if as == "p7b" {
		var certs []*pki.Certificate
		for _, c := range a.Certificates {
			cert, err := pki.ParseCertificate(c.DER)
			if err != nil {
				return err
			}
			certs = append(certs, cert)
		}
		if content, err = cms.CertificatesOnly(certs); err != nil {
			return err
		}
		name, kind = name+".p7b", "application/pkcs7-mime; smime-type=certs-only"
	} else {
		n, err := strconv.Atoi(r.URL.Query().Get("key"))
		if err != nil || n < 1 || n > len(a.Certificates) || (as != "der" && as != "pem") {
			return web.ErrNotFound
		}
		content, name = a.Certificates[n-1].DER, name+"-"+strconv.Itoa(n)+".cer"
		if as == "pem" {
			content, kind = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: content}), "application/x-pem-file"
			name = strings.TrimSuffix(name, ".cer") + ".pem"
		}
	}
	web.Attach(w, kind, name)
	_, err = w.Write(content)
	return err
}

// received takes the person's word that the certificates are with their keys: what the agent would
// report where there is one.
func (s *cabinet) received(_ http.ResponseWriter, r *web.Request) error {
	a, err := s.issued(r)
	if err != nil {
		return err
	}
	serials := make([]string, len(a.Certificates))
	for i, c := range a.Certificates {
		serials[i] = c.Serial
	}
	if _, err := s.c.Office.Installed(r.Context(), r.Session().IIN, a.Number, serials); err != nil {
		return back(err, "/applications/"+a.Number)
	}
	return r.Redirect("/applications/" + a.Number)
}

// newKeyCommand is what senim is told to make a request for one key of an application.
func newKeyCommand(a ra.Application, spec ra.KeySpec, i int) string {
	n := a.Subject
	words := []string{"senim", "key", "new"}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag, quoted(value))
		}
	}
	if spec.Algorithm == "RSA2048" {
		add("--algorithm", "rsa")
	}
	if spec.Usage == "AUTHENTICATION" {
		words = append(words, "--sign-in")
	}
	add("--surname", n.Surname)
	add("--name", strings.TrimSpace(strings.TrimPrefix(n.CommonName, n.Surname)))
	add("--patronymic", n.Patronymic)
	add("--iin", n.IIN)
	add("--organization", n.Organization)
	add("--bin", n.BIN)
	add("--email", a.Email)
	add("--out", requestField(i)+".p10")
	return strings.Join(words, " ")
}

// quoted makes a word one word for a shell, whatever is in it.
func quoted(s string) string {
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.@-_", c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
