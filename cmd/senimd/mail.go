package main

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"senim/internal/ca"
	"senim/internal/cabinet"
	"senim/internal/courier"
	"senim/internal/job"
	"senim/internal/mailbox"
	"senim/internal/notice"
	"senim/internal/ra"
	"senim/internal/vault"
)

// receiptPath is where the gateway says what became of short messages, on the cabinet's address.
const receiptPath = "/sms/receipt"

// openMail opens the ways of letters and short messages, and the ways back. Without any they end in the
// demo's mail box.
func (s *server) openMail(ctx context.Context) error {
	if s.c.only == "ca" {
		return nil
	}
	key, err := s.installationKey()
	if err != nil {
		return err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte("senim/tokens of messages"))
	if s.tokens, err = courier.NewTokens(m.Sum(nil)); err != nil {
		return err
	}
	c := notice.SenderConfig{Store: s.store.Notice(), Keep: s.c.messages.keep, Still: s.scanner, Hours: s.c.messages.hours, Unknown: s.c.messages.unknown, At: s.c.plan.At, DailyCap: s.c.messages.capAddress,
		Caps: map[notice.Channel]int{notice.Email: s.c.messages.capEmail, notice.SMS: s.c.messages.capSMS}, Log: s.log, Now: s.now}
	c.Accounts = accounts{s.authority, s.office}
	if c.Courier, err = s.openLetterWay(ctx); err != nil {
		return err
	}
	if c.Texter, err = s.openTextWay(); err != nil {
		return err
	}
	if s.sender, err = notice.NewSender(c); err != nil {
		return err
	}
	if s.c.messages.reports.address == "" {
		return nil
	}
	l, err := s.c.messages.reports.open(ctx)
	if err != nil {
		return fmt.Errorf("%w (-bounce.listen takes another address)", err)
	}
	reports := courier.Reports{Tokens: s.tokens, Take: s.sender.Returned, Log: s.log}
	s.background = append(s.background, func(ctx context.Context) error { return reports.Serve(ctx, l) })
	return nil
}

// openLetterWay is the mail server, a folder, or the demo's mail box.
func (s *server) openLetterWay(ctx context.Context) (notice.Courier, error) {
	c := courier.Config{URL: s.c.smtp, From: s.c.messages.from, Connections: 4, Now: s.now}
	if s.c.messages.reports.address != "" {
		_, domain, _ := strings.Cut(s.c.messages.from, "@")
		c.Bounce, c.Tokens = "bounce@"+domain, s.tokens
	}
	if strings.HasPrefix(s.c.cabinet.origin, "https://") { // RFC 8058 knows no other
		c.Unsubscribe = s.unsubscribeLink
	}
	if s.c.messages.dkimKey != "" {
		key, err := signingKey(s.c.messages.dkimKey)
		if err != nil {
			return nil, fmt.Errorf("-smtp.dkim-key: %w", err)
		}
		c.DKIM = &courier.DKIM{Selector: s.c.messages.dkimSelector, Domain: s.c.messages.dkimDomain, Key: key}
	}
	if s.c.smtp != "" || s.c.messages.letterSink != "" {
		s.serveOn("mailbox", http.NotFoundHandler())
	}
	switch {
	case s.c.messages.letterSink != "":
		return courier.NewLetterSink(c, s.c.messages.letterSink)
	case s.c.smtp == "":
		var err error
		if s.mail, err = mailbox.Open(filepath.Join(s.c.data, "letters.json"), s.now); err != nil {
			return nil, err
		}
		ln, err := s.c.sink.open(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w (-mailbox.smtp takes another address)", err)
		}
		c.URL = "smtp://" + s.c.sink.address + "?tls=none"
		s.background = append(s.background, func(ctx context.Context) error { return s.mail.Serve(ctx, ln) })
		if s.walking != nil {
			s.mail.Walk(s.walking)
		}
		s.serveOn("mailbox", s.mail.Handler())
	}
	return courier.New(c)
}

