package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"senim/internal/cabinet"
	"senim/internal/feed"
	"senim/internal/logdir"
	"senim/internal/ra"
)

// logPrefix is where the public log is served, on the responder's address.
const logPrefix = "/log/"

// noLog is the value of -log for a process that does not keep the log.
const noLog = "none"

// openLog opens the public log, which follows what is issued in the background.
func (s *server) openLog(ctx context.Context) error {
	if s.c.log == noLog || s.ca == nil {
		return nil
	}
	origin := s.c.logOrigin
	if origin == "" {
		_, host, _ := strings.Cut(s.c.responder.origin, "://")
		origin = host + strings.TrimSuffix(logPrefix, "/")
	}
	files := logdir.Fetch(s.c.log)
	l, err := feed.OpenLog(ctx, feed.LogConfig{Store: s.store.Feed(), Fetch: files, Origin: origin, Node: s.c.node, Now: s.now, Log: s.log,
		Open: func(ctx context.Context, secret string) (feed.Folder, error) {
			return logdir.Open(ctx, s.c.log, secret)
		}})
	if err != nil {
		return err
	}
	if s.c.logOrigin != "" && l.Origin() != s.c.logOrigin {
		return fmt.Errorf("-log.origin: this installation's log is called %s, and a log keeps its name", l.Origin())
	}
	key, err := l.Key(ctx)
	if err != nil {
		return err
	}
	s.issueLog = l
	s.logFiles = logdir.Service{Files: files, Key: key, Health: func() (any, bool) {
		h := l.Health()
		return h, h.Trouble == "" && !h.Late
	}}.Handler(logPrefix)
	if !s.suspended() {
		s.background = append(s.background, l.Run)
	}
	return nil
}

// withLog puts the log's files beside what the responder answers.
func (s *server) withLog(answers http.Handler) http.Handler {
	if s.logFiles == nil {
		return answers
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, logPrefix) {
			s.logFiles.ServeHTTP(w, r)
			return
		}
		answers.ServeHTTP(w, r) // it reads paths that a multiplexer would clean
	})
}

// openLetters follows what is issued with letters to the holders. The people of the demo are not written
// to about the keys they begin with.
func (s *server) openLetters(ctx context.Context) error {
	l, err := feed.OpenLetters(ctx, feed.LettersConfig{Store: s.store.Feed(), Accounts: addresses{s.office}, Link: s.c.cabinet.origin + "/keys", Log: s.log})
	if err != nil {
		return err
	}
	if !s.suspended() {
		s.background = append(s.background, l.Run)
	}
	return nil
}

// addresses tells where a person reads letters.
type addresses struct{ office *ra.Office }

func (a addresses) LetterAccount(ctx context.Context, iin string) (feed.Account, error) {
	account, err := a.office.Account(ctx, iin)
	if errors.Is(err, ra.ErrNotFound) {
		return feed.Account{}, nil
	}
	return feed.Account{Address: account.Confirmed(), Lang: account.Lang}, err
}

// receipts shows the cabinet the proofs of the log; nil where there is none.
func (s *server) receipts() cabinet.Receipts {
	if s.issueLog == nil {
		return nil
	}
	return receipts{s.issueLog}
}

type receipts struct{ log *feed.Log }

func (r receipts) Receipt(ctx context.Context, serial string) ([]byte, error) {
	got, err := r.log.Receipt(ctx, serial)
	if errors.Is(err, feed.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return got.Marshal(), nil
}
