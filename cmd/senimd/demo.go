package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// demoLog is the log of a demonstration, in its data folder: the terminal is for the person.
const demoLog = "demo.log"

// lateFile is a file that is made when something is written to it: until then the data folder may be somebody else's.
type lateFile struct {
	path string
	mu   sync.Mutex
	file *os.File // under mu
}

func (f *lateFile) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		var err error
		if f.file, err = os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return 0, err
		}
	}
	return f.file.Write(p)
}

func (f *lateFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// demoLogTo is the log of a demonstration: all of it in a file, and errors in the terminal too.
func (p program) demoLogTo(file io.Writer) func(slog.Level) slog.Handler {
	return func(from slog.Level) slog.Handler {
		return slog.NewMultiHandler(slog.NewTextHandler(file, &slog.HandlerOptions{Level: from}),
			slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	}
}

// welcome says why nothing seems to happen at the first start.
func (p program) welcome(c config) {
	if !fileExists(filepath.Join(c.data, installationFile)) {
		_, _ = fmt.Fprintln(p.stdout, "First start: authorities, people and their keys are being made; the RSA keys take a moment.")
	}
}

// demo serves, starts the agent beside, and prints what a person needs to walk the stories.
func (p program) demo(ctx context.Context, s *server) error {
	g, ctx := errgroup.WithContext(ctx)
	ready := make(chan struct{})
	g.Go(func() error { return s.serve(ctx, func() { close(ready) }) })
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-ready:
		}
		s.announce(p.stdout)
		s.guide(p.stdout)
		if !s.c.showAgent {
			return nil
		}
		return p.runAgent(ctx, s)
	})
	return g.Wait()
}

// runAgent keeps the agent running as a process of its own, as on anybody's machine.
func (p program) runAgent(ctx context.Context, s *server) error {
	path := s.c.agent
	if path == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find the agent: %w", err)
		}
		path = filepath.Join(filepath.Dir(self), "senim-agent")
	}
	args := []string{"--data", filepath.Join(s.c.data, "agent"), "--trust", s.c.trust, "--keys", filepath.Join(s.c.data, keysFolder)}
	for ski, url := range s.responders() {
		args = append(args, "--ocsp", ski+"="+url)
	}
	browser := s.c.browser
	if browser == "" && !hasScreen() {
		browser = "none"
	}
	if browser != "" {
		args = append(args, "--browser", browser)
	}
	err := p.keepAgent(ctx, path, args)
	if ctx.Err() != nil {
		return nil
	}
	_, _ = fmt.Fprintf(p.stderr, "The signing agent does not run: %v\nThe pages work; they will say that the agent is absent. Start it by hand:\n  %s %s\n", err, path, strings.Join(args, " "))
	return nil
}

const (
	// shortRun is how long an agent runs at least that nothing keeps from running.
	shortRun = 10 * time.Second
	// agentRest is the time before it is started again.
	agentRest = time.Second
)

// keepAgent starts the agent, and again when somebody ended it, until ctx ends or it cannot run: it is not there, or
// ended twice as soon as it was started. The error says why it ended last.
func (p program) keepAgent(ctx context.Context, path string, args []string) error {
	for short := 0; ; {
		agent := exec.CommandContext(ctx, path, args...) //nolint:gosec // the program and its arguments are the operator's own
		agent.Stdout, agent.Stderr = p.stdout, p.stderr
		agent.Cancel = func() error { return agent.Process.Signal(os.Interrupt) }
		agent.WaitDelay = stopTimeout
		began := time.Now()
		err := agent.Run()
		if err == nil {
			err = errors.New("it ended")
		}
		if time.Since(began) > shortRun {
			short = 0
		}
		if short++; ctx.Err() != nil || agent.Process == nil || short > 1 {
			return err
		}
		_, _ = fmt.Fprintf(p.stderr, "The signing agent does not run any more (%v): it is started again.\n", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(agentRest):
		}
	}
}

