package agent

import (
	"context"
	"errors"
	"os"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// errLed ends a notice from which the person went on to the agent's page.
var errLed = errors.New("led on")

// leading is a notice that leads to a part of the agent's page.
type leading struct {
	notice
	button string
	lead   func()
}

func (t leading) show(w *window, v *View) {
	t.notice.show(w, v)
	v.Button = t.button
}

func (t leading) decide(context.Context, *window, Decision) (outcome, *Problem) {
	t.lead()
	return outcome{err: errLed}, nil
}

// noDriver says that a site wants a key on a token for which no driver works here. The site has NCALayer's answer, which says only that there is
// no token; where a driver works that is all there is to say. Said as rarely as pages may open the agent's page.
func (t *talk) noDriver(ctx context.Context, storage string, window lang.Tag) {
	a := t.agent
	if _, token := ncalayer.Storage(storage); !token || a.blocked(t.site) {
		return
	}
	why, works := a.driverless(storage)
	if works {
		return
	}
	name, part := window.Text("home.token."+storage), window.Text("home.ui.part-tokens")
	text := window.Text("agent.notice.no-driver", "name", name, "part", part)
	if why != "" {
		driver := window.Text("agent.token.driver", "name", name, "why", window.Text("home.driver.problem."+why))
		text = window.Text("agent.notice.ill-driver", "driver", driver, "part", part)
	}
	asker := t.site.key()
	t.say(ctx, window, leading{
		notice: notice{refused{why: text}, "agent.title.no-driver"}, button: window.Text("agent.notice.open", "part", part),
		lead: func() {
			a.driverQuiet.acted(asker)
			a.wishHome(homeWish{lang: window, part: "tokens"})
		},
	}, func() bool {
		return a.unsure(t.site) || a.driverQuiet.opens(asker, a.now()) // who is not sure of the sites opens his own page, by its own count
	})
}

// driverless tells whether a driver for a storage works, and else what is wrong with the one there is; "" is: there is none.
func (a *Agent) driverless(storage string) (why string, works bool) {
	if _, err := os.Stat(a.config.TokenProgram); err != nil {
		why = "program"
	}
	for _, d := range a.drivers() {
		if !keystore.SameStorage(d.Storage, storage) {
			continue
		}
		switch {
		case d.problem != "":
			why = d.problem
		case failedDriver(a.seenLast(), d):
			why = "failed"
		default:
			return "", true
		}
	}
	return why, false
}
