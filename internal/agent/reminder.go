package agent

import (
	"context"
	"strings"
	"time"

	"senim/internal/lang"
)

// remindEvery is how often the agent looks whether a day has passed.
const remindEvery = time.Hour

// remindAgain is when what is known is read again where the keychain was not open at the start.
const remindAgain = time.Minute

// remind says which keys end soon, or that none does: when the agent starts, and once each day while it runs. It needs no
// registration anywhere: what it knows it learned from the keys themselves.
func (a *Agent) remind(ctx context.Context) {
	if a.config.Notify == nil {
		return
	}
	ticker := time.NewTicker(remindEvery)
	defer ticker.Stop()
	said, warned := "", false
	soon := time.After(remindAgain) // at sign-in the keychain may be opened a moment later
	for {
		a.onTokens() // what is plugged in is learned
		if today := a.now().In(lang.Astana).Format(time.DateOnly); today != said && !a.settings.get().NoReminders {
			title, text := a.Reminder()
			if a.known.index.unread() { // nobody can say that nothing ends
				title, text = "", ""
			} else {
				said = today
			}
			warned = text != ""
			a.config.Notify(title, text)
		} else if warned { // as after a renewal
			if _, text := a.Reminder(); text == "" {
				warned = false
				a.config.Notify("", "")
			}
		}
		select {
		case <-ticker.C:
		case <-soon:
			a.wake(true)
		case <-a.woken:
		case <-ctx.Done():
			return
		}
	}
}

// maxReminded bounds the lines of a reminder; the rest is a number.
const maxReminded = 5

// Reminder is what the person should know today, one line per company or person: keys of thirty days
// or fewer. Empty when there are none.
func (a *Agent) Reminder() (title, text string) {
	tag := a.homeLang()
	var owners []string
	lines := map[string]string{}
	for _, d := range a.calendar(a.known.all(a.keyFiles()), tag) {
		if d.Stage == "ok" || d.Stage == "over" && a.now().Sub(d.end) > 30*24*time.Hour {
			continue
		}
		if _, ok := lines[d.Owner]; !ok { // the first is the nearest
			owners = append(owners, d.Owner)
			lines[d.Owner] = d.Owner + ": " + d.Until
			if d.Where != "" {
				lines[d.Owner] += " (" + d.Where + ")"
			}
		}
	}
	if len(owners) == 0 {
		return "", ""
	}
	said := make([]string, 0, maxReminded+1)
	for _, o := range owners[:min(len(owners), maxReminded)] {
		said = append(said, lines[o])
	}
	if more := len(owners) - maxReminded; more > 0 {
		said = append(said, tag.Text("home.remind.more", "n", more))
	}
	return tag.Text("home.remind.title"), strings.Join(said, "\n")
}

// homeLang is the language of what the agent says by itself.
func (a *Agent) homeLang() lang.Tag {
	if t, ok := lang.Parse(a.settings.get().Lang); ok {
		return t
	}
	return lang.RU
}

// TrayWords are what the tray says, in the person's language.
type TrayWords struct{ Running, Open, Quit string }

// TrayWords gives them.
func (a *Agent) TrayWords() TrayWords {
	tag := a.homeLang()
	return TrayWords{tag.Text("home.tray.ok"), tag.Text("home.tray.open"), tag.Text("home.tray.quit")}
}
