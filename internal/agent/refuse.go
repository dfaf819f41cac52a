package agent

import (
	"context"
	"errors"
)

// errRefused ends a window whose only message is why nothing will be done.
var errRefused = errors.New("refused")

// refused is a window that says why a request is refused; whatever the person does, it stays refused.
type refused struct{ why string }

func (refused) kind() string { return "refused" }
func (refused) wish() wish   { return wish{} }

func (t refused) show(_ *window, v *View) { v.Refusal = t.why }

func (t refused) decide(context.Context, *window, Decision) (outcome, *Problem) {
	return outcome{err: errRefused}, nil
}
