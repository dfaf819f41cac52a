package robot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Agent is a running signing agent: its socket, and the windows it opens.
type Agent struct {
	Socket  string
	windows <-chan string
}

// windowWait is how long a window may take to open after a page asked, and an answer after a choice.
const windowWait = 60 * time.Second

// maxReply bounds an answer of the agent, in bytes.
const maxReply = 64 << 20

// Choice is what a person does in the agent's window.
type Choice struct {
	// Key is the name of the key file to use, and Password opens it.
	Key, Password string
	// NewPassword is typed twice for new key files. Folder is where new keys are to go.
	NewPassword, Folder string
	// Passwords open key files by their names, where a window asks for many; Password opens the rest.
	Passwords map[string]string
	// Skip goes on without the keys that were not opened.
	Skip bool
	// Code gives the code of the second factor when a window asks for one.
	Code func(ctx context.Context) (string, error)
	// Cancel closes the window instead; Stop does when something is wrong on the way, and is no error.
	Cancel, Stop bool
	// Said gets the last words of a window of renewal.
	Said *string
}

// password is what opens a key file.
func (c Choice) password(file string) string {
	if p, ok := c.Passwords[file]; ok {
		return p
	}
	return c.Password
}

// NewAgent reaches an agent that runs in this process: its socket, and the addresses of its windows.
func NewAgent(socket string, windows <-chan string) *Agent {
	return &Agent{Socket: socket, windows: windows}
}

// ErrCancelled says that the person closed the agent's window.
var ErrCancelled = errors.New("the agent's window was closed")

// Windows gives the addresses of windows as they open, for a test that shows them in a browser.
func (a *Agent) Windows() <-chan string { return a.windows }

// Ask sends a page's request from its origin, does what the person chose in the window, and gives
// the result as the page's script would put it into the form. seen, if not nil, is told what the
// window showed.
func (a *Agent) Ask(ctx context.Context, origin, request string, c Choice, seen func(View)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*windowWait)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, a.Socket, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return "", fmt.Errorf("reach the agent: %w", err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxReply)
	if _, _, err := conn.Read(ctx); err != nil {
		return "", fmt.Errorf("greeting of the agent: %w", err)
	}
	if err := conn.Write(ctx, websocket.MessageText, []byte(request)); err != nil {
		return "", fmt.Errorf("ask the agent: %w", err)
	}
	replies := make(chan reply, 1)
	go func() {
		_, b, err := conn.Read(ctx)
		replies <- reply{b, err}
	}()
	select {
	case r := <-replies:
		return r.result() // refused before any window
	case address := <-a.windows:
		if err := a.choose(ctx, address, c, seen); err != nil {
			return "", err
		}
	case <-ctx.Done():
		return "", fmt.Errorf("wait for the agent's window: %w", ctx.Err())
	}
	return (<-replies).result()
}

type reply struct {
	body []byte
	err  error
}

// result reads a reply of basics and of kz.senim.keys.
func (r reply) result() (string, error) {
	if r.err != nil {
		return "", fmt.Errorf("answer of the agent: %w", r.err)
	}
	var m struct {
		Status  *bool  `json:"status"`
		Code    string `json:"code"`
		Details string `json:"details"`
		Body    struct {
			Result json.RawMessage `json:"result"`
		} `json:"body"`
		ErrorCode string `json:"errorCode"`
	}
	if err := json.Unmarshal(r.body, &m); err != nil {
		return "", fmt.Errorf("answer of the agent: %w", err)
	}
	switch {
	case m.ErrorCode != "":
		return "", fmt.Errorf("the agent answers %s", m.ErrorCode)
	case m.Status == nil || !*m.Status:
		return "", fmt.Errorf("the agent refuses: %s: %s", m.Code, m.Details)
	case len(m.Body.Result) == 0:
		return "", ErrCancelled
	}
	return string(m.Body.Result), nil
}

// View is what a window shows, as far as the robot looks.
type View struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
	Site  struct {
		Origin string `json:"origin"`
	} `json:"site"`
	Keys []struct {
		ID      string `json:"id"`
		File    string `json:"file"`
		Folder  string `json:"folder"`
		State   string `json:"state"`
		Fits    bool   `json:"fits"`
		Reason  string `json:"reason"`
		Owner   string `json:"owner"`
		Company string `json:"company"`
		Role    string `json:"role"`
	} `json:"keys"`
	Refusal string `json:"refusal"`
}

// window is an open window of the agent.
type window struct {
	origin, key string
}

