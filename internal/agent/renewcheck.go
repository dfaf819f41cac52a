package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"senim/internal/keystore"
	"senim/internal/ncalayer"
	"senim/internal/trust"
	"senim/pki"
)

// paper is the cabinet's application to renew a key.
type paper struct {
	XMLName  xml.Name `xml:"application"`
	IIN      string   `xml:"iin"`
	BIN      string   `xml:"bin"`
	Requests []string `xml:"requests>sha256"`
	Signer   string   `xml:"signer"`
	Replaces string   `xml:"replaces"`
	Origin   string   `xml:"origin"`
}

// applicationFor refuses what is not the application the person consented to: of this cabinet, for the
// holder of the key, replacing it, and for exactly the requests made here. Nobody reads these documents
// before they are signed.
func (g *renewal) applicationFor(w *window, d ncalayer.ManyDocument, old *oldKey) error {
	var p paper
	if _, err := parseXML(d.XML); err != nil {
		return errors.New("it does not parse")
	}
	if !plain(d.XML) {
		return errors.New("it holds more than an application does")
	}
	if err := xml.Unmarshal([]byte(d.XML), &p); err != nil {
		return errors.New("it is no application")
	}
	h := old.key.Certificate.Holder()
	var made []string
	for _, n := range w.agent.keeper.Waiting(g.task.site.Origin) {
		if n.RequestID == d.ID {
			sum := sha256.Sum256(n.Request)
			made = append(made, hex.EncodeToString(sum[:]))
		}
	}
	slices.Sort(made)
	slices.Sort(p.Requests)
	switch {
	case p.Origin != g.task.site.Origin:
		return errors.New("it is another site's")
	case p.IIN != h.IIN || p.BIN != h.BIN:
		return errors.New("it names another holder")
	case plainSerial(p.Signer) != old.serial() || plainSerial(p.Replaces) != old.serial():
		return errors.New("it names another key")
	case len(made) == 0 || !slices.Equal(made, p.Requests):
		return errors.New("it names other requests than were made here")
	}
	return nil
}

// onceInPaper are the elements of an application, each at most once; sha256 stands for each request.
var onceInPaper = []string{"number", "revision", "kind", "name", "iin", "bin", "organization", "role", "email", "city", "storage", "requests", "signer", "replaces", "time", "origin"}

// plain tells whether a document holds the elements of an application and nothing else: what reading it
// passes over would be signed all the same.
func plain(document string) bool {
	d, path, seen := xml.NewDecoder(strings.NewReader(document)), []string{}, map[string]bool{}
	for {
		token, err := d.RawToken()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		switch e := token.(type) {
		case xml.StartElement:
			name := e.Name.Local
			switch {
			case e.Name.Space != "", len(e.Attr) > 1, len(e.Attr) == 1 && (len(path) > 0 || e.Attr[0].Name != xml.Name{Local: "version"}):
				return false
			case len(path) == 0:
			case len(path) == 2 && path[1] == "requests" && name == "sha256":
			case len(path) > 1 || seen[name] || !slices.Contains(onceInPaper, name):
				return false
			}
			seen[name], path = true, append(path, name)
		case xml.EndElement:
			path = path[:max(len(path)-1, 0)]
		case xml.CharData:
			if leaf := len(path) == 3 || len(path) == 2 && path[1] != "requests"; !leaf && strings.TrimSpace(string(e)) != "" {
				return false
			}
		default: // comments, instructions, directives
			return false
		}
	}
}

// issuedFor refuses certificates that are not what was asked for: keys made for another application,
// another holder than the request named, an issuer that is not known.
func (g *renewal) issuedFor(w *window, requestID string, matches []keystore.Match) error {
	for _, m := range matches {
		request, err := pki.ParseRequest(m.Note.Request)
		if err != nil {
			return fmt.Errorf("read a request made here: %w", err)
		}
		was, is := request.Holder(), m.Certificate.Holder()
		_, chain := w.agent.trust.pool().Chain(m.Certificate, trust.Within(m.Certificate, w.agent.now()))
		switch {
		case m.Note.Origin != g.task.site.Origin || m.Note.RequestID != requestID:
			return &keystore.Failure{Reason: "no_pending_key", Err: errors.New("the key was made for another application")}
		case was.IIN != is.IIN || was.BIN != is.BIN:
			return &keystore.Failure{Reason: "not_a_certificate", Err: errors.New("the certificate names another holder")}
		case chain != nil:
			return &keystore.Failure{Reason: "not_a_certificate", Err: errors.New("its issuer is not known here")}
		}
	}
	return nil
}
