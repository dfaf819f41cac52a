package robot

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Use presses the button of the page's form that needs the agent (see [Page.Form] for part): it
// carries the request to the agent, does in the window what the person chose, and posts the answer.
func (s *System) Use(ctx context.Context, p *Page, part string, c Choice, seen func(View)) (*Page, error) {
	f, err := p.Form(part)
	if err != nil {
		return nil, err
	}
	if f.Request() == "" {
		return nil, fmt.Errorf("%s: the form %q asks nothing of the agent", p.URL.Path, part)
	}
	answer, err := s.Agent.Ask(ctx, p.URL.Scheme+"://"+p.URL.Host, f.Request(), c, seen)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.URL.Path, err)
	}
	return f.Answer(answer).Submit(ctx)
}

// Until reloads the page until ok, as a page that refreshes itself does.
func (p *Page) Until(ctx context.Context, ok func(*Page) bool) (*Page, error) {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(windowWait); !ok(p); {
		select {
		case <-tick.C:
		case <-deadline:
			return p, fmt.Errorf("%s: still %q after %s", p.URL.Path, p.Heading(), windowWait)
		case <-ctx.Done():
			return p, ctx.Err()
		}
		var err error
		if p, err = p.Reload(ctx); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Letter is a letter in the demo's mail box.
type Letter struct {
	ID      int      `json:"id"`
	To      []string `json:"to"`
	Subject string   `json:"subject"`
	Text    string   `json:"text"`
	Links   []string `json:"links"`
}

// Letter waits for the newest letter to an address whose subject or text contains words.
func (s *System) Letter(ctx context.Context, to, words string) (Letter, error) {
	return s.wait(ctx, to, strings.TrimSpace("with "+words), func(l Letter) bool { return strings.Contains(l.Subject+"\n"+l.Text, words) })
}

// wait looks for the newest letter to an address that is the one; what says which, for the error.
func (s *System) wait(ctx context.Context, to, what string, is func(Letter) bool) (Letter, error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(windowWait); ; {
		all, err := s.letters(ctx, to)
		if err != nil {
			return Letter{}, err
		}
		for _, l := range all {
			if is(l) {
				return l, nil
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			return Letter{}, fmt.Errorf("no letter %s came to %s within %s (%d others did)", what, to, windowWait, len(all))
		case <-ctx.Done():
			return Letter{}, ctx.Err()
		}
	}
}

// Code waits for a letter with a code of the second factor, newer than the last one read for the
// address, and gives the code.
func (s *System) Code(ctx context.Context, to string) (string, error) {
	s.mu.Lock()
	last := s.codes[to]
	s.mu.Unlock()
	l, err := s.wait(ctx, to, "with a code", func(l Letter) bool { return l.ID > last && len(l.Links) == 0 && code.MatchString(l.Text) })
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.codes == nil {
		s.codes = map[string]int{}
	}
	s.codes[to] = l.ID
	return code.FindString(l.Text), nil
}

// CodeBySMS waits for a short message with a code of the second factor, and gives the code.
func (s *System) CodeBySMS(ctx context.Context, to string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, windowWait)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		var all []struct{ Text string }
		if err := getJSON(ctx, s.Mailbox+"/sms.json?to="+url.QueryEscape(to), &all); err != nil {
			return "", err
		}
		for _, m := range all {
			if found := code.FindString(m.Text); found != "" {
				return found, nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", fmt.Errorf("no short message with a code came: %w", ctx.Err())
		}
	}
}

var code = regexp.MustCompile(`\b[0-9]{6}\b`)

func (s *System) letters(ctx context.Context, to string) ([]Letter, error) {
	var all []Letter
	return all, getJSON(ctx, s.Mailbox+"/letters.json?to="+url.QueryEscape(to), &all)
}

func getJSON(ctx context.Context, address string, out any) error {
	b, err := Get(ctx, address)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("get %s: %w", address, err)
	}
	return nil
}

// Get fetches a file, as a revocation list.
func Get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", address, err)
	}
	return send(req)
}

// Post sends a body, as an OCSP request, and gives the answer.
func Post(ctx context.Context, address, kind string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(string(body)))
	if err != nil {
		return nil, fmt.Errorf("post to %s: %w", address, err)
	}
	req.Header.Set("Content-Type", kind)
	return send(req)
}

func send(req *http.Request) ([]byte, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", req.Method, req.URL.Path, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxPage))
}
