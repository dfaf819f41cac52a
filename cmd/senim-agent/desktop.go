package main

import (
	"senim/internal/agent"
	"senim/internal/desktop"
)

// surroundings is what the agent shows beside its windows: the mark in the tray, and notices.
type surroundings struct {
	quit func()
	tray *desktop.Tray // nil where the system has none
}

// show puts the mark into the tray. Called before the agent serves, so before anything is reminded of.
func (s *surroundings) show(a *agent.Agent) {
	l := a.TrayWords()
	s.tray = desktop.ShowTray(desktop.Labels{
		Tooltip: l.Running, Open: l.Open, Quit: l.Quit, OnOpen: func() { a.ShowHome("") }, OnQuit: s.quit,
	})
}

// remind says which keys end soon, in the tray and as a notice; an empty text calms the tray. Where the system shows
// neither, the agent's page does.
func (s *surroundings) remind(title, text string) {
	if text == "" {
		s.tray.Calm()
		return
	}
	s.tray.Warn(title + "\n" + text)
	_ = desktop.Notify(title, text) // a desktop without notices is no fault
}