func hasScreen() bool {
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" || os.PathSeparator == '\\' || fileExists("/System/Library/CoreServices/Finder.app")
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// guide is the tour a person walks by hand.
func (s *server) guide(w io.Writer) {
	who := map[string]person{}
	for _, p := range s.people {
		who[p.Who] = p
	}
	var b strings.Builder
	b.WriteString("\nTest people (nobody of them exists). Every key file opens with " + keyPassword + "\n\n")
	for _, p := range s.people {
		fmt.Fprintf(&b, "  %-11s %-32s IIN %s", p.Who, p.Name, p.IIN)
		if p.PortalPassword != "" {
			fmt.Fprintf(&b, "  portal password %s", p.PortalPassword)
		}
		fmt.Fprintf(&b, "\n              keys: %s\n", p.Folder)
	}
	year := "open " + s.c.mail.origin + "/clock , press, read the letters."
	if s.walking == nil {
		year = "start the demo with -clock, which gives the mail box a page that moves the time."
	}
	fmt.Fprintf(&b, `
Story A, the head of a company changed: %[4]s
  1  Clerk: open %[1]s/desk/registry , sign in with keys/clerk-1/office, record «new-head» (IIN %[6]s) as head of BIN %[7]s.
     Sign out; confirm the change as clerk-2.
  2  New head: open %[1]s/apply/legal , sign in with keys/new-head/personal, apply for the keys of BIN %[7]s, install them.
  3  New head: open %[2]s/register , «Юридическое лицо», walk the four steps with the company's key, sign the agreement.
  4  Open the letter in the mail box, follow its link, sign in with the key, then with the password. A second letter comes.
  5  Old head: open %[2]s/login , sign in with keys/old-head/company-X and the password: refused for %[4]s, with the reason;
     his profile in %[8]s still works.

Story B, a key is about to expire
  1  Open the mail box %[3]s : a letter says that the key of «person» expires on %[5]s.
  2  Follow its link to the cabinet, sign in with the key in keys/person/personal.
  3  «Перевыпуск», fill in the form, let the agent make the new key, type the code that comes by SMS (%[3]s/sms )
     or e-mail, sign with the old one.
  4  Install the certificate into a new file under a new password. The list shows both keys.
  5  Revoke the old key there and then; sign in with it again: it is refused, with the date.

Story C, the people of a company
  1  «newcomer»: sign in with keys/newcomer/personal, open %[1]s/apply/legal/employee , apply for keys in BIN %[7]s.
  2  Director («old-head», keys/old-head/company-X; after story A «new-head», with the key made there): %[1]s/confirm ,
     tick the application, sign. «newcomer» installs her keys.
  3  Director: %[1]s/delegation , IIN %[10]s («deputy»).
     Now «deputy» (keys/deputy/company-X) confirms instead of him; nobody confirms his own.
  4  Director: %[1]s/company shows every key of the company. Dismiss «leaver»: one signature revokes his keys.

Story D, a year in a minute: %[12]s

Story E, an accountant with many companies: sign in with keys/bookkeeper/personal, open %[1]s/many ,
  show the keys in keys/bookkeeper, tick all, renew. «old-head» and «owner» each confirm one list.

Story F, a key that expired: the agent's window says so of keys/expired/personal. The page %[1]s/visit says where to go and what
  to bring. «clerk-1» takes the application by IIN %[11]s at %[1]s/desk/take , «clerk-2» approves it, the keys are made and
  installed there.

Signing with a phone: open %[2]s/login , press «Подписать телефоном»; the page shows the command of the test phone. In a second
  terminal run it with the key in keys/old-head/company-X:
  senim qr-phone --key KEY.p12 'mobileSign:…' , answer y; the page goes on by itself.

Anybody may look a certificate up: %[1]s/check , by file, document, or serial number.
Try a wrong key too: those in keys/accountant: of an employee, expired, revoked, not yet valid.
The log of the server is in %[13]s .
Stop with Ctrl+C. Start again and everything is as it was; delete %[9]s to begin anew.
`, s.c.cabinet.origin, s.c.portal.origin, s.c.mail.origin, orgX, s.now().AddDate(0, 0, 20).Format("02.01.2006"), who["new-head"].IIN, binX, orgY, s.c.data, who["deputy"].IIN, who["expired"].IIN, year, filepath.Join(s.c.data, demoLog))
	if s.c.showAgent && s.c.browser == "" && !hasScreen() {
		b.WriteString("\nNo screen was found: the agent prints the address of its window here (a line «window http://…») instead of opening it.\n")
	}
	_, _ = io.WriteString(w, b.String()+"\n"+time.Now().Format("15:04")+" everything is running.\n")
}
