package agent

import (
	"context"
	"errors"
)

// errRefused ends a window whose only message is why nothing will be done.
var errRefused = errors.New("refused")

// refused is a window that says why a request is refused; whatever the person does, it stays refused. What the page named
// is never part of that sentence: it would be the page that speaks.
type refused struct{ why, named string }

func (refused) kind() string { return "refused" }
func (refused) wish() wish   { return wish{} }

func (t refused) show(_ *window, v *View) { v.Refusal, v.Named = t.why, shortened(t.named) }

func (t refused) decide(context.Context, *window, Decision) (outcome, *Problem) {
	return outcome{err: errRefused}, nil
}
