package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"

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

// issuedFor refuses certificates that are not what was asked for: keys made for another application,
// another holder than the request named, an issuer that is not known.
func (g *renewal) issuedFor(w *window, requestID string, matches []keystore.Match) error {
	for _, m := range matches {
		request, err := pki.ParseRequest(m.Note.Request)
		if err != nil {
			return fmt.Errorf("read a request made here: %w", err)
		}
		was, is := request.Holder(), m.Certificate.Holder()
		_, chain := w.agent.config.Pool.Chain(m.Certificate, trust.Within(m.Certificate, w.agent.now()))
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
