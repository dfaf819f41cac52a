package courier

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/wneessen/go-mail"
)

// DKIM is the key that letters are signed with (RFC 6376); its public half stands in the DNS at
// SELECTOR._domainkey.DOMAIN.
type DKIM struct {
	Selector string
	// Domain signs; the domain of the sender's address when empty.
	Domain string
	// Key is RSA of 2048 bits or more (RFC 8301 §3.2), or Ed25519 (RFC 8463).
	Key crypto.Signer
}

// signed are the header fields under the signature. RFC 8058 §4 wants both of List-Unsubscribe's. A
// field named once more than it stands in the letter cannot be added on the way (RFC 6376 §8.15).
var signed = []string{"From", "From", "Reply-To", "To", "To", "Subject", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
	"Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post"}

// check completes the configuration; d may be nil.
func (d *DKIM) check(domain string) (*dkim.SignOptions, error) {
	if d == nil {
		return nil, nil
	}
	if d.Domain != "" {
		domain = d.Domain
	}
	if d.Key == nil || d.Selector == "" || strings.Trim(d.Selector+domain, "abcdefghijklmnopqrstuvwxyz0123456789-._") != "" {
		return nil, errors.New("DKIM needs a selector, a domain and a key")
	}
	switch key := d.Key.Public().(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			return nil, errors.New("the DKIM key is shorter than 2048 bits")
		}
	case ed25519.PublicKey:
	default:
		return nil, errors.New("the DKIM key is neither RSA nor Ed25519")
	}
	return &dkim.SignOptions{Domain: domain, Selector: d.Selector, Signer: d.Key, HeaderKeys: signed,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed}, nil
}

// sign puts the signature into a letter, which must be written the same each time: its boundary is
// set. go-mail can sign too, but folds the list of fields inside their names, and then verifiers
// refuse.
func sign(m *mail.Msg, o *dkim.SignOptions) error {
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return errors.New("sign letter: it cannot be written")
	}
	s, err := dkim.NewSigner(o)
	if err != nil {
		return errors.New("sign letter: the configuration is refused")
	}
	_, err = s.Write(b.Bytes())
	if err = errors.Join(err, s.Close()); err != nil {
		return errors.New("sign letter: the key does not sign")
	}
	name, value, _ := strings.Cut(strings.TrimSpace(s.Signature()), ": ")
	m.SetGenHeaderPreformatted(mail.Header(name), value)
	return nil
}
