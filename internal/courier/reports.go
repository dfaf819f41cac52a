package courier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"time"

	"github.com/emersion/go-smtp"

	"senim/internal/notice"
)

// Reports takes, from the mail server of this house, the letters that come to bounce+TOKEN@domain. A
// recipient without a token of ours is refused at once; a letter that is no report is taken and dropped.
type Reports struct {
	Tokens *Tokens
	// Take gets each report. When it fails the mail server is asked to bring the letter again.
	Take func(context.Context, notice.Returned) error
	// Log tells of reports that could not be taken, never of addresses; nil means nothing.
	Log *slog.Logger
}

// Serve takes letters until ctx ends. The listener must be on the loopback address: who may speak here
// is the mail server's business. Serve closes it.
func (p Reports) Serve(ctx context.Context, l net.Listener) error {
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return errors.Join(errors.New("reports: letters are taken on the loopback address only"), l.Close())
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &report{p: p, ctx: ctx}, nil }))
	s.Domain = "localhost"
	s.MaxMessageBytes = maxReport
	s.MaxRecipients = 1 // each report is of one letter
	s.ReadTimeout, s.WriteTimeout = 30*time.Second, 30*time.Second
	s.EnableSMTPUTF8 = true
	s.ErrorLog = log.New(io.Discard, "", 0) // it would log what clients send
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("reports: %w", err)
	case <-ctx.Done():
		err := s.Close()
		<-done
		return err
	}
}

// report is one connection of the mail server.
type report struct {
	p   Reports
	ctx context.Context
	to  string
}

// Mail takes any sender: that of a report is empty.
func (r *report) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes addresses with a token of ours.
func (r *report) Rcpt(to string, _ *smtp.RcptOptions) error {
	if _, err := r.p.Tokens.Letter(to); err != nil {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address"}
	}
	r.to = to
	return nil
}

// Data takes the report.
func (r *report) Data(letter io.Reader) error {
	got, err := r.p.Tokens.Read(r.to, letter)
	if errors.Is(err, ErrReport) || errors.Is(err, ErrToken) {
		return nil // an answer by a person or a machine: nothing to do
	}
	if err == nil {
		err = r.p.Take(r.ctx, got)
	}
	if err != nil {
		r.p.Log.ErrorContext(r.ctx, "report of a letter not taken", "err", err)
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Not kept now: bring it again"}
	}
	return nil
}

// Reset begins anew.
func (r *report) Reset() { r.to = "" }

// Logout ends the session.
func (r *report) Logout() error { return nil }
