// Package courier is how letters and short messages leave the house.
//
// Letters go to a mail server: [New] checks the configuration; [*SMTP.Send] sends one letter and
// says how it ended, as notice.Courier asks: nil, a refusal for good (*notice.RefusedError), or an
// error after which trying again makes sense. [Tokens] mark the envelope, so that [Tokens.Read] can
// tell from a mail server's report which letter came back; [Working] says from such reports whether
// an address still works.
//
// Short messages go by a [Texter]: [SMPP] speaks with the operator's centre, [Gateway] with an HTTP
// gateway of Kannel's kind, whose reports [Gateway.Receipts] takes; [Sink] only writes files.
// [Shape] and [Fit] make a text fit, [Hours] says when it may go.
//
// Errors and outcomes never hold an address, a phone, a password or what the other side said, since
// servers repeat addresses.
//
// It refuses: letters over an open connection to a host that is not this machine; a second try of a
// short message whose fate nobody knows.
package courier

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/wneessen/go-mail"

	"senim/internal/ident"
	"senim/internal/notice"
)

// Config says through which server and as whom.
type Config struct {
	// URL is smtp://[user:password@]host:port[?tls=MODE]. MODE is starttls (default: required),
	// implicit (TLS from the first byte), or none, which is only for a server on this machine.
	URL string
	// From is the address letters come from; Name stands before it ("Senim" when empty).
	From, Name string
	// Bounce is the envelope sender, where reports of failed delivery go; From when empty.
	Bounce string
	// Tokens mark the envelope sender of each letter, bounce+TOKEN@domain; nil: it is Bounce as it
	// stands, and reports of failed delivery cannot be read.
	Tokens *Tokens
	// DKIM signs the letters; nil: the mail server does, or nobody.
	DKIM *DKIM
	// Unsubscribe gives the https address that ends reminders of a letter's reader by one POST (RFC
	// 8058). It is asked for letters of class Reminder only; nil, or an empty answer: no header.
	Unsubscribe func(notice.Letter) string
	// Connections bounds how many there are at a time, and they stay open for the next letter, up to
	// a hundred; 4 is usual. 0: each letter has its own, and nothing bounds them.
	Connections int
	// TLS is for tests and private authorities; nil means the system's.
	TLS *tls.Config
	// Timeout bounds connecting and each command; 30 s when zero.
	Timeout time.Duration
	// Now dates the letters; nil means time.Now.
	Now func() time.Time
}

// SMTP sends letters. It is safe for concurrent use.
type SMTP struct {
	c       Config
	host    string
	domain  string
	options []mail.Option
	dkim    *dkim.SignOptions // nil: not signed
	slots   chan struct{}     // nil: any number of connections
	idle    chan *call
}

