package desk

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"senim/internal/notice"
	"senim/internal/web"
)

// Messages tells how messages stand, and settles one of which nobody knows whether it went.
type Messages interface {
	Report(ctx context.Context) (notice.Report, error)
	// Settle says that it was Sent, that it Failed, or that it is to go again (Waiting).
	Settle(ctx context.Context, id int64, as notice.State, by string) error
}

// settle takes the operator's word. He is named by his certificate, never by his number.
func (d *desk) settle(_ http.ResponseWriter, r *web.Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	as, known := map[string]notice.State{"sent": notice.Sent, "failed": notice.Failed, "again": notice.Waiting}[r.Field("as")]
	if err != nil || !known {
		return web.ErrNotFound
	}
	err = d.c.Messages.Settle(r.Context(), id, as, "cert:"+r.Session().Serial)
	switch {
	case errors.Is(err, notice.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, notice.ErrSettled):
		return web.Refusal{Code: "MESSAGE_SETTLED", Next: []web.Link{{Text: "desk.next.back", Href: "/desk/"}}}
	case err != nil:
		return err
	}
	return r.Redirect("/desk/")
}

// late is how long the oldest message has been due; what is due since less than a minute is on time, and nothing is
// shown of it.
func late(r *web.Request, d time.Duration) string {
	if d < time.Minute {
		return ""
	}
	return r.T("desk.messages.minutes", "n", int(d/time.Minute))
}

// messageRows are the numbers of the messages for the board.
func messageRows(r *web.Request, m notice.Report) []web.Row {
	rows := []web.Row{
		{Label: r.T("desk.messages.waiting"), Value: strconv.Itoa(m.Waiting)},
		{Label: r.T("desk.messages.oldest"), Value: late(r, m.Oldest)},
		{Label: r.T("desk.messages.bad"), Value: strconv.Itoa(m.Bad)},
		{Label: r.T("desk.messages.no_contact"), Value: r.T("desk.messages.share", "n", m.NoContact, "of", m.Reminded+m.NoContact)},
	}
	for _, g := range m.Day {
		value := strconv.Itoa(g.Sent)
		if g.Cap > 0 {
			value = r.T("desk.messages.share", "n", g.Sent, "of", g.Cap)
		}
		if g.Near() {
			value += ". " + r.T("desk.messages.near")
		}
		rows = append(rows, web.Row{Label: r.T("desk.messages.day." + channel(g.Channel)), Value: value})
	}
	return rows
}

// channel is the word of a way in the catalogue.
func channel(c notice.Channel) string {
	if c == notice.SMS {
		return "sms"
	}
	return "email"
}
