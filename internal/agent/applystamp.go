package agent

import (
	"context"
	"encoding/base64"

	"senim/cms"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// applyStamp answers applyCAdEST: time-stamps are added to a message that is signed already. No key is
// needed; the person sees what it is, and that nothing is signed.
func (t *talk) applyStamp(ctx context.Context, call *ncalayer.CommonCall, window lang.Tag) ([]byte, string) {
	task := &stamping{}
	for _, text := range call.Data {
		der, err := ncalayer.DecodeBase64(text)
		if err != nil {
			return ncalayer.CommonError(err.Error(), call.UUID), "refused"
		}
		sd, err := cms.Parse(der)
		if err != nil {
			return ncalayer.CommonError(err.Error(), call.UUID), "refused"
		}
		task.messages = append(task.messages, der)
		if err := task.shown.add(t.agent.showMessage(sd, window)); err != nil {
			return ncalayer.CommonError(err.Error(), call.UUID), "refused"
		}
	}
	if len(task.messages) == 0 {
		return ncalayer.CommonError("nothing to time-stamp", call.UUID), "refused"
	}
	task.many = call.Many
	out := t.agent.show(ctx, t.site, window, task)
	switch {
	case out.err != nil:
		return ncalayer.CommonError(t.agent.forPage(out.err), call.UUID), "failed"
	case !out.done && task.shown.stamp != nil: // given up
		return ncalayer.CommonError(t.agent.forPage(task.shown.stamp), call.UUID), "failed"
	case !out.done:
		return ncalayer.CommonCanceled(call.UUID), "canceled"
	}
	return ncalayer.CommonReply(out.result, call.UUID), "ok"
}

// stamping is the consent to have signed messages time-stamped.
type stamping struct {
	shown    signing // documents and the last failure; it chooses no key
	messages [][]byte
	many     bool
}

func (*stamping) kind() string { return "stamp" }
func (*stamping) wish() wish   { return wish{} }

func (t *stamping) show(w *window, v *View) {
	t.shown.documentsIn(w, v)
}

// decide stamps in steps, so that the page says how far it is and the person can cancel meanwhile.
func (t *stamping) decide(ctx context.Context, w *window, _ Decision) (outcome, *Problem) {
	if w.run == nil {
		w.run = begin(ctx, len(t.messages), func(ctx context.Context, done func()) (any, error) {
			return each(t.messages, t.many, func(der []byte) (string, error) {
				der, err := w.agent.stamper(ctx, der, nil)
				done()
				return base64.StdEncoding.EncodeToString(der), err
			})
		})
	}
	so, run, p := w.goOn(ctx)
	if run == nil {
		return so, p
	}
	if p := t.shown.unstamped(run.err, w.lang); p != nil {
		return outcome{}, p
	}
	if run.err != nil {
		return outcome{err: run.err}, nil
	}
	return outcome{done: true, result: run.result}, nil
}

// showMessage describes a signed message: its content, when it is inside, and who signed.
func (a *Agent) showMessage(sd *cms.SignedData, tag lang.Tag) Document {
	if !sd.Detached() {
		return showContent(sd.Content(), a.signedBefore(sd, tag), tag)
	}
	d := showContent(sd.Raw(), a.signedBefore(sd, tag), tag)
	d.Note = tag.Text("agent.document.detached")
	return d
}