// New checks the configuration. It does not connect.
func New(c Config) (*SMTP, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "smtp" || u.Hostname() == "" {
		return nil, errors.New("new courier: the URL is not smtp://host:port")
	}
	from, err := ident.ParseEmail(c.From)
	if err != nil {
		return nil, fmt.Errorf("new courier: sender: %w", err)
	}
	if c.Bounce == "" {
		c.Bounce = c.From
	}
	if _, err := ident.ParseEmail(c.Bounce); err != nil {
		return nil, fmt.Errorf("new courier: envelope sender: %w", err)
	}
	if strings.ContainsAny(c.Name, "\r\n") {
		return nil, errors.New("new courier: the sender's name has more than one line")
	}
	if c.Name == "" {
		c.Name = "Senim"
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Tokens != nil {
		if _, err := c.Tokens.envelope(c.Bounce, strings.Repeat("0", 40)); err != nil {
			return nil, fmt.Errorf("new courier: envelope sender: %w", err)
		}
	}
	s := &SMTP{c: c, host: u.Hostname(), domain: string(from)[lastAt(string(from))+1:]}
	if c.Connections > 0 {
		s.slots = make(chan struct{}, c.Connections)
	}
	s.idle = make(chan *call, max(c.Connections, 0))
	if s.options, err = options(u, c, s.domain); err != nil {
		return nil, fmt.Errorf("new courier: %w", err)
	}
	if s.dkim, err = c.DKIM.check(s.domain); err != nil {
		return nil, fmt.Errorf("new courier: %w", err)
	}
	if _, err := mail.NewClient(s.host, s.options...); err != nil {
		return nil, errors.New("new courier: the mail client refuses the configuration")
	}
	return s, nil
}

func options(u *url.URL, c Config, domain string) ([]mail.Option, error) {
	o := []mail.Option{mail.WithTimeout(c.Timeout), mail.WithHELO(domain), mail.WithoutNoop()}
	port := 587
	mode := u.Query().Get("tls")
	switch mode {
	case "", "starttls":
		o = append(o, mail.WithTLSPolicy(mail.TLSMandatory))
	case "implicit":
		port = 465
		o = append(o, mail.WithSSL())
	case "none":
		if !local(u.Hostname()) {
			return nil, errors.New("letters, or a password, would go over an open connection")
		}
		port = 25
		o = append(o, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("tls=%q is not starttls, implicit or none", mode)
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, errors.New("the port is not a number")
		}
		port = int(n)
	}
	o = append(o, mail.WithPort(port))
	if c.TLS != nil {
		named := c.TLS.Clone()
		if named.ServerName == "" {
			named.ServerName = u.Hostname() // STARTTLS does not take it from the address
		}
		o = append(o, mail.WithTLSConfig(named))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		o = append(o, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return o, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func lastAt(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '@' {
			return i
		}
	}
	return -1
}

// Send hands one letter to the mail server.
func (s *SMTP) Send(ctx context.Context, l notice.Letter) error {
	m, err := s.message(l)
	if err != nil {
		return &notice.RefusedError{Code: 553} // mailbox name not allowed: it will not get better
	}
	if s.slots != nil {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-ctx.Done():
			return errors.New("send letter: no connection was free in time")
		}
	}
	err = s.deliver(ctx, m)
	if m.IsDelivered() { // what fails afterwards, as a refused RSET, must not send it again
		return nil
	}
	if f, ok := errors.AsType[*mail.SendError](err); ok {
		if !f.IsTemp() && f.ErrorCode() >= 500 {
			return &notice.RefusedError{Code: f.ErrorCode(), Status: status.FindString(f.EnhancedStatusCode())}
		}
		return fmt.Errorf("send letter: the mail server answers %d", f.ErrorCode())
	}
	if err != nil {
		return fmt.Errorf("send letter: %w", err)
	}
	return nil
}

// message writes the letter with the headers of rule I10. Values cannot add headers: go-mail encodes
// the subject, addresses are parsed before, and the letter's own name is checked.
func (s *SMTP) message(l notice.Letter) (*mail.Msg, error) {
	to, err := ident.ParseEmail(l.To)
	if err != nil {
		return nil, err
	}
	if !plainID(l.ID) {
		return nil, errors.New("write letter: its identifier is not letters and digits")
	}
	bounce := s.c.Bounce
	if s.c.Tokens != nil {
		if bounce, err = s.c.Tokens.envelope(bounce, l.ID); err != nil {
			return nil, err
		}
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := errors.Join(m.FromFormat(s.c.Name, s.c.From), m.EnvelopeFrom(bounce), m.To(string(to)), m.ReplyTo(s.c.From)); err != nil {
		return nil, errors.New("write letter: an address is refused")
	}
	m.Subject(l.Subject)
	m.SetDateWithValue(s.c.Now())
	m.SetMessageIDWithValue(l.ID + "@" + s.domain)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no out-of-office answers
	if l.Class == notice.Reminder && s.c.Unsubscribe != nil {
		if at := s.c.Unsubscribe(l); at != "" {
			if err := m.SetListUnsubscribeOneClick(at); err != nil {
				return nil, errors.New("write letter: the address to unsubscribe is not https")
			}
		}
	}
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	if s.dkim == nil {
		return m, nil
	}
	m.SetBoundary("=_" + l.ID) // not in the text: quoted-printable writes "=" as "=3D"
	if err := sign(m, s.dkim); err != nil {
		return nil, err
	}
	return m, nil
}

// plainID reports that a letter's name can stand in a Message-ID.
func plainID(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
