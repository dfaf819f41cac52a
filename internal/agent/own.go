package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/internal/ncalayer/client"
)

// Act is what a person has the agent do by himself, without any page.
type Act string

// The acts.
const (
	ActRenew    Act = "renew"    // renew the keys that are due
	ActPassword Act = "password" // change the password of a key file
	ActBackup   Act = "backup"   // copy a key file, and read the copy back
	ActCompare  Act = "compare"  // hold the keys here against the cabinet's list
)

// ownActs are the acts in the order the agent's page offers them.
var ownActs = []Act{ActRenew, ActPassword, ActBackup, ActCompare}

// teller is a task that says itself what came of it.
type teller interface{ said(tag lang.Tag) string }

// Do opens the window of an act and returns when it is over, with a sentence about what came of it; ok is
// false when it was closed. [keystore.ErrInUse] when another agent holds the folder.
func (a *Agent) Do(ctx context.Context, act Act, tag lang.Tag) (said string, ok bool, err error) {
	return a.doFor(ctx, self(), act, tag)
}

// self is the person who asks by himself.
func self() site { return site{Class: "own", Shown: "Senim"} }

// doFor is Do for who asks: the person himself, or a program, which the window then names.
func (a *Agent) doFor(ctx context.Context, asker site, act Act, tag lang.Tag) (said string, ok bool, err error) {
	var t task
	switch act {
	case ActRenew:
		r, ok, err := a.renewFor(ctx, asker, tag)
		if err != nil || !ok {
			return "", false, err
		}
		return tag.Text("agent.renew.sum", "done", r.Done, "waiting", r.Waiting, "failed", r.Failed), true, nil
	case ActCompare:
		at, err := a.cabinet()
		if err != nil {
			return "", false, err
		}
		t = &comparing{site: at}
	case ActPassword:
		t = &changing{}
	case ActBackup:
		t = &backingUp{}
	default:
		return "", false, fmt.Errorf("no such act: %q", act)
	}
	if c, ok := t.(*comparing); ok && asker.own() {
		asker.Shown = c.site.Shown
	}
	release, err := a.hold()
	if err != nil {
		return "", false, err
	}
	defer release()
	out := a.show(ctx, asker, tag, t)
	if out.err != nil || !out.done {
		return "", false, out.err
	}
	if own, ok := t.(teller); ok {
		return own.said(tag), true, nil
	}
	return tag.Text("agent.done." + t.kind()), true, nil
}

// own answers a program that asks for an act; pages have no such method. Only of the agent's own program, whose commands
// the person types, is the window said to be the person's.
func (t *talk) own(ctx context.Context, r *ncalayer.Request) (any, *ncalayer.Refusal) {
	if t.site.Origin != "" {
		return nil, r.UndefinedMethod()
	}
	args, refusal := r.Own()
	if refusal != nil {
		return nil, refusal
	}
	asker := t.site
	if asker.Ours {
		asker = self()
	}
	said, ok, err := t.agent.doFor(ctx, asker, Act(r.Method), tag(args.Locale, lang.KK))
	switch {
	case errors.Is(err, ErrNoCabinet):
		return nil, &ncalayer.Refusal{Code: ncalayer.CodeGeneral, Details: noCabinet + err.Error()}
	case err != nil:
		return nil, asRefusal(err, ncalayer.CodeInvocation)
	case !ok:
		return nil, nil
	}
	return said, nil
}

// noCabinet begins the details of a refusal that says [ErrNoCabinet].
const noCabinet = "no_cabinet: "

// ErrNotRunning says that no agent of ours listens there.
var ErrNotRunning = errors.New("the agent does not run")

// AskRunning has the agent that listens on an address do an act, and waits for the end of its window; ok
// is false when that was closed. [ErrNotRunning] when nothing there says within a few seconds that it is an agent of ours.
func AskRunning(ctx context.Context, listen string, act Act, tag lang.Tag) (said string, ok bool, err error) {
	c, err := client.Dial(ctx, listen)
	if err != nil {
		return "", false, ErrNotRunning
	}
	defer c.Close()
	if version, err := c.Version(ctx); err != nil || version == "" {
		return "", false, ErrNotRunning
	}
	b, err := c.Call(ctx, ncalayer.ModuleKeys, string(act), map[string]string{"locale": string(tag)})
	if err != nil {
		return "", false, err
	}
	var answer struct {
		Status  bool
		Details string
		Body    struct{ Result string }
	}
	switch err := json.Unmarshal(b, &answer); {
	case err != nil:
		return "", false, fmt.Errorf("ask the agent: %w", err)
	case strings.HasPrefix(answer.Details, noCabinet):
		return "", false, fmt.Errorf("the agent refuses: %w", ErrNoCabinet)
	case !answer.Status:
		return "", false, errors.New("the agent refuses: " + answer.Details)
	}
	return answer.Body.Result, answer.Body.Result != "", nil
}