// choose opens the window at address as its page would and does what the person chose.
func (a *Agent) choose(ctx context.Context, address string, c Choice, seen func(View)) error {
	u, err := url.Parse(address)
	if err != nil || u.Fragment == "" {
		return fmt.Errorf("the agent's window has no address: %w", err)
	}
	w := &window{origin: u.Scheme + "://" + u.Host}
	var open struct {
		Key  string `json:"key"`
		View View   `json:"view"`
	}
	if err := w.post(ctx, "/open", map[string]any{"token": u.Fragment}, &open); err != nil {
		return err
	}
	w.key = open.Key
	if seen != nil {
		seen(open.View)
	}
	if c.Cancel {
		return w.post(ctx, "/cancel", map[string]any{}, nil)
	}
	switch open.View.Kind {
	case "renew":
		return w.renew(ctx, open.View, c)
	case "list", "sign-many":
		return w.many(ctx, open.View, c)
	case "generate-many":
		return w.decide(ctx, map[string]any{"folder": c.Folder, "confirm": true})
	case "install-many":
		return w.decide(ctx, map[string]any{"newPassword": c.NewPassword, "newPassword2": c.NewPassword, "confirm": true})
	case "generate":
		return w.post(ctx, "/decide", map[string]any{"folder": c.Folder}, nil)
	case "install":
		return w.post(ctx, "/decide", map[string]any{"newPassword": c.NewPassword, "newPassword2": c.NewPassword, "confirm": true}, nil)
	case "refused":
		if err := w.post(ctx, "/decide", map[string]any{}, nil); err != nil {
			return err
		}
		return nil
	}
	for _, k := range open.View.Keys {
		if filepath.Base(k.File) != filepath.Base(c.Key) {
			continue
		}
		if k.State != "unlocked" {
			if err := w.post(ctx, "/unlock", map[string]any{"id": k.ID, "password": c.Password}, nil); err != nil {
				return errors.Join(err, w.post(ctx, "/cancel", map[string]any{}, nil))
			}
		}
		return w.decide(ctx, map[string]any{"key": k.ID})
	}
	return errors.Join(fmt.Errorf("the agent's window does not offer the key file %s", filepath.Base(c.Key)), w.post(ctx, "/cancel", map[string]any{}, nil))
}

// Window does what the person chose in the next window that opens, whoever opened it.
func (a *Agent) Window(ctx context.Context, c Choice, seen func(View)) error {
	select {
	case address := <-a.windows:
		return a.choose(ctx, address, c, seen)
	case <-ctx.Done():
		return fmt.Errorf("wait for the agent's window: %w", ctx.Err())
	}
}

// renew opens the keys that can be opened and renews them; it types the code when it is asked for.
func (w *window) renew(ctx context.Context, v View, c Choice) error {
	for _, k := range v.Keys {
		if !k.Fits || k.State == "unlocked" {
			continue
		}
		err := w.post(ctx, "/unlock", map[string]any{"id": k.ID, "password": c.password(filepath.Base(k.File)), "brief": true}, nil)
		if err != nil && !strings.Contains(err.Error(), "wrong_password") {
			return err
		}
	}
	d := map[string]any{"newPassword": c.NewPassword, "newPassword2": c.NewPassword, "confirm": c.Skip}
	for {
		var step struct {
			Done bool   `json:"done"`
			Text string `json:"text"`
		}
		err := w.post(ctx, "/decide", d, &step)
		switch {
		case err != nil && c.Code != nil && d["code"] == nil && strings.Contains(err.Error(), "code_needed"):
			if d["code"], err = c.Code(ctx); err != nil {
				return err
			}
		case err != nil && c.Stop:
			return w.post(ctx, "/cancel", map[string]any{}, nil)
		case err != nil:
			return errors.Join(err, w.post(ctx, "/cancel", map[string]any{}, nil))
		case step.Done:
			if c.Said != nil {
				*c.Said = step.Text
			}
			return nil
		}
	}
}

// many opens every key with its password; one that does not open stays closed. Then it tells the keys
// that are known, or signs.
func (w *window) many(ctx context.Context, v View, c Choice) error {
	known := []string{}
	for _, k := range v.Keys {
		open := k.State == "unlocked" || (k.State == "known" && v.Kind == "list")
		if !open && k.State != "pending" && k.Fits {
			err := w.post(ctx, "/unlock", map[string]any{"id": k.ID, "password": c.password(filepath.Base(k.File)), "brief": true}, nil)
			if err != nil && !strings.Contains(err.Error(), "wrong_password") {
				return err
			}
			open = err == nil
		}
		if open {
			known = append(known, k.ID)
		}
	}
	if v.Kind == "list" {
		return w.decide(ctx, map[string]any{"keys": known})
	}
	return w.decide(ctx, map[string]any{"confirm": c.Skip})
}

// decide sends a decision as often as the window has steps.
func (w *window) decide(ctx context.Context, d map[string]any) error {
	for {
		var step struct {
			Done bool `json:"done"`
		}
		if err := w.post(ctx, "/decide", d, &step); err != nil {
			return errors.Join(err, w.post(ctx, "/cancel", map[string]any{}, nil))
		}
		if step.Done {
			return nil
		}
	}
}

// post makes one call of the window's page.
func (w *window) post(ctx context.Context, path string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("window %s: %w", path, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.origin+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("window %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", w.origin)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("X-Window-Key", w.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("window %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return fmt.Errorf("window %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		var m struct {
			Error struct{ Code, Text string } `json:"error"`
		}
		_ = json.Unmarshal(b, &m)
		return fmt.Errorf("the agent's window says: %s", strings.TrimSpace(m.Error.Code+" "+m.Error.Text))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("window %s: %w", path, err)
	}
	return nil
}
