// Package courier brings letters to a mail server over SMTP.
//
// [New] checks the configuration; [*SMTP.Send] sends one letter and says how it ended, as
// notice.Courier asks: nil, a refusal for good (*notice.RefusedError), or an error after which
// trying again makes sense. Errors never hold an address or what the server said, since servers
// repeat addresses.
//
// It refuses: a password over an open connection to a host that is not this machine.
package courier

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"senim/internal/ident"
	"senim/internal/notice"
)

// Config says through which server and as whom.
type Config struct {
	// URL is smtp://[user:password@]host:port[?tls=MODE]. MODE is starttls (default: required),
	// implicit (TLS from the first byte), or none, which is for a server on this machine.
	URL string
	// From is the address letters come from; Name stands before it ("Senim" when empty).
	From, Name string
	// Bounce is the envelope sender, where reports of failed delivery go; From when empty.
	Bounce string
	// TLS is for tests and private authorities; nil means the system's.
	TLS *tls.Config
	// Timeout bounds connecting and each command; 30 s when zero.
	Timeout time.Duration
	// Now dates the letters; nil means time.Now.
	Now func() time.Time
}

// SMTP sends letters. It is safe for concurrent use; every letter has its own connection.
type SMTP struct {
	c       Config
	host    string
	domain  string
	options []mail.Option
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
	if c.Name == "" {
		c.Name = "Senim"
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &SMTP{c: c, host: u.Hostname(), domain: string(from)[lastAt(string(from))+1:]}
	if s.options, err = options(u, c); err != nil {
		return nil, fmt.Errorf("new courier: %w", err)
	}
	if _, err := mail.NewClient(s.host, s.options...); err != nil {
		return nil, errors.New("new courier: the mail client refuses the configuration")
	}
	return s, nil
}

func options(u *url.URL, c Config) ([]mail.Option, error) {
	o := []mail.Option{mail.WithTimeout(c.Timeout), mail.WithHELO("localhost"), mail.WithoutNoop()}
	port := 587
	mode := u.Query().Get("tls")
	switch mode {
	case "", "starttls":
		o = append(o, mail.WithTLSPolicy(mail.TLSMandatory))
	case "implicit":
		port = 465
		o = append(o, mail.WithSSL())
	case "none":
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
		o = append(o, mail.WithTLSConfig(c.TLS))
	}
	if u.User != nil {
		if mode == "none" && !local(u.Hostname()) {
			return nil, errors.New("a password would go over an open connection")
		}
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
	client, err := mail.NewClient(s.host, s.options...)
	if err != nil {
		return errors.New("send letter: the mail client refuses the configuration")
	}
	if err := client.DialWithContext(ctx); err != nil {
		return errors.New("send letter: the mail server is not reached, or refuses us")
	}
	err = client.Send(m)
	closing := client.Close()
	if f, ok := errors.AsType[*mail.SendError](err); ok {
		if !f.IsTemp() && f.ErrorCode() >= 500 {
			return &notice.RefusedError{Code: f.ErrorCode()}
		}
		return fmt.Errorf("send letter: the mail server answers %d", f.ErrorCode())
	}
	if err != nil {
		return errors.New("send letter: the connection broke")
	}
	_ = closing // the server took the letter; how the connection ended changes nothing
	return nil
}

// message writes the letter with the headers of rule I10. Values cannot add headers: go-mail encodes
// the subject, and addresses are parsed before.
func (s *SMTP) message(l notice.Letter) (*mail.Msg, error) {
	to, err := ident.ParseEmail(l.To)
	if err != nil {
		return nil, err
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := errors.Join(m.FromFormat(s.c.Name, s.c.From), m.EnvelopeFrom(s.c.Bounce), m.To(string(to)), m.ReplyTo(s.c.From)); err != nil {
		return nil, errors.New("write letter: an address is refused")
	}
	m.Subject(l.Subject)
	m.SetDateWithValue(s.c.Now())
	m.SetMessageIDWithValue(l.ID + "@" + s.domain)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no out-of-office answers
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	return m, nil
}
