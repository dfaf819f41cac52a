// Package mailbox is a mail server for one machine: it takes every letter sent to it over SMTP,
// keeps the newest in memory and shows them on a page, so that a demonstration or a test has an
// inbox without any mail leaving the machine. It takes short messages too.
//
// [New] makes a [Mailbox]; [*Mailbox.Serve] takes letters from a listener, [*Mailbox.Send] short
// messages; [*Mailbox.Handler] shows them: the page at "/", one letter at "/letters/{id}", all as JSON
// at "/letters.json" (newest first, ?to= for one address), short messages at "/sms" and "/sms.json".
//
// It refuses listeners and guests that are not of this machine: letters hold sign-in links.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Limits of one letter and of the box.
const (
	maxLetter = 1 << 20
	maxBox    = 500
)

// Letter is a letter taken.
type Letter struct {
	// ID counts from 1.
	ID      int       `json:"id"`
	From    string    `json:"from"`
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	Links   []string  `json:"links"` // of the text, in order
	Time    time.Time `json:"time"`  // when it was taken
	// MessageID is without angle brackets.
	MessageID string `json:"message_id"`
}

// Mailbox keeps letters in memory. It is safe for concurrent use.
type Mailbox struct {
	now   func() time.Time
	clock Clock  // nil: the machine's
	path  string // where letters are kept; "" keeps them in memory

	mu sync.Mutex
	// Under mu:
	letters []Letter // oldest first
	texts   []SMS    // oldest first
	last    int
	news    chan struct{} // closed when a letter comes
}

// New makes an empty mailbox; now nil means time.Now.
func New(now func() time.Time) *Mailbox {
	if now == nil {
		now = time.Now
	}
	return &Mailbox{now: now, news: make(chan struct{})}
}

// Serve takes letters until ctx ends. The listener must be on the loopback address; Serve closes it.
func (b *Mailbox) Serve(ctx context.Context, l net.Listener) error {
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return errors.Join(errors.New("mailbox: takes letters on the loopback address only"), l.Close())
	}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }))
	s.Domain = "localhost"
	s.MaxMessageBytes = maxLetter
	s.MaxRecipients = 50
	s.ReadTimeout, s.WriteTimeout = 30*time.Second, 30*time.Second
	s.EnableSMTPUTF8 = true
	s.ErrorLog = log.New(io.Discard, "", 0) // it would log what clients send
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("mailbox: %w", err)
	case <-ctx.Done():
		err := s.Close()
		<-done
		return err
	}
}

// Letters lists the letters, newest first; of one address when to is not empty.
func (b *Mailbox) Letters(to string) []Letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Letter, 0, len(b.letters))
	for i := len(b.letters) - 1; i >= 0; i-- {
		if to == "" || b.letters[i].goesTo(to) {
			all = append(all, b.letters[i])
		}
	}
	return all
}

// Wait returns the newest letter for which good is true, waiting for it until ctx ends.
func (b *Mailbox) Wait(ctx context.Context, good func(Letter) bool) (Letter, error) {
	for {
		b.mu.Lock()
		news := b.news
		b.mu.Unlock()
		for _, l := range b.Letters("") {
			if good(l) {
				return l, nil
			}
		}
		select {
		case <-news:
		case <-ctx.Done():
			return Letter{}, fmt.Errorf("wait for a letter: %w", ctx.Err())
		}
	}
}

// Clear forgets every letter.
func (b *Mailbox) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters, b.texts = nil, nil
}

// add takes a letter; an error means that it could not be kept, and the sender tries again.
func (b *Mailbox) add(l Letter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	l.ID, l.Time = b.last, b.now()
	b.letters = append(b.letters, l)
	if len(b.letters) > maxBox {
		b.letters = b.letters[len(b.letters)-maxBox:]
	}
	if err := b.keep(); err != nil {
		b.letters = b.letters[:len(b.letters)-1]
		return err
	}
	close(b.news)
	b.news = make(chan struct{})
	return nil
}

// session is one client's connection.
type session struct {
	box  *Mailbox
	from string
	to   []string
}

// Mail takes the envelope's sender.
func (s *session) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }

// Rcpt takes a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = append(s.to, to); return nil }

// Data takes the letter.
func (s *session) Data(r io.Reader) error {
	l, err := read(io.LimitReader(r, maxLetter))
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "The letter cannot be read"}
	}
	l.From, l.To = s.from, s.to
	if err := s.box.add(l); err != nil {
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "The letter cannot be kept now"}
	}
	return nil
}

// Reset begins anew.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout ends the session.
func (s *session) Logout() error { return nil }