// openTextWay is the message centre, the gateway, a folder, or the demo's mail box; nil: short messages
// are not sent.
func (s *server) openTextWay() (notice.Texter, error) {
	m := s.c.messages
	password := ""
	if m.smsPassword != "" {
		b, _, err := vault.Secret(m.smsPassword, false)
		if err != nil {
			return nil, fmt.Errorf("-sms.password-file: %w", err)
		}
		password = string(b)
	}
	receive := func(ctx context.Context, r notice.Receipt) error { return s.sender.Receive(ctx, r) }
	switch {
	case m.smpp != "":
		u, err := url.Parse(m.smpp)
		if err != nil || u.User == nil {
			return nil, errors.New("-smpp.url is not smpp://user@host:port")
		}
		u.User = url.UserPassword(u.User.Username(), password)
		line, err := courier.NewSMPP(courier.SMPPConfig{URL: u.String(), From: m.smsFrom, OnReceipt: receive, Log: s.log})
		if err != nil {
			return nil, err
		}
		s.background = append(s.background, line.Run)
		return line, nil
	case m.gateway != "":
		c := courier.GatewayConfig{URL: m.gateway, User: m.gatewayUser, Password: password, From: m.smsFrom, Get: m.gatewayGet,
			Callback: m.callback, Tokens: s.tokens, OnReceipt: receive}
		if c.Callback == "" {
			c.Callback = s.c.cabinet.origin + receiptPath
		}
		g, err := courier.NewGateway(c)
		if err != nil {
			return nil, err
		}
		s.textReceipts = g.Receipts()
		return g, nil
	case m.textSink != "":
		return courier.NewSink(m.textSink)
	case s.mail != nil:
		return s.mail, nil
	}
	s.log.Warn("no way for short messages is set: none is sent (-smpp.url or -smshttp.url)")
	return nil, nil
}

// withReceipts puts the address of receipts beside the pages.
func (s *server) withReceipts(pages http.Handler) http.Handler {
	if s.textReceipts == nil {
		return pages
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle(receiptPath, s.textReceipts)
	return mux
}

// handleMail joins the jobs of messages.
func (s *server) handleMail() {
	s.store.Handle(notice.Kind, s.sender.Do)
	s.store.Handle(notice.BadKind, task(s.sender.TellBad))
	s.store.Handle(notice.OwnerKind, task(s.sender.HearOwner))
	s.store.Handle(notice.SweepKind, s.sender.Sweep)
	s.store.Every(24*time.Hour, job.Job{Kind: notice.SweepKind, Unique: "all"})
}

// unsubscribeLink ends the reminders of a letter's reader by one POST.
func (s *server) unsubscribeLink(l notice.Letter) string {
	token, err := s.tokens.Unsubscribe(l.ID)
	if err != nil {
		return "" // then the letter has no such field
	}
	return s.c.cabinet.origin + "/unsubscribe/" + token
}

// linksOfLetters gives the pages what readers do by the links of letters; nil where no letters are sent.
func (s *server) linksOfLetters() cabinet.Letters {
	if s.sender == nil {
		return nil
	}
	return letterLinks{s.sender, s.tokens}
}

// letterLinks is what readers do by the links of letters, for the cabinet's pages.
type letterLinks struct {
	*notice.Sender
	tokens *courier.Tokens
}

func (l letterLinks) Unsubscribes(ctx context.Context, token string) error {
	return l.read(ctx, token, l.Sender.Unsubscribes)
}

func (l letterLinks) Unsubscribe(ctx context.Context, token string) error {
	return l.read(ctx, token, l.Sender.Unsubscribe)
}

func (l letterLinks) read(ctx context.Context, token string, then func(context.Context, string) error) error {
	id, err := l.tokens.Unsubscribed(token)
	if errors.Is(err, courier.ErrToken) {
		return notice.ErrNotFound
	}
	if err != nil {
		return err
	}
	return then(ctx, id)
}

// accounts finds whose account a letter went to: a reminder names the key set, which has a holder; for others
// it is who has the address.
type accounts struct {
	ca     authority
	office *ra.Office
}

func (a accounts) Unsubscribe(ctx context.Context, about, to string) (known bool, err error) {
	if serial, ok := strings.CutPrefix(about, "keyset:"); ok {
		info, err := a.ca.Certificate(ctx, serial)
		if err == nil && info.IIN != "" {
			err = a.office.Unsubscribe(ctx, info.IIN)
		}
		switch no, refused := errors.AsType[*ra.Refusal](err); {
		case errors.Is(err, ca.ErrNotFound), refused && no.Code == "NO_ACCOUNT", err == nil && info.IIN == "":
			// nobody's account by its number: it may be by the address
		default:
			return err == nil, err
		}
	}
	return a.office.UnsubscribeAddress(ctx, to)
}

func (a accounts) AddressBad(ctx context.Context, email string, bad bool) error {
	return a.office.AddressBad(ctx, email, bad)
}

// signingKey reads a private key: PKCS #8, or PKCS #1 for RSA.
func signingKey(file string) (crypto.Signer, error) {
	text, _, err := vault.Secret(file, false)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it holds no PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it holds no private key in PKCS #8 or PKCS #1")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("its key does not sign")
	}
	return signer, nil
}
